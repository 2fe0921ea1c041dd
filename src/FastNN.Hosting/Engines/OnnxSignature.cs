using FastNN.Onnx;
using FastNN.Onnx.Model;

namespace FastNN.Hosting;

/// <summary>What an ONNX file says of its inputs and outputs, as the protocol has it.</summary>
/// <param name="Places">Which of the file's inputs are a caller's: those without a default.</param>
/// <param name="Inputs">Those inputs.</param>
/// <param name="Outputs">The outputs.</param>
/// <param name="IsBatchable">Whether the first extent of all of them is the same symbol.</param>
internal sealed record OnnxSignature(
    int[] Places, IReadOnlyList<ModelTensor> Inputs, IReadOnlyList<ModelTensor> Outputs, bool IsBatchable)
{
    /// <exception cref="OnnxException">An input or output is not a tensor of a type and a rank that the protocol has.</exception>
    public static OnnxSignature Of(OnnxModel model)
    {
        GraphDef graph = model.Definition.Graph!;
        int[] places = [.. Enumerable.Range(0, model.Inputs.Count).Where(i => !model.Inputs[i].HasDefault)];
        ModelTensor[] inputs = [.. places.Select(place => Describe("input", model.Inputs[place], graph.Inputs[place]))];
        ModelTensor[] outputs = [.. graph.Outputs.Select((output, i) => Describe("output", model.Outputs[i], output))];
        string?[] first = [.. places.Select(place => graph.Inputs[place]).Concat(graph.Outputs).Select(FirstSymbol)];
        bool isBatchable = inputs.Length > 0 && first[0] is not null && Array.TrueForAll(first, symbol => symbol == first[0]);
        return new OnnxSignature(places, inputs, outputs, isBatchable);
    }

    private static ModelTensor Describe(string what, OnnxValueInfo info, ValueDef value)
    {
        if (info.ElementType == OnnxElementType.Undefined || info.IsOptional
            || EngineTypes.Of(info.ElementType) is not { } type || value.Type?.Shape is not { } shape)
        {
            throw new OnnxException(
                $"{what} {info}: expected a tensor of a known rank and of a type that the Open Inference Protocol has; "
                + "write the file with shapes, or without this " + what);
        }

        return new ModelTensor(info.Name, type, [.. shape.Select(extent => extent.IsKnown ? checked((int)extent.Value) : -1)]);
    }

    private static string? FirstSymbol(ValueDef value) =>
        value.Type?.Shape is [{ IsKnown: false, Symbol: { Length: > 0 } symbol }, ..] ? symbol : null;
}
