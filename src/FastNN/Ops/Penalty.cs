using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>y [] = l1 * sum |x| + l2 * sum x^2: a penalty on a parameter, added to the loss (Keras' L1L2).</summary>
internal sealed record PenaltyOp(float L1, float L2) : Operator
{
    public override string Name => "Penalty";

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 1, 1);
        return [default];
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Reductions.PenaltyForward(tensors.Inputs[0], L1, L2, tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.Reductions.PenaltyBackward(
            tensors.Inputs[0], L1, L2, tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);
}
