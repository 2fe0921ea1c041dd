using FastNN.Onnx;
using FastNN.Onnx.Model;

namespace FastNN.Hosting.Tests.Models;

/// <summary>ONNX files of one operator.</summary>
internal static class OnnxFiles
{
    /// <summary>Writes a file whose inputs and output have one type and shape; an extent that is no number is open.</summary>
    public static void Write(
        string path, (string Operator, string[] Inputs, string Output) node, OnnxElementType type, string[] dims)
    {
        ModelDef definition = Define(
            new NodeDef { Operator = node.Operator, Inputs = [.. node.Inputs], Outputs = [node.Output] });
        definition.Graph!.Inputs.AddRange(node.Inputs.Select(name => Value(name, type, dims)));
        definition.Graph.Outputs.Add(Value(node.Output, type, dims));
        Save(path, definition);
    }

    /// <summary>A model of one operator, without inputs and outputs.</summary>
    public static ModelDef Define(NodeDef node) => new()
    {
        IrVersion = 10,
        Producer = "tests",
        Opsets = { [""] = 20 },
        Graph = new GraphDef { Name = "graph", Nodes = [node] },
    };

    /// <summary>An input or output.</summary>
    public static ValueDef Value(string name, OnnxElementType type, string[] dims) => new()
    {
        Name = name,
        Type = new TypeDef
        {
            Element = type,
            Shape = [.. dims.Select(extent => int.TryParse(extent, out int number)
                ? new DimensionDef(number, null)
                : new DimensionDef(-1, extent))],
        },
    };

    /// <summary>Writes a model.</summary>
    public static void Save(string path, ModelDef definition) =>
        File.WriteAllBytes(path, ModelStorage.ToBytes(definition, "test").ToArray());
}
