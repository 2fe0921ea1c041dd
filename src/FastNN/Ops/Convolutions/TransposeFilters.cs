using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>
/// Filters [K..., C / groups, OC] as [OC, K..., C / groups], all in one launch; backward brings all their gradients back in one.
/// Recorded by the compiler alone, for devices whose library wants filters so.
/// </summary>
internal sealed record TransposeFiltersOp : Operator
{
    public override string Name => "TransposeFilters";

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 1, int.MaxValue);
        var outputs = new TensorType[inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            int[] filter = inputs[i].Shape.ToArray();
            outputs[i] = new TensorType(new Shape([filter[^1], .. filter[..^1]]));
        }

        return outputs;
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Windows.TransposeFilters(tensors.Inputs, tensors.Outputs, back: false, []);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.Windows.TransposeFilters(tensors.OutputGradients, tensors.InputGradients, back: true, tensors.Accumulate);
}
