using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>Puts the axes into another order.</summary>
/// <param name="Order">The output's axis i is the input's axis Order[i]; every axis occurs once.</param>
internal sealed record PermuteOp(Shape Order) : PickOp
{
    public override string Name => "Permute";

    public override bool KeepsFeatures(int input) => Order.Rank > 0 && Order[-1] == Order.Rank - 1;

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) => Order[0] == 0;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        int[] order = Order.ToArray();
        if (order.Length != x.Rank || !order.Order().SequenceEqual(Enumerable.Range(0, x.Rank)))
        {
            throw new ShapeException($"{Name}: expected each of the {x.Rank} axes of {x} once, got {Order}.");
        }

        return [inputs[0] with { Shape = new Shape(Array.ConvertAll(order, axis => x[axis])) }];
    }

    protected override (long First, (int Extent, long X, long Y)[] Axes) Places(Shape x, Shape y)
    {
        var axes = new (int Extent, long X, long Y)[x.Rank];
        for (int i = 0; i < axes.Length; i++)
        {
            axes[i] = (y[i], x.Product(Order[i] + 1, x.Rank), y.Product(i + 1, y.Rank));
        }

        return (0, axes);
    }
}

/// <summary>An output whose elements are each an element of the input, none of them twice, found by strides.</summary>
internal abstract record PickOp : Operator
{
    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        (long first, (int Extent, long X, long Y)[] axes) = Places(inputs[0].Shape, outputs[0].Shape);
        StridedCopy forward = StridedCopy.Of(first, 0, axes);

        // The other way round, axes that are walked backwards begin at their end, so that the destination's strides are positive.
        long from = 0;
        var back = new (int Extent, long From, long To)[axes.Length];
        for (int i = 0; i < axes.Length; i++)
        {
            (int extent, long x, long y) = axes[i];
            bool turned = x < 0 && extent > 0;
            (first, from) = turned ? (first + ((extent - 1) * x), from + ((extent - 1) * y)) : (first, from);
            back[i] = turned ? (extent, -y, -x) : (extent, y, x);
        }

        return new Copies(forward, StridedCopy.Of(from, first, back));
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Indexing.Rearrange(tensors.Inputs[0], tensors.Output, ((Copies)tensors.Bound!).Forward, accumulate: false);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        (Tensor dX, Tensor dY) = (tensors.InputGradients[0]!, tensors.OutputGradient!);
        if (IsView && dX.Address == dY.Address)
        {
            return;
        }

        if (!tensors.Accumulate[0] && dX.Count != dY.Count)
        {
            kernels.Memory.Fill(dX, 0);
        }

        kernels.Indexing.Rearrange(dY, dX, ((Copies)tensors.Bound!).Backward, tensors.Accumulate[0]);
    }

    /// <summary>The element that is the output's first, and how both tensors lie along the output's axes.</summary>
    protected abstract (long First, (int Extent, long X, long Y)[] Axes) Places(Shape x, Shape y);

    /// <summary>The output's extents with the strides of both, for shapes of the same axes.</summary>
    protected static (int Extent, long X, long Y)[] Along(Shape x, Shape y)
    {
        var axes = new (int Extent, long X, long Y)[y.Rank];
        for (int i = 0; i < axes.Length; i++)
        {
            axes[i] = (y[i], x.Product(i + 1, x.Rank), y.Product(i + 1, y.Rank));
        }

        return axes;
    }

    private sealed record Copies(StridedCopy Forward, StridedCopy Backward);
}

/// <summary>
/// Every so many elements along one axis, from start up to, not including, stop; forwards or backwards. Out-of-range bounds are
/// clamped.
/// </summary>
/// <param name="Axis">From the end: -1 is the last.</param>
/// <param name="Start">Negative: from the end of the axis.</param>
/// <param name="Stop">Likewise; int.MaxValue and int.MinValue stand for the ends.</param>
/// <param name="Step">Not 0.</param>
/// <param name="IsLeading">The axis is the first and the step 1: a view, so that neither pass moves more than a gradient.</param>
internal sealed record SliceOp(int Axis, int Start, int Stop, int Step, bool IsLeading) : PickOp
{
    /// <summary>Whether the stop, which may be a symbol, must lie inside the axis; otherwise it is clamped.</summary>
    public bool IsExact { get; init; }

    public override string Name => "Slice";

    public override bool IsView => IsLeading;

    public override Operator Resolve(SymbolValues symbols) =>
        IsExact ? this with { Stop = symbols.Resolve(new Shape(Stop))[0] } : this;

    public override long ViewOffset(NodeTypes types, int output) =>
        FirstElement(types.Inputs[0].Shape) * types.Inputs[0].Type.Size();

    // Where the last axis keeps its extent, it keeps its order unless it is walked backwards.
    public override bool KeepsFeatures(int input) => Axis != -1 || Step > 0;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        if (Step == 0)
        {
            throw new ShapeException($"{Name}: expected a step other than 0 for {x}.");
        }

        int[] extents = x.ToArray();
        // Whether an exact stop lies inside is asked with the numbers of a plan: those that stand for symbols may be any.
        extents[x.NormalizeAxis(Axis, Name)] = IsExact ? Stop : Bounds(x[Axis]).Count;
        return [inputs[0] with { Shape = new Shape(extents) }];
    }

    protected override (long First, (int Extent, long X, long Y)[] Axes) Places(Shape x, Shape y)
    {
        if (IsExact && Stop > x[Axis])
        {
            throw new ShapeException($"{Name}: expected at most {x[Axis]} of {x} along axis {Axis}, got {Stop}.");
        }

        var axes = Along(x, y);
        int at = x.NormalizeAxis(Axis);
        axes[at].X *= Step;
        return (FirstElement(x), axes);
    }

    private long FirstElement(Shape x) => Bounds(x[Axis]).First * x.Product(x.NormalizeAxis(Axis) + 1, x.Rank);

    private (int First, int Count) Bounds(int extent)
    {
        // As Python's slice.indices.
        int low = Step > 0 ? 0 : -1, high = Step > 0 ? extent : extent - 1;
        int start = Clamp(Start), stop = Clamp(Stop);
        long span = Step > 0 ? (long)stop - start : (long)start - stop;
        return (start, span <= 0 ? 0 : (int)((span + Math.Abs((long)Step) - 1) / Math.Abs((long)Step)));

        int Clamp(int bound) =>
            bound == int.MaxValue
                ? high
                : bound == int.MinValue
                ? low
                : Math.Clamp(bound < 0 ? bound + extent : bound, low, high);
    }
}

/// <summary>Parts of a tensor along one axis, each an output.</summary>
/// <param name="Axis">From the end: -1 is the last.</param>
/// <param name="Sizes">The parts' extents; they add up to the axis'.</param>
/// <param name="IsLeading">The axis is the first, so that the parts are views.</param>
internal sealed record SplitOp(int Axis, Sizes Sizes, bool IsLeading) : Operator
{
    public override string Name => "Split";

    public override bool IsView => IsLeading;

    public override bool KeepsFeatures(int input) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 1, 1);
        TensorType input = inputs[0];
        Shape x = input.Shape;
        int at = x.NormalizeAxis(Axis, Name);
        if (Sizes.Items.Any(size => size < 0) || Sizes.Items.Sum(size => (long)size) != x[at])
        {
            throw new ShapeException(
                $"{Name}: expected sizes that add up to {x[at]}, the extent of axis {at} of {x}, got {Sizes}.");
        }

        return Array.ConvertAll(Sizes.Items, size =>
        {
            int[] extents = x.ToArray();
            extents[at] = size;
            return input with { Shape = new Shape(extents) };
        });
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape x = inputs[0].Shape;
        int at = x.NormalizeAxis(Axis), rows = Tensor.Index(x.Product(0, at));
        long inner = x.Product(at + 1, x.Rank), total = x[at] * inner, offset = 0;
        var parts = new Part[outputs.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            long width = Sizes.Items[i] * inner;
            parts[i] = new Part(
                StridedCopy.Of(offset, 0, (rows, total, width), ((int)width, 1, 1)),
                StridedCopy.Of(0, offset, (rows, width, total), ((int)width, 1, 1)));
            offset += width;
        }

        return parts;
    }

    public override long ViewOffset(NodeTypes types, int output)
    {
        TensorType x = types.Inputs[0];
        return Sizes.Items.Take(output).Sum(size => (long)size) * x.Shape.Product(1, x.Shape.Rank) * x.Type.Size();
    }

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        var parts = (Part[])tensors.Bound!;
        for (int i = 0; i < parts.Length; i++)
        {
            kernels.Indexing.Rearrange(tensors.Inputs[0], tensors.Outputs[i], parts[i].Forward, accumulate: false);
        }
    }

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        var parts = (Part[])tensors.Bound!;
        Tensor dX = tensors.InputGradients[0]!;
        bool missing = Array.Exists(tensors.OutputGradients, gradient => gradient is null);
        if (missing && !tensors.Accumulate[0])
        {
            kernels.Memory.Fill(dX, 0);
        }

        for (int i = 0; i < parts.Length; i++)
        {
            if (tensors.OutputGradients[i] is { } dY && dY.Address != dX.Address)
            {
                kernels.Indexing.Rearrange(dY, dX, parts[i].Backward, tensors.Accumulate[0]);
            }
        }
    }

    private sealed record Part(StridedCopy Forward, StridedCopy Backward);
}

/// <summary>Numbers with the equality of values, for operators' attributes.</summary>
/// <param name="Items">The numbers; not to be changed.</param>
internal sealed record Sizes(params int[] Items)
{
    public bool Equals(Sizes? other) => other is not null && Items.AsSpan().SequenceEqual(other.Items);

    public override int GetHashCode() => Items.Aggregate(Items.Length, HashCode.Combine);

    public override string ToString() => $"[{string.Join(", ", Items)}]";
}
