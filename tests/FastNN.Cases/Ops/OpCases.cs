namespace FastNN.Testing;

/// <summary>What a file of one operator's cases declares.</summary>
internal interface IOpCases
{
    static abstract IEnumerable<OpCase> Cases { get; }
}

/// <summary>The cases of one operator.</summary>
/// <param name="Name">That of the operator.</param>
/// <param name="Declaration">The class that declares them.</param>
internal sealed record OpFamily(string Name, Type Declaration, Func<IEnumerable<OpCase>> Declare);

/// <summary>
/// Every case of every operator. They are listed by name, not found by reflection, so that a trimmed `fastnn selftest` has them
/// all.
/// </summary>
internal static class OpCases
{
    /// <summary>By name; a test fails where a class of cases is missing here.</summary>
    public static IReadOnlyList<OpFamily> Families { get; } =
    [
        Of<ActivationsCases>(), Of<ArgExtremeCases>(), Of<BatchNormCases>(), Of<CastCases>(), Of<ComposedCases>(),
        Of<ComposedLossCases>(), Of<ConcatCases>(), Of<Conv1DCases>(), Of<Conv2DCases>(), Of<Conv3DCases>(),
        Of<ConvTransposeCases>(), Of<CrossEntropyCases>(), Of<CtcCases>(), Of<CustomCases>(), Of<DenseCases>(),
        Of<DropoutCases>(), Of<EinsumCases>(), Of<ElementLossCases>(), Of<ElementwiseCases>(), Of<EmbeddingCases>(),
        Of<ExpandCases>(), Of<FlipCases>(), Of<FoldCases>(), Of<GatherCases>(), Of<GridSampleCases>(), Of<LayerNormCases>(),
        Of<MatMulCases>(), Of<PadCases>(), Of<PenaltyCases>(), Of<Pool2DCases>(), Of<RearrangeCases>(), Of<RecurrenceCases>(),
        Of<ReduceCases>(), Of<ReduceIntegersCases>(), Of<ReshapeCases>(), Of<RotaryCases>(), Of<ScaledDotProductCases>(),
        Of<ScanCases>(), Of<ScatterCases>(), Of<SoftmaxCases>(), Of<SortCases>(), Of<SparseCases>(),
        Of<TransposeFiltersCases>(), Of<TriluCases>(), Of<WhereCases>(), Of<WindowMaxCases>(), Of<WindowSumCases>(),
    ];

    public static IEnumerable<(string Operator, OpCase Case)> All =>
        from family in Families
        from @case in family.Declare()
        select (family.Name, @case);

    /// <summary>The first case, the (<paramref name="nth"/> + 1)th, and so on; all for 1.</summary>
    public static IEnumerable<T> Sample<T>(IEnumerable<T> cases, int nth) => cases.Where((_, i) => i % nth == 0);

    private static OpFamily Of<TCases>()
        where TCases : IOpCases => new(typeof(TCases).Name[..^"Cases".Length], typeof(TCases), () => TCases.Cases);
}
