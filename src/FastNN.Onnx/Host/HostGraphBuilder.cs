using System.Globalization;
using FastNN.Onnx.Contrib;
using FastNN.Onnx.Model;
using FastNN.Onnx.Wire;

namespace FastNN.Onnx.Host;

/// <summary>
/// Makes graphs that run of those in a file: names become slots, nodes come into an order in which they can run, bodies know
/// what they read of the graph around them, and functions that the model brings along become graphs of their own.
/// </summary>
internal sealed class HostGraphBuilder(ModelDef model, Content content, ExternalData? external)
{
    // Functions may call functions, and a damaged file may let them call themselves.
    private const int MaxFunctionDepth = 64;

    private int _functionDepth;
    private int _index;

    /// <summary>Nodes without a kernel, if the graph is looked through rather than run.</summary>
    public List<(NodeDef Node, long Opset)>? Unsupported { get; init; }

    public HostGraph Build(GraphDef graph) => Build(graph, null, model.Opsets);

    private HostGraph Build(GraphDef graph, Scope? outer, Dictionary<string, long> opsets)
    {
        var scope = new Scope(outer);
        var constants = new List<HostConstant>();
        int[] inputs = [.. graph.Inputs.Select(input => scope.Define(this, input.Name, -1))];
        foreach (TensorDef initializer in graph.Initializers)
        {
            // Before IR version 4 every initializer had to be an input as well; then it is that input's default.
            int slot = scope.Own(initializer.Name) ?? scope.Define(this, initializer.Name, initializer.Offset);
            constants.Add(new HostConstant(slot, initializer, external));
        }

        foreach (SparseTensorDef sparse in graph.SparseInitializers)
        {
            (string name, OnnxTensor dense) = Densify(sparse);
            constants.Add(new HostConstant(scope.Own(name) ?? scope.Define(this, name, -1), dense));
        }

        List<HostNode> nodes = [];
        foreach (NodeDef node in NodeOrder.Of(graph, scope.Sees, content.Name))
        {
            nodes.Add(Build(node, scope, opsets));
        }

        int[] outputs = [.. graph.Outputs.Select(output => scope.Find(output.Name)
            ?? throw Error(-1, $"an output '{output.Name}' that some node computes", "none"))];
        SetLastUses(nodes, outputs, [.. constants.Select(constant => constant.Slot)]);
        return new HostGraph
        {
            SlotCount = scope.Count,
            Inputs = inputs,
            Outputs = outputs,
            Captures = scope.Captures,
            Constants = constants,
            Nodes = nodes,
        };
    }

    private HostNode Build(NodeDef definition, Scope scope, Dictionary<string, long> opsets)
    {
        int[] inputs = [.. definition.Inputs.Select(name => name.Length == 0
            ? -1
            : scope.Find(name) ?? throw Error(definition.Offset, $"an input of {definition.Title} that the graph has",
                $"'{name}'"))];
        var bodies = new Dictionary<string, HostGraph>(StringComparer.Ordinal);
        foreach (AttributeDef attribute in definition.Attributes.Values)
        {
            if (attribute is { Kind: AttributeKind.Graph, Graph: { } body })
            {
                bodies.Add(attribute.Name, Build(body, scope, opsets));
            }
        }

        int[] outputs = [.. definition.Outputs.Select(name => name.Length == 0 ? -1
            : scope.Define(this, name, definition.Offset))];
        long opset = definition.Opset > 0 ? definition.Opset : opsets.GetValueOrDefault(definition.Domain, 1);
        FunctionDef? function = model.Functions.Find(candidate => candidate.Name == definition.Operator
            && candidate.Domain == definition.Domain && candidate.Overload == definition.Overload)
            ?? ContribFunctions.Of(definition);
        HostGraph? functionBody = function is null ? null : Build(definition, function);
        HostKernel kernel = functionBody is null ? Kernel(definition, opset)
            : call => functionBody.Run([.. Enumerable.Range(0, functionBody.Inputs.Length).Select(call.Value)], call.Frame);
        return new HostNode(_index++, definition, opset, kernel, inputs, outputs) { Bodies = bodies, Function = functionBody };
    }

    private HostKernel Kernel(NodeDef node, long opset)
    {
        if (HostKernels.Find(node) is { } kernel)
        {
            return kernel;
        }

        if (Unsupported is null)
        {
            throw new OnnxException($"{node.Title}: the operator {OperatorName(node)} of opset {opset} is not supported.");
        }

        Unsupported.Add((node, opset));
        return call => throw call.Unsupported(OperatorName(call.Node));
    }

    public static string OperatorName(NodeDef node) => node.Domain.Length == 0 ? node.Operator : $"{node.Domain}.{node.Operator}";

    /// <summary>A function's body, with the calling node's attributes in the place of references to them.</summary>
    private HostGraph Build(NodeDef node, FunctionDef function)
    {
        if (++_functionDepth > MaxFunctionDepth)
        {
            throw Error(node.Offset, $"at most {MaxFunctionDepth} functions within one another", $"more, at {node.Title}");
        }

        var graph = new GraphDef
        {
            Name = function.Name,
            Nodes = function.Nodes.ConvertAll(inner => Substitute(inner, node, function)),
            Inputs = function.Inputs.ConvertAll(name => new ValueDef { Name = name }),
            Outputs = function.Outputs.ConvertAll(name => new ValueDef { Name = name }),
        };
        HostGraph body = Build(graph, null, function.Opsets.Count > 0 ? function.Opsets : model.Opsets);
        _functionDepth--;
        return body;
    }

    private static NodeDef Substitute(NodeDef node, NodeDef caller, FunctionDef function)
    {
        var attributes = new Dictionary<string, AttributeDef>(StringComparer.Ordinal);
        foreach ((string name, AttributeDef attribute) in node.Attributes)
        {
            if (attribute.Reference.Length == 0)
            {
                attributes.Add(name, Substitute(attribute, caller, function));
            }
            else if ((caller.Attributes.GetValueOrDefault(attribute.Reference)
                ?? function.Defaults.Find(given => given.Name == attribute.Reference)) is { } value)
            {
                attributes.Add(name, value);
            }
        }

        return new NodeDef
        {
            Name = node.Name,
            Operator = node.Operator,
            Domain = node.Domain,
            Overload = node.Overload,
            Inputs = node.Inputs,
            Outputs = node.Outputs,
            Attributes = attributes,
            Offset = node.Offset,
        };
    }

    private static AttributeDef Substitute(AttributeDef attribute, NodeDef caller, FunctionDef function)
    {
        if (attribute is not { Kind: AttributeKind.Graph, Graph: { } graph })
        {
            return attribute;
        }

        return new AttributeDef
        {
            Name = attribute.Name,
            Kind = AttributeKind.Graph,
            Graph = new GraphDef
            {
                Name = graph.Name,
                Nodes = graph.Nodes.ConvertAll(inner => Substitute(inner, caller, function)),
                Inputs = graph.Inputs,
                Outputs = graph.Outputs,
                Values = graph.Values,
                Initializers = graph.Initializers,
                SparseInitializers = graph.SparseInitializers,
            },
        };
    }

    private (string Name, OnnxTensor Dense) Densify(SparseTensorDef sparse)
    {
        if (sparse.Values is not { } values || sparse.Indices is not { } indices)
        {
            throw Error(-1, "a sparse tensor with values and indices", "one without");
        }

        OnnxTensor elements = TensorDecoder.Decode(values, external), places = TensorDecoder.Decode(indices, external);
        int[] dims = [.. sparse.Dims.Select(extent => extent is >= 0 and <= int.MaxValue
            ? (int)extent
            : throw TensorDecoder.Error(values, "extents from 0 to 2147483647", $"{extent}"))];
        if (places.ElementType != OnnxElementType.Int64
            || (places.Rank != 1 && (places.Rank != 2 || places.Dims[1] != dims.Length))
            || places.Dims[0] != elements.Count)
        {
            throw TensorDecoder.Error(values, $"an index for each of {elements.Count} values", places.ToString());
        }

        long count = dims.Aggregate(1L, (product, extent) => checked(product * extent));
        OnnxTensor dense = OnnxTensor.Zeros(elements.ElementType, dims);
        int[] strides = Shapes.Strides(dims);
        long[] all = places.Array<long>();
        for (int i = 0; i < elements.Count; i++)
        {
            long place = 0;
            for (int axis = 0; axis < (places.Rank == 1 ? 0 : dims.Length); axis++)
            {
                long index = all[(i * dims.Length) + axis];
                place = index >= 0 && index < dims[axis] ? place + (index * strides[axis]) : -1;
                if (place < 0)
                {
                    break;
                }
            }

            place = places.Rank == 1 ? all[i] : place;
            if (place < 0 || place >= count)
            {
                throw TensorDecoder.Error(values, $"indices within {OnnxTensor.Text(dims)}", $"one beyond, of value {i}");
            }

            Array.Copy(elements.Data, i, dense.Data, place, 1);
        }

        return (values.Name, dense);
    }

    private static void SetLastUses(List<HostNode> nodes, int[] outputs, HashSet<int> constants)
    {
        var last = new Dictionary<int, HostNode>();
        foreach (HostNode node in nodes)
        {
            foreach (int slot in node.Inputs.Concat(node.Outputs).Concat(node.Bodies.Values.SelectMany(body =>
                body.Captures.Select(capture => capture.From))))
            {
                last[slot] = node;
            }
        }

        foreach (IGrouping<HostNode, KeyValuePair<int, HostNode>> uses in last.GroupBy(use => use.Value))
        {
            uses.Key.LastUses = [.. uses.Select(use => use.Key)
                .Where(slot => slot >= 0 && Array.IndexOf(outputs, slot) < 0 && !constants.Contains(slot))];
        }
    }

    private FileFormatException Error(long offset, string expected, string got) =>
        new(content.Name, Math.Max(offset, 0), expected, got);

    /// <summary>The names of a graph, and those around it.</summary>
    private sealed class Scope(Scope? outer)
    {
        private readonly Dictionary<string, int> _slots = new(StringComparer.Ordinal);
        private readonly List<(int From, int To)> _captures = [];

        public int Count => _slots.Count;

        public IReadOnlyList<(int From, int To)> Captures => _captures;

        public int? Own(string name) => _slots.TryGetValue(name, out int slot) ? slot : null;

        public bool Sees(string name) => _slots.ContainsKey(name) || (outer?.Sees(name) ?? false);

        /// <summary>A name's slot here; what only the graph around has comes in through a slot of its own.</summary>
        public int? Find(string name)
        {
            if (_slots.TryGetValue(name, out int slot))
            {
                return slot;
            }

            if (outer?.Find(name) is not { } from)
            {
                return null;
            }

            _slots.Add(name, _slots.Count);
            _captures.Add((from, _slots.Count - 1));
            return _slots.Count - 1;
        }

        public int Define(HostGraphBuilder builder, string name, long offset)
        {
            if (!_slots.TryAdd(name, _slots.Count))
            {
                throw builder.Error(offset, "names that are defined once",
                    string.Create(CultureInfo.InvariantCulture, $"'{name}' again"));
            }

            return _slots.Count - 1;
        }
    }
}
