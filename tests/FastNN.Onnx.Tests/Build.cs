using System.Runtime.InteropServices;
using FastNN.Onnx.Model;
using FastNN.Onnx.Wire;

namespace FastNN.Onnx.Tests;

/// <summary>Models of a few nodes, written as files are.</summary>
internal static class Build
{
    public static ModelDef Model(long opset, params NodeDef[] nodes) => new()
    {
        IrVersion = 10,
        Producer = "tests",
        Opsets = { [""] = opset },
        Graph = new GraphDef { Name = "graph", Nodes = [.. nodes] },
    };

    public static ModelDef With(this ModelDef model, string[] inputs, string[] outputs)
    {
        model.Graph!.Inputs.AddRange(inputs.Select(Float));
        model.Graph.Outputs.AddRange(outputs.Select(Float));
        return model;
    }

    public static ModelDef With(this ModelDef model, params TensorDef[] initializers)
    {
        model.Graph!.Initializers.AddRange(initializers);
        return model;
    }

    /// <summary>An input with these extents, numbers or symbols; an output where there are none.</summary>
    public static ModelDef Of(this ModelDef model, string name, string[]? dims)
    {
        List<ValueDef> list = dims is null ? model.Graph!.Outputs : model.Graph!.Inputs;
        list.Add(new ValueDef
        {
            Name = name,
            Type = dims is null ? null : new TypeDef
            {
                Element = OnnxElementType.Float32,
                Shape = [.. dims.Select(extent => int.TryParse(extent, out int number)
                    ? new DimensionDef(number, null)
                    : new DimensionDef(-1, extent))],
            },
        });
        return model;
    }

    /// <summary>A model of one node of ai.onnx.ml over rows of features, as ONNX Runtime asks for it: an output called
    /// <c>label</c> is an integer, others are numbers.</summary>
    public static ModelDef Classic(long version, NodeDef node, int features)
    {
        node.Domain = "ai.onnx.ml";
        ModelDef model = Model(17, node).Of("x", ["rows", $"{features}"]);
        model.IrVersion = 8;
        model.Opsets["ai.onnx.ml"] = version;
        foreach (string output in node.Outputs)
        {
            var type = new TypeDef { Element = output == "label" ? OnnxElementType.Int64 : OnnxElementType.Float32 };
            model.Graph!.Outputs.Add(new ValueDef { Name = output, Type = type });
        }

        return model;
    }

    private static ValueDef Float(string name) => new() { Name = name };

    /// <summary>A node; inputs and outputs are separated by spaces, <c>-</c> is one that is not there.</summary>
    public static NodeDef Node(string name, string inputs, string outputs, params AttributeDef[] attributes) => new()
    {
        Operator = name,
        Inputs = Names(inputs),
        Outputs = Names(outputs),
        Attributes = attributes.ToDictionary(attribute => attribute.Name, StringComparer.Ordinal),
    };

    private static List<string> Names(string names) =>
        [.. names.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(name => name == "-" ? "" : name)];

    public static AttributeDef Int(string name, long value) => new() { Name = name, Kind = AttributeKind.Int, Int = value };

    public static AttributeDef Number(string name, float value) =>
        new() { Name = name, Kind = AttributeKind.Float, Float = value };

    public static AttributeDef Text(string name, string value) =>
        new() { Name = name, Kind = AttributeKind.String, String = System.Text.Encoding.UTF8.GetBytes(value) };

    public static AttributeDef Floats(string name, params float[] values)
    {
        var attribute = new AttributeDef { Name = name, Kind = AttributeKind.Floats };
        attribute.Floats.AddRange(values);
        return attribute;
    }

    public static AttributeDef Texts(string name, params string[] values)
    {
        var attribute = new AttributeDef { Name = name, Kind = AttributeKind.Strings };
        attribute.Strings.AddRange(values.Select(System.Text.Encoding.UTF8.GetBytes));
        return attribute;
    }

    public static AttributeDef Ints(string name, params long[] values)
    {
        var attribute = new AttributeDef { Name = name, Kind = AttributeKind.Ints };
        attribute.Ints.AddRange(values);
        return attribute;
    }

    public static AttributeDef Graph(string name, GraphDef graph) =>
        new() { Name = name, Kind = AttributeKind.Graph, Graph = graph };

    public static TensorDef Tensor(string name, OnnxElementType type, long[] dims, byte[] raw)
    {
        Content content = Content.OfMemory(raw, name);
        var tensor = new TensorDef
        {
            Name = name,
            Type = type,
            Content = content,
            Raw = new ByteRange(content, 0, raw.Length),
        };
        tensor.Dims.AddRange(dims);
        return tensor;
    }

    public static TensorDef Tensor(string name, float[] values, params long[] dims) =>
        Tensor(name, OnnxElementType.Float32, dims, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    public static TensorDef Tensor(string name, long[] values, params long[] dims) =>
        Tensor(name, OnnxElementType.Int64, dims, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    public static OnnxModel Load(this ModelDef model) => OnnxModel.Load(ModelWriter.Write(model), "test");

    /// <summary>Runs one node of the newest opset on these inputs, named a, b, c and so on; null is one that is not
    /// there.</summary>
    public static OnnxValue?[] Run(string name, OnnxValue?[] inputs, int outputs, params AttributeDef[] attributes) =>
        Run(26, name, inputs, outputs, attributes);

    public static OnnxValue?[] Run(long opset, string name, OnnxValue?[] inputs, int outputs, params AttributeDef[] attributes)
    {
        string[] names = [.. inputs.Select((_, i) => ((char)('a' + i)).ToString())];
        string[] results = [.. Enumerable.Range(0, outputs).Select(i => $"y{i}")];
        NodeDef node = Node(name, string.Join(' ', names.Select((n, i) => inputs[i] is null ? "-" : n)),
            string.Join(' ', results), attributes);
        using OnnxModel model = Model(opset, node).With([.. names.Where((_, i) => inputs[i] is not null)], results).Load();
        var values = new Dictionary<string, OnnxValue>(StringComparer.Ordinal);
        for (int i = 0; i < inputs.Length; i++)
        {
            if (inputs[i] is { } value)
            {
                values.Add(names[i], value);
            }
        }

        return [.. model.Evaluate(values)];
    }

    /// <summary>Managed bytes that ten calls allocate on this thread, behind three that warm them up.</summary>
    public static long AllocatedBy(Action call)
    {
        long before = 0;
        for (int i = -3; i < 10; i++)
        {
            before = i == 0 ? GC.GetAllocatedBytesForCurrentThread() : before;
            call();
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    public static OnnxTensor Random(int seed, params int[] dims)
    {
        var random = new Random(seed);
        return OnnxTensor.Create([.. Enumerable.Range(0, dims.Aggregate(1, (p, d) => p * d)).Select(_ => (random.NextSingle() * 2)
            - 1)], dims);
    }

    public static float[] Floats(this OnnxValue? value) => ((OnnxTensor)value!).Values<float>().ToArray();
}
