using FastNN.Functions;
using static FastNN.Testing.CallInput;

namespace FastNN.Testing;

/// <summary>
/// A right call of every public operator: what <see cref="CallTrial"/> makes wrong in every way that it knows. A test fails
/// where a public call has no row.
/// </summary>
internal static class CallTable
{
    public static IReadOnlyList<CallRow> Rows { get; } =
        [.. Functions(), .. Shapes(), .. Reductions(), .. Windows(), .. Others()];

    private static IEnumerable<CallRow> Functions()
    {
        foreach (UnaryFunction function in FunctionTable.Unary)
        {
            yield return CallRow.Of(function.Info.Name, F(2, 3));
        }

        foreach (BinaryFunction function in FunctionTable.Binary.Where(function => !function.Info.IsOperatorOnly))
        {
            DType type = function.Info.Takes(OperandTypes.Floats) ? DType.Float32
                : function.Info.Takes(OperandTypes.Integers) ? DType.Int32 : DType.Bool;
            yield return CallRow.Of(function.Info.Name, new CallInput([2, 3], type, 1), new CallInput([3], type, 1));
        }

        yield return CallRow.Of("Add", [F(2, 3), F(3)], a => V(a[0]) + V(a[1]));
        yield return CallRow.Of("Subtract", [F(2, 3), F(2, 1)], a => V(a[0]) - V(a[1]));
        yield return CallRow.Of("Multiply", [F(2, 3), F(3)], a => V(a[0]) * V(a[1]));
        yield return CallRow.Of("Divide", [F(2, 3), F(3)], a => V(a[0]) / V(a[1]));
        yield return CallRow.Of("Negate", [F(2, 3)], a => -V(a[0]));
        yield return CallRow.Of("Not", B(2, 3));
        yield return CallRow.Of("BitwiseNot", I(2, 3));
        yield return CallRow.Of("BitwiseAnd", I(2, 3), 3);
        yield return CallRow.Of("BitwiseOr", I(2, 3), 3);
        yield return CallRow.Of("BitwiseXor", I(2, 3), 3);
        yield return CallRow.Of("ShiftLeft", I(2, 3), 3);
        yield return CallRow.Of("ShiftRight", I(2, 3), 3);
        yield return CallRow.Of("Pow", F(2, 3), 2f);
        yield return CallRow.Of("Activate", F(2, 3), Activation.ReLU);
        yield return CallRow.Of("Apply", [F(2, 3)], a => new ScaledSoftsign(0.75f, withKernels: false).Apply(V(a[0])));
        yield return CallRow.Of("ApplyAll", [F(2, 4)], a => new SplitHalves().ApplyAll(V(a[0])));
    }

    private static IEnumerable<CallRow> Shapes() =>
    [
        CallRow.Of("Cast", F(2, 3), DType.Int32),
        CallRow.Of("Chunk", F(4, 6), 3),
        CallRow.Of("Concat", [0, new[] { F(2, 3), F(4, 3) }], a => Operators.Concat(N(a[0]), Vs(a[1]))),
        CallRow.Of("Diagonal", F(3, 4)),
        CallRow.Of("Expand", [F(2, 1), new[] { 4, 2, 3 }], a => V(a[0]).Expand(Ns(a[1]))),
        CallRow.Of("Flatten", F(2, 3, 4)),
        CallRow.Of("Flatten", F(2, 3, 4), 1),
        CallRow.Of("Flip", [F(2, 3, 4), new[] { 0, -1 }], a => V(a[0]).Flip(Ns(a[1]))),
        CallRow.Of("Gather", F(3, 4), 1, I(3, 2)),
        CallRow.Of("IndexSelect", F(3, 4), 1, I(2)),
        CallRow.Of("MaskedFill", F(2, 3), B(2, 3), 1f),
        CallRow.Of("Meshgrid", [new[] { F(2), F(3) }], a => ShapeOperators.Meshgrid(Vs(a[0]))),
        CallRow.Of("OneHot", I(2, 3), 5),
        CallRow.Of("Pad", [F(2, 3), new[] { 1, 0, 1, 2 }, PadMode.Constant, 0f],
            a => V(a[0]).Pad(Ns(a[1]), (PadMode)a[2]!, (float)a[3]!)),
        CallRow.Of("Pad", [F(3, 3), new[] { 1, 0, 1, 2 }, PadMode.Reflect],
            a => V(a[0]).Pad(Ns(a[1]), (PadMode)a[2]!)),
        CallRow.Of("Permute", [F(2, 3, 4), new[] { 2, 0, 1 }], a => V(a[0]).Permute(Ns(a[1]))),
        CallRow.Of("RepeatInterleave", F(2, 3), 2, 1),
        CallRow.Of("Reshape", F(2, 6), new Shape(3, 4)),
        CallRow.Of("Roll", F(2, 3), 1, 1),
        CallRow.Of("Roll", [F(2, 3), new[] { 1, 2 }, new[] { 0, 1 }], a => V(a[0]).Roll(Ns(a[1]), Ns(a[2]))),
        CallRow.Of("Scatter", F(3, 4), 1, I(2, 2), F(2, 3)),
        CallRow.Of("ScatterAdd", F(3, 4), 1, I(2, 2), F(2, 3)),
        CallRow.Of("Slice", F(4, 6), 1, 1, 5, 2),
        CallRow.Of("Split", [F(4, 6), 1, new[] { 2, 4 }], a => V(a[0]).Split(N(a[1]), Ns(a[2]))),
        CallRow.Of("Squeeze", [F(2, 1, 3), new[] { 1 }], a => V(a[0]).Squeeze(Ns(a[1]))),
        CallRow.Of("Stack", [0, new[] { F(2, 3), F(2, 3) }], a => ShapeOperators.Stack(N(a[0]), Vs(a[1]))),
        CallRow.Of("StopGradient", F(2, 3)),
        CallRow.Of("Tile", [F(2, 3), new[] { 2, 3 }], a => V(a[0]).Tile(Ns(a[1]))),
        CallRow.Of("Transpose", F(2, 3, 4)),
        CallRow.Of("Tril", F(3, 4)),
        CallRow.Of("Triu", F(3, 4)),
        CallRow.Of("Unsqueeze", F(2, 3), 1),
        CallRow.Of("Where", B(2, 3), F(2, 1), F(3)),
        CallRow.Of("Where", B(2, 3), F(2, 1), 1f),
        CallRow.Of("Where", B(2, 3), 1f, F(2, 1)),
        CallRow.Of("Where", B(2, 3), 1f, 2f),
    ];

    private static IEnumerable<CallRow> Reductions() =>
    [
        .. new[] { "Sum", "Mean", "Max", "Min", "Prod", "Variance", "StandardDeviation", "LogSumExp", "Norm" }
            .Select(name => Reduce(name, F(2, 3, 4))),
        Reduce("Any", B(2, 3, 4)), Reduce("All", B(2, 3, 4)), Reduce("Sum", I(2, 3, 4)), Reduce("Max", I(2, 3, 4)),
        CallRow.Of("ArgMax", F(2, 3)),
        CallRow.Of("ArgMin", F(2, 3)),
        CallRow.Of("CumSum", F(2, 3)),
        CallRow.Of("CumProd", F(2, 3)),
        CallRow.Of("Sort", F(2, 3)),
        CallRow.Of("ArgSort", F(2, 3)),
        CallRow.Of("TopK", F(2, 5), 3),
        CallRow.Of("Softmax", F(2, 3)),
        CallRow.Of("LogSoftmax", F(2, 3)),
    ];

    private static CallRow Reduce(string name, CallInput x) => CallRow.Of(
        name, [x, new[] { 1, -1 }, false, 1, 2f], a =>
        {
            (Value value, int[] axes, bool keep, int correction) = (V(a[0]), Ns(a[1]), (bool)a[2]!, N(a[3]));
            return name switch
            {
                "Sum" => value.Sum(axes, keep),
                "Mean" => value.Mean(axes, keep),
                "Max" => value.Max(axes, keep),
                "Min" => value.Min(axes, keep),
                "Prod" => value.Prod(axes, keep),
                "Variance" => value.Variance(axes, keep, correction),
                "StandardDeviation" => value.StandardDeviation(axes, keep, correction),
                "LogSumExp" => value.LogSumExp(axes, keep),
                "Norm" => value.Norm((float)a[4]!, axes, keep),
                "Any" => value.Any(axes, keep),
                _ => value.All(axes, keep),
            };
        });

    private static IEnumerable<CallRow> Windows() =>
    [
        CallRow.Of("AdaptiveAvgPool1D", F(2, 7, 3), 3),
        CallRow.Of("AdaptiveAvgPool2D", F(2, 7, 5, 3), new Size2D(3, 2)),
        CallRow.Of("AdaptiveAvgPool3D", F(2, 3, 4, 5, 3), new Size3D(2, 3, 2)),
        CallRow.Of("AdaptiveMaxPool1D", F(2, 7, 3), 3),
        CallRow.Of("AdaptiveMaxPool2D", F(2, 7, 5, 3), new Size2D(3, 2)),
        CallRow.Of("AdaptiveMaxPool3D", F(2, 3, 4, 5, 3), new Size3D(2, 3, 2)),
        CallRow.Of("AdaptiveMaxPool1DWithIndices", F(2, 7, 3), 3),
        CallRow.Of("AdaptiveMaxPool2DWithIndices", F(2, 7, 5, 3), new Size2D(3, 2)),
        CallRow.Of("AdaptiveMaxPool3DWithIndices", F(2, 3, 4, 5, 3), new Size3D(2, 3, 2)),
        CallRow.Of("AvgPool1D", F(2, 8, 3), 3),
        CallRow.Of("AvgPool2D", F(2, 8, 6, 3), new Size2D(3, 2)),
        CallRow.Of("AvgPool3D", F(2, 4, 6, 5, 3), new Size3D(2, 3, 2)),
        CallRow.Of("MaxPool1D", F(2, 8, 3), 3),
        CallRow.Of("MaxPool2D", F(2, 8, 6, 3), new Size2D(3, 2)),
        CallRow.Of("MaxPool3D", F(2, 4, 6, 5, 3), new Size3D(2, 3, 2)),
        CallRow.Of("MaxPool1DWithIndices", F(2, 8, 3), 3),
        CallRow.Of("MaxPool2DWithIndices", F(2, 8, 6, 3), new Size2D(3, 2)),
        CallRow.Of("MaxPool3DWithIndices", F(2, 4, 6, 5, 3), new Size3D(2, 3, 2)),
        CallRow.Of("LpPool1D", F(2, 8, 3), 2f, 3),
        CallRow.Of("LpPool2D", F(2, 8, 6, 3), 2f, new Size2D(3, 2)),
        CallRow.Of("LpPool3D", F(2, 4, 6, 5, 3), 2f, new Size3D(2, 3, 2)),
        CallRow.Of("GlobalAvgPool1D", F(2, 8, 3)),
        CallRow.Of("GlobalAvgPool2D", F(2, 4, 8, 3)),
        CallRow.Of("GlobalAvgPool3D", F(2, 2, 3, 4, 3)),
        CallRow.Of("GlobalMaxPool1D", F(2, 8, 3)),
        CallRow.Of("GlobalMaxPool2D", F(2, 4, 8, 3)),
        CallRow.Of("GlobalMaxPool3D", F(2, 2, 3, 4, 3)),
        CallRow.Of("Conv1D", F(2, 9, 4), F(3, 2, 6), F(6), 1, default(Padding1D), 1, 2),
        CallRow.Of("Conv2D", F(2, 9, 8, 4), F(3, 2, 4, 6), F(6)),
        CallRow.Of("Conv2D", F(2, 9, 8, 4), F(3, 3, 1, 8), null, new Size2D(2, 2), Padding2D.Same, new Size2D(1, 1), 4),
        CallRow.Of("Conv3D", F(1, 4, 5, 6, 4), F(3, 2, 2, 2, 6), F(6), null, default(Padding3D), null, 2),
        CallRow.Of("ConvTranspose1D", F(2, 5, 4), F(3, 3, 4), F(6), 2, 1, 1, 1, 2),
        CallRow.Of("ConvTranspose2D", F(2, 5, 4, 4), F(3, 2, 6, 4), F(6), new Size2D(2, 2)),
        CallRow.Of("ConvTranspose3D", F(1, 3, 4, 2, 4), F(2, 3, 2, 3, 4), F(6), new Size3D(2, 2, 2), null, null, null, 2),
        CallRow.Of("Unfold", F(2, 6, 5, 3), new Size2D(3, 2)),
        CallRow.Of("Fold", F(2, 16, 18), new Size2D(6, 5), new Size2D(3, 2)),
        CallRow.Of("GridSample", F(2, 5, 4, 3), F(2, 3, 3, 2)),
        CallRow.Of("AffineGrid", F(2, 2, 3), new Size2D(3, 4)),
        CallRow.Of("Interpolate", F(2, 4, 5, 3), new Shape(7, 3)),
        CallRow.Of("InterpolateBy", [F(2, 4, 5, 3), new[] { 2.0, 1.5 }, InterpolationMode.Linear, false, false],
            a => V(a[0]).InterpolateBy((double[])a[1]!, (InterpolationMode)a[2]!, (bool)a[3]!, (bool)a[4]!)),
        CallRow.Of("PixelShuffle", F(2, 3, 4, 8), 2),
        CallRow.Of("PixelUnshuffle", F(2, 4, 6, 3), 2),
        CallRow.Of("LocalResponseNorm", F(2, 3, 4, 5), 3),
    ];

    private static IEnumerable<CallRow> Others() =>
    [
        CallRow.Of("GLU", F(2, 6)),
        CallRow.Of("GeGLU", F(2, 6)),
        CallRow.Of("ReGLU", F(2, 6)),
        CallRow.Of("SwiGLU", F(2, 6)),
        CallRow.Of("Dense", F(2, 3, 4), F(4, 5), F(5)),
        CallRow.Of("Dropout", F(2, 3), 0.25f),
        CallRow.Of("Bilinear", F(2, 3), F(2, 4), F(5, 3, 4), F(5)),
        CallRow.Of("Dot", F(3), F(3)),
        CallRow.Of("Einsum", ["bij,bjk->bik", new[] { F(2, 3, 4), F(2, 4, 5) }],
            a => ProductOperators.Einsum((string)a[0]!, Vs(a[1]))),
        CallRow.Of("MatMul", F(2, 3, 4), F(4, 5)),
        CallRow.Of("MatVec", F(3, 4), F(4)),
        CallRow.Of("SparseMatMul", F(4, 2), SparseMatrix.FromDense([1, 0, 2, 0, 0, 3, 0, 4], 2, 4)),
        CallRow.Of("Embedding", I(2, 3), F(5, 4), 2),
        CallRow.Of("EmbeddingBag", I(2, 3), F(5, 4), EmbeddingBagMode.Sum, F(2, 3)),
        CallRow.Of("BatchNorm", F(2, 3, 4), F(4), F(4), F(4), F(4)),
        CallRow.Of("GroupNorm", F(2, 3, 4), 2, F(4), F(4)),
        CallRow.Of("InstanceNorm", F(2, 3, 4), F(4), F(4)),
        CallRow.Of("LayerNorm", F(2, 3, 4), F(4), F(4)),
        CallRow.Of("RMSNorm", F(2, 3, 4), F(4)),
        CallRow.Of("ScaledDotProductAttention", F(2, 2, 3, 4), F(2, 2, 5, 4), F(2, 2, 5, 4)),
        CallRow.Of("ScaledDotProductAttention", F(2, 2, 3, 4), F(2, 2, 5, 4), F(2, 2, 5, 4), F(3, 5), CausalMask.None, 1f, 0f,
            new CallInput([2], DType.Int32, 2)),
        CallRow.Of("PackedAttention", F(2, 3, 24), 2, null, null, CausalMask.None, null, new CallInput([2], DType.Int32, 2)),
        CallRow.Of("Rotary", F(2, 3, 2, 4), 8),
        CallRow.Of("SimpleRnn", F(3, 2, 4), F(4, 5), F(5, 5), F(5), F(5), F(2, 5), new CallInput([2], DType.Int32, 2)),
        CallRow.Of("Gru", F(3, 2, 4), F(4, 15), F(5, 15), F(15), F(15), F(2, 5), new CallInput([2], DType.Int32, 2)),
        CallRow.Of("Lstm", F(3, 2, 4), F(4, 20), F(5, 20), F(20), F(20), F(2, 5), F(2, 5), new CallInput([2], DType.Int32, 2)),
        CallRow.Of("BinaryCrossEntropyLoss", F(3, 4), F(3, 4), F(4), F(4), true),
        CallRow.Of("CosineEmbeddingLoss", F(3, 4), F(3, 4), F(3)),
        CallRow.Of("CtcLoss", F(5, 2, 4), new CallInput([2, 2], DType.Int32, 1), new CallInput([2], DType.Int32, 4),
            new CallInput([2], DType.Int32, 1)),
        CallRow.Of("DiceLoss", F(3, 4), F(3, 4)),
        CallRow.Of("GaussianLoss", F(3, 4), F(3, 4), F(3, 4)),
        CallRow.Of("InfoNCELoss", F(3, 4), F(3, 4)),
        CallRow.Of("MarginRankingLoss", F(3, 4), F(3, 4), F(3, 4)),
        CallRow.Of("MultiMarginLoss", F(3, 4), I(3)),
        CallRow.Of("TripletMarginLoss", F(3, 4), F(3, 4), F(3, 4)),
    ];

    private static Value V(object? argument) => (Value)argument!;

    private static Value[] Vs(object? argument) => (Value[])argument!;

    private static int N(object? argument) => (int)argument!;

    private static int[] Ns(object? argument) => (int[])argument!;
}
