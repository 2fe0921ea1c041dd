using static FastNN.Testing.CallInput;

namespace FastNN.Testing;

/// <summary>
/// A right use of every public loss, which <see cref="CallTrial"/> makes wrong one argument at a time. A test fails where a
/// public loss has no row.
/// </summary>
internal static class LossTable
{
    public static IReadOnlyList<CallRow> Rows { get; } =
    [
        Row<CrossEntropyLoss>(
            [], F(3, 4), I(3), ("ClassIndices", true), ("ClassWeights", new[] { 1f, 2, 3, 4 }), ("LabelSmoothing", 0.1f)),
        Row<CrossEntropyLoss>([], F(3, 4), F(3, 4), ("FromLogProbabilities", true)),
        Row<CrossEntropyLoss>([], F(3, 4), I(3), ("ClassIndices", true), ("FromProbabilities", true)),
        Row<BinaryCrossEntropyLoss>(
            [], F(3, 4), F(3, 4), ("FromLogits", true), ("PositiveWeights", new[] { 1f, 2, 3, 4 }),
            ("Weights", new[] { 1f, 2, 3, 4 })),
        Row<BinaryCrossEntropyLoss>([], F(3), F(3)),
        Row<MeanSquaredErrorLoss>([], F(3, 4), F(3, 4)),
        Row<MeanAbsoluteErrorLoss>([], F(3, 4), F(3, 4)),
        Row<HuberLoss>([], F(3, 4), F(3, 4)),
        Row<SmoothL1Loss>([], F(3, 4), F(3, 4)),
        Row<KLDivergenceLoss>([], F(3, 4), F(3, 4), ("PerExample", true)),
        Row<HingeEmbeddingLoss>([], F(3, 4), F(3, 4)),
        Row<HingeLoss>([], F(3, 4), F(3, 4)),
        Row<FocalLoss>([], F(3, 4), F(3, 4)),
        Row<MultiMarginLoss>([], F(3, 4), I(3), ("ClassWeights", new[] { 1f, 2, 3, 4 })),
        Row<DiceLoss>([], F(3, 4), F(3, 4)),
        Row<InfoNCELoss>([], F(3, 4), F(3, 4)),
        Row<PoissonLoss>([], F(3, 4), F(3, 4)),
        Row<PoissonLoss>([], F(3, 4), F(3, 4), ("FromRates", true), ("Full", true)),
        Row<GaussianLoss>([], F(3, 4), F(3, 2)),
    ];

    private static CallRow Row<T>(
        object?[] arguments, CallInput output, CallInput target, params (string Name, object? Value)[] set)
        where T : Loss => ObjectRow.Of(
            typeof(T), arguments, [output, target], (loss, a) => ((Loss)loss).Apply((Value)a[0]!, (Value)a[1]!), set);
}
