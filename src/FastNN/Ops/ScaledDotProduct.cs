using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>How the heads lie in the operands of an attention.</summary>
internal enum AttentionLayout
{
    /// <summary>[B, H, T, D].</summary>
    HeadsFirst,

    /// <summary>[B, T, H, D].</summary>
    HeadsLast,

    /// <summary>Queries, keys and values of a position in one row: [B, T, H D + 2 KeyHeads D].</summary>
    Packed,
}

/// <summary>
/// y = softmax(scale query key^T + mask) value. Inputs: query, key and value, or all of them packed; then the mask and the number
/// of valid keys, where there are any.
/// </summary>
/// <param name="Layout">Of operands and output.</param>
/// <param name="Heads">Of packed operands, else 0.</param>
/// <param name="KeyHeads">Likewise.</param>
/// <param name="Scale">Null: 1 / sqrt(D).</param>
/// <param name="Causal">Which keys a query sees by its place.</param>
/// <param name="HasMask">A mask follows, Bool or Float32, that broadcasts to [B, H, Tq, Tk].</param>
/// <param name="HasLengths">The number of valid keys follows, Int32 [1] or [B].</param>
internal sealed record ScaledDotProductOp(
    AttentionLayout Layout, int Heads, int KeyHeads, float? Scale, CausalMask Causal, bool HasMask, bool HasLengths) : Operator
{
    /// <summary>The widest row of a head: a block of keys and values of that width fits the CPU's scratch memory.</summary>
    private const int MaxWidth = 2048;

    public override string Name => "ScaledDotProductAttention";

    private int Operands => Layout == AttentionLayout.Packed ? 1 : 3;

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) =>
        input >= Operands || input != 2 || wanted[0] || wanted[1];

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => NeedsProducts(wanted);

    public override bool IsDifferentiable(int input) => input < Operands;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        int count = Operands + (HasMask ? 1 : 0) + (HasLengths ? 1 : 0);
        RequireInputs(inputs, count, count);
        for (int i = 0; i < Operands; i++)
        {
            RequireType(inputs, i, DType.Float32);
        }

        if (Scale is { } scale && !float.IsFinite(scale))
        {
            throw new ShapeException($"{Name}: expected a finite scale, got {scale}.");
        }

        AttentionGeometry geometry = Geometry(inputs);
        if (geometry.Width is < 1 or > MaxWidth || geometry.ValueWidth is < 1 or > MaxWidth)
        {
            throw new ShapeException(
                $"{Name}: expected heads of width 1 to {MaxWidth}, got {geometry.Width} for queries and {geometry.ValueWidth} for values.");
        }

        if (HasLengths)
        {
            TensorType lengths = inputs[^1];
            if (lengths.Type != DType.Int32 || lengths.Shape.Rank != 1
                || (lengths.Shape[0] != 1 && lengths.Shape[0] != geometry.Batch))
            {
                throw new ShapeException(
                    $"{Name}: expected the number of valid keys as Int32 [1] or [{geometry.Batch}], got {lengths}.");
            }
        }

        (int batch, int heads, int queries) = (geometry.Batch, geometry.Heads, geometry.Queries);
        return [
            new TensorType(Layout switch
            {
                AttentionLayout.HeadsFirst => new Shape(batch, heads, queries, geometry.ValueWidth),
                AttentionLayout.HeadsLast => new Shape(batch, queries, heads, geometry.ValueWidth),
                _ => new Shape(batch, queries, heads * geometry.ValueWidth),
            })];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs) => Geometry(inputs);

    public override TensorType[] SavedTensors(NodeTypes types, bool training) => training ? [Statistics(types)] : [];

    public override TensorType[] BackwardScratch(NodeTypes types, ReadOnlySpan<bool> wanted) =>
        NeedsProducts(wanted) ? [Statistics(types)] : [];

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        if (tensors.Output.Count > 0)
        {
            kernels.Attention.AttentionForward(
                (AttentionGeometry)tensors.Bound!, OperandsOf(tensors), tensors.Output,
                tensors.SavedTensors is [{ } logSums] ? logSums : null);
        }
    }

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        Tensor? Gradient(int operand) => tensors.InputGradients[Math.Min(operand, Operands - 1)];
        bool Accumulate(int operand) => tensors.Accumulate[Math.Min(operand, Operands - 1)];
        kernels.Attention.AttentionBackward(
            (AttentionGeometry)tensors.Bound!, OperandsOf(tensors), tensors.Output, tensors.OutputGradient!,
            tensors.SavedTensors[0], tensors.BackwardScratch is [{ } products] ? products : null,
            new AttentionGradients(
                Gradient(0), Gradient(1), Gradient(2), Accumulate(0), Accumulate(1), Accumulate(2)));
    }

    private bool NeedsProducts(ReadOnlySpan<bool> wanted) => wanted[0] || (Operands > 1 && wanted[1]);

    private static TensorType Statistics(NodeTypes types)
    {
        var geometry = (AttentionGeometry)types.Bound!;
        return new TensorType(new Shape(geometry.Batch, geometry.Heads, geometry.Queries));
    }

    private AttentionOperands OperandsOf(NodeTensors tensors)
    {
        Tensor[] inputs = tensors.Inputs;
        Tensor Operand(int operand) => inputs[Math.Min(operand, Operands - 1)];
        return new AttentionOperands(
            Operand(0), Operand(1), Operand(2), HasMask ? inputs[Operands] : null, HasLengths ? inputs[^1] : null);
    }

    private AttentionGeometry Geometry(ReadOnlySpan<TensorType> inputs)
    {
        AttentionGeometry geometry = Layout == AttentionLayout.Packed ? Packed(inputs[0].Shape) : Apart(inputs);
        float scale = Scale ?? (float)(1 / Math.Sqrt(geometry.Width));
        geometry = geometry with { Scale = scale };
        return HasMask ? Masked(geometry, inputs[Operands]) : geometry;
    }

    private AttentionGeometry Apart(ReadOnlySpan<TensorType> inputs)
    {
        (Shape q, Shape k, Shape v) = (inputs[0].Shape, inputs[1].Shape, inputs[2].Shape);
        bool last = Layout == AttentionLayout.HeadsLast;
        string form = last ? "[B, T, H, D]" : "[B, H, T, D]";
        if (q.Rank != 4 || k.Rank != 4 || v.Rank != 4)
        {
            throw new ShapeException($"{Name}: expected query, key and value {form}, got {q}, {k} and {v}.");
        }

        (int head, int time) = last ? (2, 1) : (1, 2);
        if (q[0] != k[0] || k[0] != v[0] || k[time] != v[time] || k[head] != v[head] || q[3] != k[3])
        {
            throw new ShapeException(
                $"{Name}: expected query, key and value {form} of one batch, queries and keys of one width, keys and values of one length and number of heads, got {q}, {k} and {v}.");
        }

        if (k[head] == 0 || q[head] % k[head] != 0)
        {
            throw new ShapeException(
                $"{Name}: expected a number of heads of the keys that divides that of the queries, got {k[head]} and {q[head]}.");
        }

        return new AttentionGeometry(
            q[0], q[head], k[head], q[time], k[time], q[3], v[3], 0, Causal, Rows(q, q[3]), Rows(k, k[3]), Rows(v, v[3]),
            Rows(q, v[3]), MaskKind.None, default);

        HeadLayout Rows(Shape shape, int width) => last
            ? new HeadLayout(0, (long)shape[1] * shape[2] * width, width, (long)shape[2] * width)
            : new HeadLayout(0, (long)shape[1] * shape[2] * width, (long)shape[2] * width, width);
    }

    private AttentionGeometry Packed(Shape x)
    {
        if (Heads < 1 || KeyHeads < 1 || Heads % KeyHeads != 0)
        {
            throw new ShapeException(
                $"{Name}: expected a number of heads of the keys that divides that of the queries, got {KeyHeads} and {Heads}.");
        }

        int rows = Heads + (2 * KeyHeads);
        if (x.Rank != 3 || x[2] % rows != 0)
        {
            throw new ShapeException(
                $"{Name}: expected queries, keys and values as [B, T, {rows} D] for {Heads} heads and {KeyHeads} of the keys, got {x}.");
        }

        int width = x[2] / rows;
        HeadLayout Rows(int first, int row) => new((long)first * width, (long)x[1] * row, width, row);
        return new AttentionGeometry(
            x[0], Heads, KeyHeads, x[1], x[1], width, width, 0, Causal, Rows(0, x[2]), Rows(Heads, x[2]),
            Rows(Heads + KeyHeads, x[2]), Rows(0, Heads * width), MaskKind.None, default);
    }

    private AttentionGeometry Masked(AttentionGeometry geometry, TensorType mask)
    {
        if (mask.Type is not (DType.Bool or DType.Float32))
        {
            throw new ShapeException(
                $"{Name}: expected a mask of type Bool (true: may be seen) or Float32 (added to the scores), got {mask}.");
        }

        int[] extents = [geometry.Batch, geometry.Heads, geometry.Queries, geometry.Keys];
        var strides = new long[4];
        Shape shape = mask.Shape;
        for (int axis = 0; axis < 4; axis++)
        {
            int at = axis - 4 + shape.Rank;
            if (shape.Rank > 4 || (at >= 0 && shape[at] != 1 && shape[at] != extents[axis]))
            {
                throw new ShapeException(
                    $"{Name}: expected a mask that broadcasts to [batch, heads, queries, keys] = [{string.Join(", ", extents)}], got {shape}.");
            }

            strides[axis] = at < 0 || shape[at] == 1 ? 0 : shape.Product(at + 1, shape.Rank);
        }

        return geometry with
        {
            MaskKind = mask.Type == DType.Bool ? MaskKind.Allowed : MaskKind.Added,
            Mask = new MaskLayout(strides[0], strides[1], strides[2], strides[3]),
        };
    }
}
