using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>Axes walked backwards, any number of them in one pass.</summary>
/// <param name="Axes">From the end: -1 is the last; each once.</param>
internal sealed record FlipOp(Sizes Axes) : PickOp
{
    public override string Name => "Flip";

    public override bool KeepsFeatures(int input) => !Axes.Items.Contains(-1);

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 1, 1);
        return [inputs[0]];
    }

    protected override (long First, (int Extent, long X, long Y)[] Axes) Places(Shape x, Shape y)
    {
        long first = 0;
        (int Extent, long X, long Y)[] axes = Along(x, y);
        foreach (int axis in Axes.Items)
        {
            int at = x.NormalizeAxis(axis);
            first += Math.Max(0, x[at] - 1) * axes[at].X;
            axes[at].X = -axes[at].X;
        }

        return (first, axes);
    }
}

/// <summary>The elements [i, i + Offset] of two axes as one axis, the last.</summary>
/// <param name="Offset">Above the main diagonal, or below where negative.</param>
/// <param name="Axis1">Of the rows, from the end.</param>
/// <param name="Axis2">Of the columns, from the end.</param>
internal sealed record DiagonalOp(int Offset, int Axis1, int Axis2) : PickOp
{
    public override string Name => "Diagonal";

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        (int rows, int columns) = (x[Axis1], x[Axis2]);
        long length = Offset >= 0 ? Math.Min(rows, columns - (long)Offset) : Math.Min(rows + (long)Offset, columns);
        var others = new List<int>();
        for (int axis = 0; axis < x.Rank; axis++)
        {
            if (axis != x.NormalizeAxis(Axis1) && axis != x.NormalizeAxis(Axis2))
            {
                others.Add(x[axis]);
            }
        }

        return [inputs[0] with { Shape = new Shape([.. others, (int)Math.Max(0, length)]) }];
    }

    protected override (long First, (int Extent, long X, long Y)[] Axes) Places(Shape x, Shape y)
    {
        (int row, int column) = (x.NormalizeAxis(Axis1), x.NormalizeAxis(Axis2));
        long rowStride = x.Product(row + 1, x.Rank), columnStride = x.Product(column + 1, x.Rank);
        var axes = new (int Extent, long X, long Y)[y.Rank];
        int next = 0;
        for (int axis = 0; axis < x.Rank; axis++)
        {
            if (axis != row && axis != column)
            {
                axes[next] = (y[next], x.Product(axis + 1, x.Rank), y.Product(next + 1, y.Rank));
                next++;
            }
        }

        axes[next] = (y[next], rowStride + columnStride, 1);
        return (Offset >= 0 ? Offset * columnStride : -(long)Offset * rowStride, axes);
    }
}

/// <summary>
/// Elements moved along axes, those that leave at one end enter at the other: two copies for each axis that is rolled, together
/// one pass.
/// </summary>
/// <param name="Shifts">Places along each axis; negative towards the front.</param>
/// <param name="Axes">From the end: -1 is the last; each once.</param>
internal sealed record RollOp(Sizes Shifts, Sizes Axes) : Operator
{
    public override string Name => "Roll";

    public override bool KeepsFeatures(int input) => !Axes.Items.Contains(-1);

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 1, 1);
        return [inputs[0]];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape x = inputs[0].Shape;
        var pieces = new List<(long From, long To, int[] Extents)> { (0, 0, x.ToArray()) };
        for (int i = 0; i < Axes.Items.Length; i++)
        {
            int at = x.NormalizeAxis(Axes.Items[i]), extent = x[at];
            long stride = x.Product(at + 1, x.Rank);
            int shift = extent == 0 ? 0 : (int)((((long)Shifts.Items[i] % extent) + extent) % extent);
            if (shift != 0)
            {
                pieces = [.. pieces.SelectMany(piece => new[]
                {
                    (piece.From, piece.To + (shift * stride), With(piece.Extents, at, extent - shift)),
                    (piece.From + ((extent - shift) * stride), piece.To, With(piece.Extents, at, shift)),
                })];
            }
        }

        long[] strides = [.. Enumerable.Range(0, x.Rank).Select(axis => x.Product(axis + 1, x.Rank))];
        return new Copies(
            [.. pieces.Select(piece => Copy(piece.From, piece.To, piece.Extents))],
            [.. pieces.Select(piece => Copy(piece.To, piece.From, piece.Extents))]);

        StridedCopy Copy(long from, long to, int[] extents) => StridedCopy.Of(
            from, to, [.. extents.Select((extent, axis) => (extent, strides[axis], strides[axis]))]);

        static int[] With(int[] extents, int axis, int extent)
        {
            int[] changed = [.. extents];
            changed[axis] = extent;
            return changed;
        }
    }

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        foreach (StridedCopy piece in ((Copies)tensors.Bound!).Forward)
        {
            kernels.Indexing.Rearrange(tensors.Inputs[0], tensors.Output, piece, accumulate: false);
        }
    }

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        foreach (StridedCopy piece in ((Copies)tensors.Bound!).Backward)
        {
            kernels.Indexing.Rearrange(tensors.OutputGradient!, tensors.InputGradients[0]!, piece, tensors.Accumulate[0]);
        }
    }

    private sealed record Copies(StridedCopy[] Forward, StridedCopy[] Backward);
}
