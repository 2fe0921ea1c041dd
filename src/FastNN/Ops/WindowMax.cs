using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>
/// The maximum of each window and its flat position in its plane or volume. Inputs: x [N, D, H, W, C], and the table of the
/// windows, Int32; outputs: the maxima, and Int32 positions of the same shape, which have no gradient.
/// </summary>
/// <param name="Operation">What it is for its user.</param>
internal sealed record WindowMaxOp(string Operation, BandAxis Depth, BandAxis Vertical, BandAxis Horizontal) : Operator
{
    public override string Name => Operation;

    public override bool IsDifferentiable(int input) => input == 0;

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => input == 1;

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => output == 1;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        Shape shape = BandRules.Require(this, inputs, Depth, Vertical, Horizontal).OutputShape;
        return [new TensorType(shape), new TensorType(shape, DType.Int32)];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs) =>
        BandRules.Require(this, inputs, Depth, Vertical, Horizontal);

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Windows.WindowMaxForward(
            (WindowBands)tensors.Bound!, tensors.Inputs[0], tensors.Inputs[1], tensors.Outputs[0], tensors.Outputs[1]);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.Windows.WindowMaxBackward(
            (WindowBands)tensors.Bound!, tensors.OutputGradient!, tensors.Inputs[1], tensors.Outputs[1],
            tensors.InputGradients[0]!, tensors.Accumulate[0]);
}
