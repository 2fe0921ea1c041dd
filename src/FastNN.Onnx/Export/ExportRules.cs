using FastNN.Ops;

namespace FastNN.Onnx.Export;

/// <summary>How each of the engine's operators is written, or why it is not.</summary>
internal static class ExportRules
{
    private const string Training = "it belongs to training; record the model for inference";
    private const string Planned = "the compiler puts it into plans; recorded graphs do not have it";

    private static readonly Dictionary<Type, ExportRule> Table = new()
    {
        [typeof(ActivationOp)] = call => call.Keep(x => FunctionExports.Write(call.Emit, ((ActivationOp)call.Op).Activation, x)),
        [typeof(BinaryOp)] = BinaryExports.Write,
        [typeof(WhereOp)] = BinaryExports.Where,
        [typeof(CastOp)] = call => call.Keep(x => call.Emit.Cast(x, (OnnxElementType)call.Type().Type.Traits().Onnx)),
        [typeof(StopGradientOp)] = Identity,

        [typeof(ReshapeOp)] = ViewExports.Write,
        [typeof(FlattenOp)] = ViewExports.Write,
        [typeof(FoldOp)] = ViewExports.Write,
        [typeof(PermuteOp)] = ViewExports.Permute,
        [typeof(ExpandOp)] = call => call.Plain(call.Emit.Op("Expand", call.X.Plain, call.Exporter.Extents(call.Type().Shape))),
        [typeof(ConcatOp)] = PieceExports.Concat,
        [typeof(SplitOp)] = PieceExports.Split,
        [typeof(SliceOp)] = PieceExports.Slice,
        [typeof(FlipOp)] = PieceExports.Flip,
        [typeof(RollOp)] = PieceExports.Roll,
        [typeof(PadOp)] = PieceExports.Pad,
        [typeof(DiagonalOp)] = PieceExports.Diagonal,
        [typeof(TriluOp)] = PieceExports.Trilu,

        [typeof(GatherOp)] = IndexExports.Gather,
        [typeof(IndexSelectOp)] = IndexExports.Select,
        [typeof(EmbeddingOp)] = IndexExports.Embedding,
        [typeof(ScatterOp)] = IndexExports.Scatter,
        [typeof(OneHotOp)] = IndexExports.OneHot,
        [typeof(SortOp)] = IndexExports.Sort,
        [typeof(ArgExtremeOp)] = ReduceExports.Arg,
        [typeof(ReduceOp)] = ReduceExports.Write,
        [typeof(ReduceIntegersOp)] = ReduceExports.Integers,
        [typeof(ScanOp)] = ReduceExports.Scan,
        [typeof(SoftmaxOp)] = ReduceExports.Softmax,

        [typeof(DenseOp)] = ProductExports.Dense,
        [typeof(MatMulOp)] = ProductExports.MatMul,
        [typeof(SparseOp)] = ProductExports.Sparse,
        [typeof(ConvolutionOp)] = ConvolutionExports.Write,
        [typeof(ConvTransposeOp)] = ConvolutionExports.Transposed,
        [typeof(UnfoldOp)] = ConvolutionExports.Unfold,
        [typeof(FoldWindowsOp)] = ConvolutionExports.Fold,
        [typeof(MaxPool2DOp)] = PoolingExports.Max,
        [typeof(AvgPool2DOp)] = PoolingExports.Average,
        [typeof(WindowSumOp)] = BandExports.Sum,
        [typeof(WindowMaxOp)] = BandExports.Max,
        [typeof(GridSampleOp)] = PoolingExports.GridSample,

        [typeof(BatchNormOp)] = NormalizationExports.Batch,
        [typeof(GroupNormOp)] = NormalizationExports.Group,
        [typeof(LayerNormOp)] = NormalizationExports.Layer,
        [typeof(RmsNormOp)] = NormalizationExports.Rms,
        [typeof(RecurrenceOp)] = RecurrenceExports.Write,
        [typeof(ScaledDotProductOp)] = AttentionExports.Write,
        [typeof(RotaryOp)] = RotaryExports.Write,
    };

    private static readonly Dictionary<string, string> Reasons = new(StringComparer.Ordinal)
    {
        [nameof(CrossEntropyOp)] = Training,
        [nameof(CtcOp)] = Training,
        [nameof(ElementLossOp)] = Training,
        [nameof(PenaltyOp)] = Training,
        [nameof(DropoutOp)] = Training,
        [nameof(BiasActivationOp)] = Planned,
        [nameof(ConvolutionMaxPoolOp)] = Planned,
        [nameof(ConvolutionDepthwiseOp)] = Planned,
        [nameof(ResidualNormOp)] = Planned,
        [nameof(TransposeFiltersOp)] = Planned,
        ["EmptyPass"] = Planned,
        ["ForwardAgain"] = Planned,
        [nameof(CustomOp)] = "an operator that users wrote has no definition in ONNX",
    };

    /// <summary>How an operator is written; null where it is not.</summary>
    public static ExportRule? Find(Operator op) => Table.GetValueOrDefault(op.GetType());

    /// <summary>Why a kind of operator is not written; null where it is, or nobody said.</summary>
    public static string? Reason(Type op) => Reasons.GetValueOrDefault(op.Name);

    /// <summary>Whether a kind of operator is written.</summary>
    public static bool Has(Type op) => Table.ContainsKey(op);

    /// <summary>Whether an input is a weight, which the file lays out in an order of its own.</summary>
    public static bool IsWeight(Operator op, int input) => op switch
    {
        ConvolutionOp or ConvTransposeOp or DenseOp or BatchNormOp or GroupNormOp or LayerNormOp or RmsNormOp => input > 0,
        RecurrenceOp recurrence => input is 1 or 2 || (recurrence.HasBias && input is 3 or 4),
        SparseOp => input != 1,
        WindowSumOp or WindowMaxOp or RotaryOp => input == 1,
        _ => false,
    };

    /// <summary>Fails for the first node that cannot be written.</summary>
    /// <exception cref="OnnxException">There is one; the message names the operator.</exception>
    public static void Require(IEnumerable<Node> nodes)
    {
        foreach (Node node in nodes)
        {
            if (Find(node.Op) is null)
            {
                throw new OnnxException(
                    $"ExportOnnx: {node.Op.Name} of {string.Join(", ", node.Inputs.Select(input => input.TensorType))} "
                    + $"has no form in ONNX: {Reason(node.Op.GetType()) ?? "no rule writes it"}.");
            }
        }
    }

    private static void Identity(ExportCall call) => call.Outputs[0] = call.X;
}
