using System.Globalization;
using System.Text;
using FastNN.Formats;
using FastNN.Layers;

namespace FastNN;

/// <summary>What a <see cref="TensorBoardWriter"/> shows of models.</summary>
public static class TensorBoardExtensions
{
    /// <summary>
    /// Adds the graph of a model: its operators with their shapes, grouped by layers, with the layers' parameters. A file has one
    /// graph; TensorBoard shows the last.
    /// </summary>
    /// <param name="writer">Where it goes.</param>
    /// <param name="model">A built model.</param>
    /// <exception cref="InvalidOperationException">The model is not built.</exception>
    /// <exception cref="IOException">Something that was added before could not be written.</exception>
    /// <exception cref="ObjectDisposedException">The writer was disposed.</exception>
    public static void AddGraph(this TensorBoardWriter writer, Layer model)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ModelExtensions.RequireBuilt(model, nameof(AddGraph));
        writer.AddGraph(TensorBoardGraph.Encode(new ModelTrace(model)));
    }
}

/// <summary>
/// A model as TensorFlow's GraphDef (tensorboard/compat/proto of that project: graph, node_def, attr_value, tensor_shape, types).
/// TensorBoard groups nodes by the parts of their names between slashes, and writes the shapes of <c>_output_shapes</c> on edges.
/// </summary>
internal sealed class TensorBoardGraph
{
    // The version of GraphDef; nothing that is written here has changed since.
    private const int Producer = 22;

    private readonly WireWriter _writer = new();
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private readonly Dictionary<Value, string> _names = [];

    private TensorBoardGraph()
    {
    }

    public static byte[] Encode(ModelTrace trace)
    {
        var graph = new TensorBoardGraph();
        graph.Write(trace);
        return graph._writer.Written.ToArray();
    }

    private void Write(ModelTrace trace)
    {
        foreach (Value input in trace.Inputs)
        {
            string name = Unique("", input.Name!);
            _names.Add(input, name);
            WriteNode(name, "Placeholder", [], [input], input.TensorType);
        }

        foreach (TracedNode traced in trace.Nodes)
        {
            Node node = traced.Node;
            foreach (Value input in node.Inputs)
            {
                if (!_names.ContainsKey(input))
                {
                    WriteSource(input, traced.Scope);
                }
            }

            string name = Unique(traced.Scope, node.Op.Name);
            WriteNode(name, node.Op.Name, node.Inputs, node.Outputs);
            for (int i = 0; i < node.Outputs.Length; i++)
            {
                _names.Add(node.Outputs[i], i == 0 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}:{i}"));
            }
        }

        for (int i = 0; i < trace.Outputs.Count; i++)
        {
            if (!_names.ContainsKey(trace.Outputs[i]))
            {
                WriteSource(trace.Outputs[i], "");
            }

            WriteNode(Unique("", trace.OutputNames[i]), "Identity", [trace.Outputs[i]], [trace.Outputs[i]]);
        }

        int versions = _writer.Begin(4);
        _writer.Int64(1, Producer);
        _writer.End(versions);
    }

    /// <summary>A parameter or constant, in the scope that uses it first.</summary>
    private void WriteSource(Value source, string scope)
    {
        (string name, string op) = source.Parameter is { } parameter
            ? (parameter.Name, "VariableV2")
            : (source.Kind.ToString(), source.Kind == ValueKind.Constant ? "Const" : "Placeholder");
        string unique = Unique(scope, name);
        _names.Add(source, unique);
        WriteNode(unique, op, [], [source], source.TensorType);
    }

    private void WriteNode(string name, string op, Value[] inputs, Value[] outputs, TensorType? type = null)
    {
        int node = _writer.Begin(1);
        _writer.Element(1, name);
        _writer.Element(2, op);
        foreach (Value input in inputs)
        {
            _writer.Element(3, _names[input]);
        }

        (int Pair, int Value) attribute = BeginAttribute("_output_shapes");
        int list = _writer.Begin(1);
        foreach (Value output in outputs)
        {
            WriteShape(7, output.Shape);
        }

        _writer.End(list);
        EndAttribute(attribute);
        if (type is { } known)
        {
            attribute = BeginAttribute("dtype");
            _writer.Int64(6, Number(known.Type));
            EndAttribute(attribute);
            attribute = BeginAttribute("shape");
            WriteShape(7, known.Shape);
            EndAttribute(attribute);
        }

        _writer.End(node);
    }

    /// <summary>Begins a pair of the map of attributes, and its value.</summary>
    private (int Pair, int Value) BeginAttribute(string key)
    {
        int pair = _writer.Begin(5);
        _writer.Element(1, key);
        return (pair, _writer.Begin(2));
    }

    private void EndAttribute((int Pair, int Value) attribute)
    {
        _writer.End(attribute.Value);
        _writer.End(attribute.Pair);
    }

    private void WriteShape(int field, Shape shape)
    {
        int start = _writer.Begin(field);
        for (int axis = 0; axis < shape.Rank; axis++)
        {
            int dim = _writer.Begin(2);
            if (shape[axis] != 0)
            {
                // What has no number yet is -1.
                _writer.Int64(1, Dim.IsSymbol(shape[axis]) ? -1 : shape[axis]);
            }

            _writer.End(dim);
        }

        _writer.End(start);
    }

    /// <summary>TensorFlow's number of an element type.</summary>
    private static int Number(DType type) => type switch
    {
        DType.Float32 => 1,
        DType.Float64 => 2,
        DType.Int32 => 3,
        DType.UInt8 => 4,
        DType.Int8 => 6,
        DType.Int64 => 9,
        DType.Bool => 10,
        DType.BFloat16 => 14,
        DType.Float16 => 19,
        _ => throw new NotSupportedException($"AddGraph: no TensorFlow type is known for {type}."),
    };

    /// <summary>A name that no node has yet, of characters that names of nodes may have.</summary>
    private string Unique(string scope, string name)
    {
        string path = Clean(scope.Length == 0 ? name : $"{scope}/{name}"), unique = path;
        for (int i = 1; !_taken.Add(unique); i++)
        {
            unique = string.Create(CultureInfo.InvariantCulture, $"{path}_{i}");
        }

        return unique;
    }

    private static string Clean(string path)
    {
        var name = new StringBuilder();
        foreach (char c in path)
        {
            name.Append(char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' or '/' ? c : '_');
        }

        if (name.Length == 0 || !(char.IsAsciiLetterOrDigit(name[0]) || name[0] == '.'))
        {
            name.Insert(0, '.');
        }

        return name.ToString();
    }
}
