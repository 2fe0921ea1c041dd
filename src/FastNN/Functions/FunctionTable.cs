namespace FastNN.Functions;

/// <summary>
/// All scalar functions, a row each. From a row follow the kernels of both devices, the fluent call, the test cases and the
/// mapping from and to PyTorch and ONNX; what is in no row does not exist. Rows are added at the end: a function's place is part
/// of compiled kernels.
/// </summary>
internal static class FunctionTable
{
    public static IReadOnlyList<UnaryFunction> Unary { get; } = TableRow.Number<UnaryFunction>(
    [
        UnaryFunction.Of<Relu>(),
        UnaryFunction.Of<LeakyRelu>(),
        UnaryFunction.Of<Sigmoid>(),
        UnaryFunction.Of<Tanh>(),
        UnaryFunction.Of<Gelu>(),
        UnaryFunction.Of<GeluTanh>(),
        UnaryFunction.Of<Exp>(),
        UnaryFunction.Of<Log>(),
        UnaryFunction.Of<Expm1>(),
        UnaryFunction.Of<Log1p>(),
        UnaryFunction.Of<Sqrt>(),
        UnaryFunction.Of<Rsqrt>(),
        UnaryFunction.Of<Square>(),
        UnaryFunction.Of<Reciprocal>(),
        UnaryFunction.Of<Abs>(),
        UnaryFunction.Of<Negate>(),
        UnaryFunction.Of<Sign>(),
        UnaryFunction.Of<Sin>(),
        UnaryFunction.Of<Cos>(),
        UnaryFunction.Of<Elu>(),
        UnaryFunction.Of<Celu>(),
        UnaryFunction.Of<Selu>(),
        UnaryFunction.Of<Softplus>(),
        UnaryFunction.Of<Softsign>(),
        UnaryFunction.Of<LogSigmoid>(),
        UnaryFunction.Of<SiLU>(),
        UnaryFunction.Of<Mish>(),
        UnaryFunction.Of<ReLU6>(),
        UnaryFunction.Of<HardTanh>(),
        UnaryFunction.Of<HardSigmoid>(),
        UnaryFunction.Of<HardSwish>(),
        UnaryFunction.Of<Clamp>(),
        UnaryFunction.Of<Round>(),
        UnaryFunction.Of<Floor>(),
        UnaryFunction.Of<Ceiling>(),
        UnaryFunction.Of<Log2>(),
        UnaryFunction.Of<Log10>(),
        UnaryFunction.Of<Sinh>(),
        UnaryFunction.Of<Cosh>(),
        UnaryFunction.Of<Tan>(),
        UnaryFunction.Of<Atan>(),
        UnaryFunction.Of<Erf>(),
        UnaryFunction.Of<Threshold>(),
    ]);

    /// <summary>Losses of single elements.</summary>
    public static IReadOnlyList<LossFunction> Losses { get; } = TableRow.Number<LossFunction>(
    [
        LossFunction.Of<SquaredError>(),
        LossFunction.Of<ProbabilityLoss>(),
        LossFunction.Of<LogitLoss>(),
        LossFunction.Of<WeightedLogitLoss>(),
        LossFunction.Of<AbsoluteError>(),
        LossFunction.Of<HuberError>(),
        LossFunction.Of<SmoothAbsoluteError>(),
        LossFunction.Of<HingeError>(),
        LossFunction.Of<Divergence>(),
        LossFunction.Of<LogDivergence>(),
        LossFunction.Of<MarginError>(),
        LossFunction.Of<CosineError>(),
        LossFunction.Of<FocalError>(),
        LossFunction.Of<LogPoissonError>(),
        LossFunction.Of<PoissonError>(),
    ]);

    /// <summary>What reductions make of their terms.</summary>
    public static IReadOnlyList<FoldFunction> Folds { get; } = TableRow.Number<FoldFunction>(
    [
        FoldFunction.Of<SumFold>(),
        FoldFunction.Of<LargestFold>(),
        FoldFunction.Of<SmallestFold>(),
        FoldFunction.Of<AnchorFold>(),
        FoldFunction.Of<EqualFold>(),
        FoldFunction.Of<CenteredSquaresFold>(),
        FoldFunction.Of<LogOfExponentialsFold>(),
        FoldFunction.Of<MagnitudesFold>(),
        FoldFunction.Of<SquaresFold>(),
        FoldFunction.Of<ProductFold>(),
        FoldFunction.Of<NonZeroProductFold>(),
        FoldFunction.Of<ZerosFold>(),
    ]);

    /// <summary>And the gradients of the terms.</summary>
    public static IReadOnlyList<SlopeFunction> Slopes { get; } = TableRow.Number<SlopeFunction>(
    [
        SlopeFunction.Of<ScaledSlope>(),
        SlopeFunction.Of<ExtremeSlope>(),
        SlopeFunction.Of<CenteredSlope>(),
        SlopeFunction.Of<CenteredOverResultSlope>(),
        SlopeFunction.Of<ExponentialSlope>(),
        SlopeFunction.Of<SignSlope>(),
        SlopeFunction.Of<OverResultSlope>(),
        SlopeFunction.Of<ProductSlope>(),
    ]);

    /// <summary>What optimizers do to a parameter; a row for each variant of a text.</summary>
    public static IReadOnlyList<UpdateFunction> Updates { get; } = TableRow.Number<UpdateFunction>(
    [
        UpdateFunction.Of<PlainSgd>(),
        UpdateFunction.Of<MomentumSgd<No>>(),
        UpdateFunction.Of<MomentumSgd<Yes>>(),
        UpdateFunction.Of<AdamUpdate<No, No>>(),
        UpdateFunction.Of<AdamUpdate<No, Yes>>(),
        UpdateFunction.Of<AdamUpdate<Yes, No>>(),
        UpdateFunction.Of<AdamUpdate<Yes, Yes>>(),
        UpdateFunction.Of<NAdamUpdate<No>>(),
        UpdateFunction.Of<AdamaxUpdate>(),
        UpdateFunction.Of<RmsPropUpdate<No, No>>(),
        UpdateFunction.Of<RmsPropUpdate<No, Yes>>(),
        UpdateFunction.Of<RmsPropUpdate<Yes, No>>(),
        UpdateFunction.Of<RmsPropUpdate<Yes, Yes>>(),
        UpdateFunction.Of<AdagradUpdate>(),
        UpdateFunction.Of<AdadeltaUpdate>(),
        UpdateFunction.Of<NAdamUpdate<Yes>>(),
        UpdateFunction.Of<RAdamUpdate<No>>(),
        UpdateFunction.Of<RAdamUpdate<Yes>>(),
        UpdateFunction.Of<LionUpdate>(),
        UpdateFunction.Of<AverageUpdate>(),
    ]);

    public static IReadOnlyList<BinaryFunction> Binary { get; } = TableRow.Number<BinaryFunction>(
    [
        BinaryFunction.Of<Add>(),
        BinaryFunction.Of<Subtract>(),
        BinaryFunction.Of<Multiply>(),
        BinaryFunction.Of<Divide>(),
        BinaryFunction.Of<Pow>(),
        BinaryFunction.Of<Minimum>(),
        BinaryFunction.Of<Maximum>(),
        BinaryFunction.Of<Equal>(),
        BinaryFunction.Of<NotEqual>(),
        BinaryFunction.Of<Less>(),
        BinaryFunction.Of<LessOrEqual>(),
        BinaryFunction.Of<Greater>(),
        BinaryFunction.Of<GreaterOrEqual>(),
        BinaryFunction.Of<And>(),
        BinaryFunction.Of<Or>(),
        BinaryFunction.Of<Xor>(),
    ]);
}
