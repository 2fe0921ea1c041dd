using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>
/// Sums over windows with weights that are products over the axes: interpolation, averages over bins and over volumes. Inputs:
/// x [N, D, H, W, C], and the table of the weights, Int32.
/// </summary>
/// <param name="Operation">What it is for its user.</param>
internal sealed record WindowSumOp(string Operation, BandAxis Depth, BandAxis Vertical, BandAxis Horizontal) : Operator
{
    public override string Name => Operation;

    public override bool IsDifferentiable(int input) => input == 0;

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => input == 1;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs) =>
        [new TensorType(BandRules.Require(this, inputs, Depth, Vertical, Horizontal).OutputShape)];

    public override object Bind(TensorType[] inputs, TensorType[] outputs) =>
        BandRules.Require(this, inputs, Depth, Vertical, Horizontal);

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Windows.WindowSum(
            (WindowBands)tensors.Bound!, tensors.Inputs[0], tensors.Inputs[1], tensors.Output, accumulate: false);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.Windows.WindowSum(
            ((WindowBands)tensors.Bound!).Transposed, tensors.OutputGradient!, tensors.Inputs[1], tensors.InputGradients[0]!,
            tensors.Accumulate[0]);
}

/// <summary>What operators over bands require.</summary>
internal static class BandRules
{
    /// <summary>The geometry for these inputs.</summary>
    /// <exception cref="ShapeException">They do not fit the axes.</exception>
    public static WindowBands Require(
        Operator op, ReadOnlySpan<TensorType> inputs, BandAxis depth, BandAxis vertical, BandAxis horizontal)
    {
        if (inputs is not [{ Type: DType.Float32, Shape.Rank: 5 }, { Type: DType.Int32 }]
            || inputs[0].Shape[1] != depth.Input || inputs[0].Shape[2] != vertical.Input
            || inputs[0].Shape[3] != horizontal.Input)
        {
            throw new ShapeException(
                $"{op.Name}: expected a Float32 input [N, {depth.Input}, {vertical.Input}, {horizontal.Input}, C] and its table, " +
                $"got {string.Join(", ", inputs.ToArray())}.");
        }

        return new WindowBands(inputs[0].Shape[0], inputs[0].Shape[4], depth, vertical, horizontal);
    }
}
