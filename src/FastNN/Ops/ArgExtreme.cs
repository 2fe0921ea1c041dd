using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// The place of the largest or smallest element along one axis, the first of equal ones; NaN is both. Output Int64, without a
/// gradient.
/// </summary>
/// <param name="Largest">Or smallest.</param>
/// <param name="Axis">From the end: -1 is the last.</param>
/// <param name="KeepDims">Keep the axis with extent 1.</param>
internal sealed record ArgExtremeOp(bool Largest, int Axis, bool KeepDims) : Operator
{
    public override string Name => Largest ? "ArgMax" : "ArgMin";

    public override bool IsDifferentiable(int input) => false;

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) =>
        inputs[0].Shape.NormalizeAxis(Axis) > 0;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        int axis = x.NormalizeAxis(Axis, Name);
        return x[axis] != 0
            ? [new TensorType(Without(x, axis), DType.Int64)]
            : throw new ShapeException($"{Name}: expected at least one element along axis {axis}, got {x}.");
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape x = inputs[0].Shape;
        int axis = x.NormalizeAxis(Axis);
        return new Sizes(new ReduceGeometry(x, 1 << axis), x[axis], Tensor.Index(x.Product(axis + 1, x.Rank)));
    }

    // The extremes themselves.
    public override TensorType[] SavedTensors(NodeTypes types, bool training) => [types.Outputs[0] with { Type = DType.Float32 }];

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        var sizes = (Sizes)tensors.Bound!;
        (Tensor x, Tensor extreme) = (tensors.Inputs[0], tensors.SavedTensors[0]);
        FoldFunction fold = Largest ? FoldFunction.Of<LargestFold>() : FoldFunction.Of<SmallestFold>();
        kernels.Reductions.Fold(fold, x, null, extreme, sizes.Geometry, 1, root: false);
        kernels.Reductions.FirstEqual(x, extreme, tensors.Output, sizes.Terms, sizes.Inner);
    }

    private Shape Without(Shape x, int axis) =>
        KeepDims ? [.. x[..axis], 1, .. x[(axis + 1)..]] : [.. x[..axis], .. x[(axis + 1)..]];

    private sealed record Sizes(ReduceGeometry Geometry, int Terms, int Inner);
}
