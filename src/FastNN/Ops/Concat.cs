using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>Joins tensors along one axis.</summary>
/// <param name="Axis">Negative axes count from the end.</param>
internal sealed record ConcatOp(int Axis) : Operator
{
    public override string Name => "Concat";

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) =>
        !hasExamples.Contains(false) && inputs[0].Shape.NormalizeAxis(Axis) > 0;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 1, int.MaxValue);
        for (int i = 1; i < inputs.Length; i++)
        {
            RequireType(inputs, i, inputs[0].Type);
        }

        Shape first = inputs[0].Shape;
        if (first.Rank == 0)
        {
            throw new ShapeException($"{Name}: expected inputs with an axis, got scalars; reshape them to [1].");
        }

        int at = first.NormalizeAxis(Axis, Name);
        int[] extents = first.ToArray();
        extents[at] = 0;
        foreach (TensorType input in inputs)
        {
            Shape shape = input.Shape;
            bool fits = shape.Rank == first.Rank;
            for (int j = 0; fits && j < first.Rank; j++)
            {
                fits = j == at || shape[j] == first[j];
            }

            if (!fits)
            {
                throw new ShapeException($"{Name}: expected shapes that agree outside axis {at}, got {first} and {shape}.");
            }

            extents[at] = Extent((long)extents[at] + shape[at], first);
        }

        return [inputs[0] with { Shape = new Shape(extents) }];
    }

    public override bool KeepsFeatures(int input) => true;

    public override FeatureOrder? Features(ReadOnlySpan<TensorType> inputs, ReadOnlySpan<FeatureOrder?> orders, TensorType output)
    {
        Shape y = output.Shape;
        if (y.NormalizeAxis(Axis) != y.Rank - 1)
        {
            return base.Features(inputs, orders, output);
        }

        var parts = new (int Count, FeatureOrder? Order)[inputs.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (Dim.IsSymbol(inputs[i].Shape[-1]))
            {
                return null;
            }

            parts[i] = (inputs[i].Shape[-1], orders[i]);
        }

        return FeatureOrder.Join(parts);
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape y = outputs[0].Shape;
        int at = y.NormalizeAxis(Axis);
        int[] widths = Array.ConvertAll(inputs, input => Extent(input.Shape.Product(at, y.Rank), y));
        (int rows, int total) = (Extent(y.Product(0, at), y), Extent(y.Product(at, y.Rank), y));
        return new Sizes(rows, widths, inputs[0].Type == DType.Float32 ? [] : Copies(rows, total, widths));
    }

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        var sizes = (Sizes)tensors.Bound!;
        if (sizes.Copies.Length == 0)
        {
            kernels.Indexing.ConcatForward(tensors.Inputs, sizes.Widths, tensors.Output, sizes.Rows);
        }

        for (int i = 0; i < sizes.Copies.Length; i++)
        {
            kernels.Indexing.Rearrange(tensors.Inputs[i], tensors.Output, sizes.Copies[i].Forward, accumulate: false);
        }
    }

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        var sizes = (Sizes)tensors.Bound!;
        if (sizes.Copies.Length == 0)
        {
            kernels.Indexing.ConcatBackward(
                tensors.OutputGradient!, tensors.InputGradients, sizes.Widths, sizes.Rows, tensors.Accumulate);
        }

        // Later inputs first, as there: the first place of a value joined with itself adds to what its last one wrote.
        for (int i = sizes.Copies.Length - 1; i >= 0; i--)
        {
            if (tensors.InputGradients[i] is { } gradient)
            {
                kernels.Indexing.Rearrange(tensors.OutputGradient!, gradient, sizes.Copies[i].Backward, tensors.Accumulate[i]);
            }
        }
    }

    /// <summary>What moves elements of any size, as strided copies.</summary>
    private static (StridedCopy Forward, StridedCopy Backward)[] Copies(int rows, int total, int[] widths)
    {
        var copies = new (StridedCopy, StridedCopy)[widths.Length];
        for (int i = 0, offset = 0; i < widths.Length; offset += widths[i++])
        {
            copies[i] = (
                StridedCopy.Of(0, offset, (rows, widths[i], total), (widths[i], 1, 1)),
                StridedCopy.Of(offset, 0, (rows, total, widths[i]), (widths[i], 1, 1)));
        }

        return copies;
    }

    private int Extent(long extent, Shape shape) => extent <= int.MaxValue
        ? (int)extent
        : throw new ShapeException(
            $"{Name}: joining along axis {Axis} of {shape} gives {extent} elements, more than {int.MaxValue}.");

    /// <param name="Rows">What lies in front of the axis.</param>
    /// <param name="Widths">Elements of a row of each input.</param>
    /// <param name="Copies">For types other than Float32, which has kernels of its own.</param>
    private sealed record Sizes(int Rows, int[] Widths, (StridedCopy Forward, StridedCopy Backward)[] Copies);
}
