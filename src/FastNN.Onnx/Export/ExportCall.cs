using FastNN.Onnx.Model;
using FastNN.Ops;

namespace FastNN.Onnx.Export;

/// <summary>Writes a node of the engine's graph as nodes of the file.</summary>
internal delegate void ExportRule(ExportCall call);

/// <summary>One node of the engine's graph on its way into the file.</summary>
internal sealed class ExportCall(GraphExporter exporter, Node node, ExportValue[] inputs)
{
    public GraphExporter Exporter => exporter;

    public Emitter Emit => exporter.Emit;

    public long Opset => exporter.Emit.Opset;

    public Operator Op => node.Op;

    public int InputCount => inputs.Length;

    public ExportValue X => inputs[0];

    public ExportValue Input(int input) => inputs[input];

    /// <summary>What the outputs became.</summary>
    public ExportValue?[] Outputs { get; } = new ExportValue?[node.Outputs.Length];

    public TensorType Type(int output = 0) => node.Outputs[output].TensorType;

    public Value Output(int output = 0) => node.Outputs[output];

    /// <summary>Whether something reads an output.</summary>
    public bool Wants(int output) => exporter.IsUsed(node.Outputs[output]);

    /// <summary>The output, its axes as the engine has them.</summary>
    public void Plain(string name, int output = 0) => Outputs[output] = ExportValue.OfPlain(exporter, Type(output), name);

    /// <summary>The output, with channels in front.</summary>
    public void First(string name, int output = 0) => Outputs[output] = ExportValue.OfFirst(exporter, Type(output), name);

    /// <summary>The output of an operator that does not care how its input lies.</summary>
    public void Keep(Func<string, string> write) => Outputs[0] = X.Like(Type(), write(X.Either));

    /// <summary>Several inputs, brought to one form, and the output in that.</summary>
    public void Together(Func<string[], string> write)
    {
        int rank = Type().Shape.Rank;
        if (rank >= 3 && Array.Exists(inputs, input => input.IsFirst && input.Rank == rank))
        {
            First(write(Array.ConvertAll(inputs, input => input.FirstFor(rank))));
        }
        else if (Array.Find(inputs, input => input.IsFlat) is { Features: { } features } flat
            && Type().Shape == flat.Shape && Array.TrueForAll(inputs, input => input.FitsFlat(features)))
        {
            Outputs[0] = ExportValue.OfFlat(
                exporter, Type(), write(Array.ConvertAll(inputs, input => input.FlatFor(features))), features);
        }
        else
        {
            Plain(write(Array.ConvertAll(inputs, input => input.Plain)));
        }
    }

    /// <summary>What is not to be written, with the reason.</summary>
    public OnnxException Refuse(string reason) => new(
        $"ExportOnnx: {node.Op.Name} of {string.Join(", ", node.Inputs.Select(input => input.TensorType))}: {reason}.");

    public static AttributeDef Attribute(string name, long value) => Emitter.Attribute(name, value);

    public static AttributeDef Attribute(string name, float value) => Emitter.Attribute(name, value);

    public static AttributeDef Attribute(string name, string value) => Emitter.Attribute(name, value);

    public static AttributeDef Attribute(string name, IEnumerable<long> values) => Emitter.Attribute(name, values);
}
