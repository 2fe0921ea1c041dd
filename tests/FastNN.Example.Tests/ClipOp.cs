using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>y = min(max(x, low), high).</summary>
/// <param name="Low">The least value.</param>
/// <param name="High">The largest value.</param>
internal sealed record ClipOp(float Low, float High) : Operator
{
    public override string Name => "Clip";

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => true;

    // x is kept for backward, so the output takes its place in inference only; the planner sees to that.
    public override bool ForwardInPlace(NodeTypes types, int input) => true;

    public override bool BackwardInPlace(NodeTypes types, int input) => true;

    public override bool KeepsFeatures(int input) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 1, 1);
        return Low <= High
            ? [inputs[0]]
            : throw new ShapeException($"{Name}: expected low <= high for {inputs[0].Shape}, got {Low} and {High}.");
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Elements.ClipForward(tensors.Inputs[0], Low, High, tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.Elements.ClipBackward(
            tensors.Inputs[0], Low, High, tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);
}
