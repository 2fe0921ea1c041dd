using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>y [] = l1 * sum |x| + l2 * sum x^2: a penalty on a parameter, added to the loss (Keras' L1L2).</summary>
internal sealed class PenaltyOp(float l1, float l2) : Operator
{
    public override string Name => "Penalty";

    public override bool BackwardReadsInput(int index) => true;

    public override Shape InferShape(ReadOnlySpan<Shape> inputs)
    {
        RequireInputs(inputs, 1, 1);
        return default;
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.PenaltyForward(tensors.Inputs[0], l1, l2, tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.PenaltyBackward(tensors.Inputs[0], l1, l2, tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);
}
