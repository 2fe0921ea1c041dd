using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>Elements of a table along one axis, by indices of Int32 or Int64. Inputs: table, indices.</summary>
/// <param name="Axis">From the end: -1 is the last.</param>
internal abstract record ByIndexOp(int Axis) : Operator
{
    public override bool IsDifferentiable(int input) => input == 0;

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => input == 1;

    public override IndexRange? IndexRange(int input, ReadOnlySpan<TensorType> inputs) =>
        input == 1 ? new IndexRange(Name, inputs[0].Shape[Axis]) : null;

    public override bool KeepsFeatures(int input) => input == 0 && Axis != -1;

    public override void Forward(IKernels kernels, NodeTensors tensors) => kernels.Indexing.Gather(
        Name, tensors.Inputs[1], tensors.Inputs[0], tensors.Output, (IndexedAxes)tensors.Bound!, accumulate: false);

    public override void Backward(IKernels kernels, NodeTensors tensors) => Indexing.Backward(kernels, tensors, Name);
}

/// <summary>
/// Elements of the table [...] along one axis by the indices [...], one for each element of the output, as PyTorch's gather.
/// Inputs: table, indices of Int32 or Int64. The output has the indices' shape.
/// </summary>
/// <param name="Axis">From the end: -1 is the last.</param>
internal sealed record GatherOp(int Axis) : ByIndexOp(Axis)
{
    public override string Name => "Gather";

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 2, 2);
        Indexing.RequireIndices(Name, inputs[1]);
        Indexing.RequireFit(Name, "indices", inputs[1].Shape, inputs[0].Shape, Axis);
        return [inputs[0] with { Shape = inputs[1].Shape }];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs) =>
        Indexing.Along(inputs[1].Shape, inputs[0].Shape, inputs[1].Shape, Axis);
}

/// <summary>
/// Slices of the table along one axis by their numbers, as PyTorch's index_select and NumPy's take. Inputs: table, indices of
/// Int32 or Int64 of any shape, which takes the place of the axis in the output.
/// </summary>
/// <param name="Axis">From the end: -1 is the last.</param>
internal sealed record IndexSelectOp(int Axis) : ByIndexOp(Axis)
{
    public override string Name => "IndexSelect";

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 2, 2);
        Indexing.RequireIndices(Name, inputs[1]);
        Shape x = inputs[0].Shape;
        int at = x.NormalizeAxis(Axis, Name);
        return [inputs[0] with { Shape = new Shape([.. x[..at], .. inputs[1].Shape, .. x[(at + 1)..]]) }];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape x = inputs[0].Shape;
        int at = x.NormalizeAxis(Axis), terms = Tensor.Index(inputs[1].Shape.Count);
        int outer = Tensor.Index(x.Product(0, at)), inner = Tensor.Index(x.Product(at + 1, x.Rank));
        return IndexedAxes.Of(
            [
                (outer, 0, (long)x[at] * inner, (long)terms * inner), (terms, 1, inner, inner),
                (inner, 0, 1, 1)],
            1, x[at]);
    }
}

/// <summary>What operators with indices have in common.</summary>
internal static class Indexing
{
    /// <summary>Fails unless the indices are integers.</summary>
    /// <exception cref="ShapeException">They are not.</exception>
    public static void RequireIndices(string name, TensorType indices)
    {
        if (indices.Type is not (DType.Int32 or DType.Int64))
        {
            throw new ShapeException($"{name}: expected indices of type Int32 or Int64, got {indices}; cast them first.");
        }
    }

    /// <summary>Fails unless a shape has as many axes as another, and nowhere but along one of them more elements.</summary>
    /// <param name="axis">Where any extent fits; null: nowhere.</param>
    /// <exception cref="ShapeException">It does not fit.</exception>
    public static void RequireFit(string name, string what, Shape small, Shape large, int? axis)
    {
        bool fits = small.Rank == large.Rank && small.Rank > 0;
        int at = axis is { } given && large.Rank > 0 ? large.NormalizeAxis(given, name) : -1;
        for (int i = 0; fits && i < small.Rank; i++)
        {
            fits = i == at || small[i] <= large[i];
        }

        if (!fits)
        {
            string but = axis is null ? "" : $" outside axis {at}";
            throw new ShapeException(
                $"{name}: expected {what} with the axes of {large} and at most its extents{but}, got {small}.");
        }
    }

    /// <summary>How indices lie beside a table and what belongs to each of them, all with the same axes.</summary>
    public static IndexedAxes Along(Shape indices, Shape table, Shape picked, int axis)
    {
        int at = table.NormalizeAxis(axis);
        var axes = new (int Extent, long Index, long Table, long Picked)[table.Rank];
        for (int i = 0; i < axes.Length; i++)
        {
            axes[i] = (
                indices[i], indices.Product(i + 1, indices.Rank), table.Product(i + 1, table.Rank),
                picked.Product(i + 1, picked.Rank));
        }

        return IndexedAxes.Of(axes, at, table[at]);
    }

    /// <summary>The gradient of what was picked: added up where it came from.</summary>
    public static void Backward(IKernels kernels, NodeTensors tensors, string name)
    {
        Tensor dX = tensors.InputGradients[0]!;
        if (!tensors.Accumulate[0])
        {
            kernels.Memory.Fill(dX, 0);
        }

        kernels.Indexing.ScatterAdd(name, tensors.Inputs[1], tensors.OutputGradient!, dX, (IndexedAxes)tensors.Bound!);
    }
}
