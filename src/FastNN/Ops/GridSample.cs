using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>An image at given places. Inputs: x [N, H, W, C] and grid [N, OH, OW, 2]; output [N, OH, OW, C].</summary>
/// <param name="IsNearest">The nearest pixel instead of a mean of four.</param>
/// <param name="Padding">What lies outside.</param>
/// <param name="AlignCorners">-1 and 1 are centers of pixels, not their edges.</param>
internal sealed record GridSampleOp(bool IsNearest, GridPadding Padding, bool AlignCorners) : Operator
{
    public override string Name => "GridSample";

    // dX needs the grid, dGrid both; nothing flows to the grid from the nearest pixel.
    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => input == 1 || wanted[1];

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 2, 2);
        (Shape x, Shape grid) = (inputs[0].Shape, inputs[1].Shape);
        if (x.Rank != 4 || grid.Rank != 4 || grid[3] != 2 || x[0] != grid[0])
        {
            throw new ShapeException(
                $"{Name}: expected an input [N, H, W, C] and a grid [N, OH, OW, 2] of the same N, got {x} and {grid}.");
        }

        return x[1] > 0 && x[2] > 0 && x[3] > 0 && grid[1] > 0 && grid[2] > 0
            ? [new TensorType([x[0], grid[1], grid[2], x[3]])]
            : throw new ShapeException($"{Name}: expected an image and a grid with at least one pixel, got {x} and {grid}.");
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        (Shape x, Shape grid) = (inputs[0].Shape, inputs[1].Shape);
        return new GridSampleGeometry(x[0], x[1], x[2], x[3], grid[1], grid[2], IsNearest, Padding, AlignCorners);
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Windows.GridSampleForward(
            (GridSampleGeometry)tensors.Bound!, tensors.Inputs[0], tensors.Inputs[1], tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        var geometry = (GridSampleGeometry)tensors.Bound!;
        if (tensors.InputGradients[1] is { } dGrid)
        {
            kernels.Windows.GridSampleBackwardGrid(
                geometry, tensors.OutputGradient!, tensors.Inputs[0], tensors.Inputs[1], dGrid, tensors.Accumulate[1]);
        }

        if (tensors.InputGradients[0] is { } dX)
        {
            kernels.Windows.GridSampleBackwardInput(
                geometry, tensors.OutputGradient!, tensors.Inputs[1], dX, tensors.Accumulate[0]);
        }
    }
}
