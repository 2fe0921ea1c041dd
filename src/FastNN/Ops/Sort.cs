using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// The elements along the last axis in order, or the first so many of them; outputs are these values and, of Int32, their places.
/// </summary>
/// <param name="Kept">How many; null for all.</param>
/// <param name="Descending">The largest first.</param>
internal sealed record SortOp(int? Kept, bool Descending) : Operator
{
    public override string Name => Kept is null ? "Sort" : "TopK";

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => output == 1;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        if (x.Rank == 0)
        {
            throw new ShapeException($"{Name}: expected at least one axis, got {x}.");
        }

        int kept = Kept ?? x[-1];
        return kept >= 0 && kept <= x[-1]
            ? [new TensorType([.. x[..^1], kept]), new TensorType([.. x[..^1], kept], DType.Int32)]
            : throw new ShapeException(
                $"{Name}: expected k from 0 to {x[-1]}, the extent of the axis of {x}, got {kept}.");
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape x = inputs[0].Shape;
        return new Bound(new SortGeometry(Tensor.Index(x.Product(0, x.Rank - 1)), x[-1], outputs[0].Shape[-1], Descending));
    }

    public override long ForwardWorkspaceBytes(IPlanning planning, NodeTypes types) =>
        ((Bound)types.Bound!).Geometry.WorkspaceBytes;

    public override void Forward(IKernels kernels, NodeTensors tensors) => kernels.Indexing.Sort(
        tensors.Inputs[0], tensors.Outputs[0], tensors.Outputs[1], tensors.ForwardWorkspace,
        ((Bound)tensors.Bound!).Geometry);

    public override void Backward(IKernels kernels, NodeTensors tensors) => kernels.Indexing.SortBackward(
        tensors.Outputs[1], tensors.OutputGradient!, tensors.InputGradients[0]!, ((Bound)tensors.Bound!).Geometry,
        tensors.Accumulate[0]);

    private sealed record Bound(SortGeometry Geometry);
}
