using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>The input repeated along axes of extent 1, and along new ones in front, as broadcasting does.</summary>
/// <param name="Shape">That of the output.</param>
internal sealed record ExpandOp(Shape Shape) : Operator
{
    public override string Name => "Expand";

    // Where the last axis keeps its extent.
    public override bool KeepsFeatures(int input) => true;

    public override Operator Resolve(SymbolValues symbols) => new ExpandOp(symbols.Resolve(Shape));

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        bool fits = x.Rank <= Shape.Rank;
        for (int i = 1; fits && i <= x.Rank; i++)
        {
            fits = x[-i] == 1 || x[-i] == Shape[-i];
        }

        return fits
            ? [inputs[0] with { Shape = Shape }]
            : throw new ShapeException(
                $"{Name}: expected a shape that {x} broadcasts to (its extents, or any where it has 1, and axes in front), got {Shape}.");
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        (Shape x, Shape y) = (inputs[0].Shape, outputs[0].Shape);
        var axes = new (int Extent, long X, long Y)[y.Rank];
        for (int i = 0; i < axes.Length; i++)
        {
            int at = i - y.Rank + x.Rank;
            axes[i] = (y[i], at < 0 || x[at] == 1 ? 0 : x.Product(at + 1, x.Rank), y.Product(i + 1, y.Rank));
        }

        int repeated = 0;
        for (int i = 0; i < axes.Length; i++)
        {
            repeated |= axes[i].X == 0 && y[i] != 1 ? 1 << i : 0;
        }

        return new Repetition(StridedCopy.Of(0, 0, axes), new ReduceGeometry(y, repeated));
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Indexing.Rearrange(
            tensors.Inputs[0], tensors.Output, ((Repetition)tensors.Bound!).Copy, accumulate: false);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        (Tensor dY, Tensor dX) = (tensors.OutputGradient!, tensors.InputGradients[0]!);
        if (dX.Count == dY.Count)
        {
            kernels.Memory.Copy(dY, dX, tensors.Accumulate[0]);
        }
        else if (tensors.Accumulate[0])
        {
            kernels.Elements.SumRepeated(dY, dX, accumulate: true);
        }
        else
        {
            kernels.Reductions.Fold(
                FoldFunction.Of<SumFold>(), dY, null, dX, ((Repetition)tensors.Bound!).Sum, scale: 1, root: false);
        }
    }

    private sealed record Repetition(StridedCopy Copy, ReduceGeometry Sum);
}
