using static FastNN.Testing.CallInput;

namespace FastNN.Testing;

/// <summary>
/// A right use of every public layer: its constructor, its properties and its inputs, which <see cref="CallTrial"/> makes wrong
/// one at a time. A test fails where a public layer has no row.
/// </summary>
internal static class LayerTable
{
    private static readonly CallLayer Inner = new(() => new Dense(5));

    public static IReadOnlyList<CallRow> Rows { get; } =
        [.. Products(), .. Windows(), .. Pools(), .. Shapes(), .. Norms(), .. Sequences(), .. Composed()];

    private static IEnumerable<CallRow> Products() =>
    [
        Row<Dense>([5, Activation.Tanh], [F(2, 4)]),
        Row<LowRankDense>([5, 2], [F(2, 4)]),
        Row<SparseDense>([SparseMatrix.FromDense([1, 0, 2, 0, 0, 3, 0, 4], 2, 4)], [F(3, 4)]),
        Row<Bilinear>([5], [F(2, 3), F(2, 4)]),
        Row<Embedding>([5, 3], [I(2, 4)], ("PaddingIndex", 2)),
        Row<EmbeddingBag>([5, 3, EmbeddingBagMode.Sum], [I(2, 4), F(2, 4)], ("PaddingIndex", 2)),
        Row<PReLU>([3], [F(2, 3)]),
        Row<GLU>([], [F(2, 6)]),
        Row<ActivationLayer>([Activation.ReLU], [F(2, 3)]),
    ];

    private static IEnumerable<CallRow> Windows() =>
    [
        Row<Conv1D>([6, 3], [F(2, 9, 4)], ("Groups", 2)),
        Row<Conv2D>([6, new Size2D(3, 2)], [F(2, 9, 8, 4)], ("Groups", 2)),
        Row<Conv2D>([6, 3], [F(2, 9, 8, 4)], ("Padding", Padding2D.Same), ("Stride", 2)),
        Row<Conv3D>([4, new Size3D(3, 2, 2)], [F(1, 4, 5, 6, 2)], ("Groups", 2)),
        Row<ConvTranspose1D>([6, 3], [F(2, 5, 4)], ("Groups", 2), ("Stride", 2)),
        Row<ConvTranspose2D>([6, new Size2D(3, 2)], [F(2, 5, 4, 4)], ("Groups", 2), ("Stride", 2)),
        Row<ConvTranspose3D>([4, new Size3D(2, 3, 2)], [F(1, 3, 4, 2, 2)], ("Groups", 2), ("Stride", 2)),
        Row<DepthwiseConv2D>([new Size2D(3, 2)], [F(2, 5, 6, 3)], ("Multiplier", 2)),
        Row<SeparableConv2D>([4, new Size2D(3, 2)], [F(2, 5, 6, 3)]),
        Row<Unfold>([new Size2D(3, 2)], [F(2, 6, 5, 3)]),
        Row<Fold>([new Size2D(6, 5), new Size2D(3, 2)], [F(2, 16, 18)]),
    ];

    private static IEnumerable<CallRow> Pools() =>
    [
        Row<MaxPool1D>([3], [F(2, 8, 3)]),
        Row<MaxPool2D>([new Size2D(3, 2)], [F(2, 8, 6, 3)]),
        Row<MaxPool3D>([new Size3D(2, 3, 2)], [F(2, 4, 6, 5, 3)]),
        Row<AvgPool1D>([3], [F(2, 8, 3)]),
        Row<AvgPool2D>([new Size2D(3, 2)], [F(2, 8, 6, 3)]),
        Row<AvgPool3D>([new Size3D(2, 3, 2)], [F(2, 4, 6, 5, 3)]),
        Row<LpPool1D>([2f, 3], [F(2, 8, 3)]),
        Row<LpPool2D>([2f, new Size2D(3, 2)], [F(2, 8, 6, 3)]),
        Row<LpPool3D>([2f, new Size3D(2, 3, 2)], [F(2, 4, 6, 5, 3)]),
        Row<AdaptiveAvgPool1D>([3], [F(2, 7, 3)]),
        Row<AdaptiveAvgPool2D>([new Size2D(3, 2)], [F(2, 7, 5, 3)]),
        Row<AdaptiveAvgPool3D>([new Size3D(2, 3, 2)], [F(2, 3, 4, 5, 3)]),
        Row<AdaptiveMaxPool1D>([3], [F(2, 7, 3)]),
        Row<AdaptiveMaxPool2D>([new Size2D(3, 2)], [F(2, 7, 5, 3)]),
        Row<AdaptiveMaxPool3D>([new Size3D(2, 3, 2)], [F(2, 3, 4, 5, 3)]),
        Row<GlobalAvgPool1D>([], [F(2, 8, 3)]),
        Row<GlobalAvgPool2D>([], [F(2, 4, 8, 3)]),
        Row<GlobalAvgPool3D>([], [F(2, 2, 3, 4, 3)]),
        Row<GlobalMaxPool1D>([], [F(2, 8, 3)]),
        Row<GlobalMaxPool2D>([], [F(2, 4, 8, 3)]),
        Row<GlobalMaxPool3D>([], [F(2, 2, 3, 4, 3)]),
    ];

    private static IEnumerable<CallRow> Shapes() =>
    [
        Row<Upsample>([], [F(2, 4, 5, 3)], ("Size", new Shape(7, 3))),
        Row<Upsample>([], [F(2, 4, 5, 3)], ("Scale", new[] { 2.0, 1.5 }), ("Mode", InterpolationMode.Linear)),
        Row<PixelShuffle>([2], [F(2, 3, 4, 8)]),
        Row<PixelUnshuffle>([2], [F(2, 4, 6, 3)]),
        Row<Flatten>([], [F(2, 3, 4)]),
        Row<Reshape>([new Shape(3, 4)], [F(2, 6, 2)]),
        CallRow.Of("Permute", [new[] { 2, 1 }, new[] { F(2, 3, 4) }], a => Apply(new Permute(a[0] as int[]), a[1])),
        Row<Dropout>([0.25f], [F(2, 3)]),
        Row<Softmax>([], [F(2, 3)]),
        Row<Add>([], [F(2, 3), F(2, 1)]),
        Row<Multiply>([], [F(2, 3), F(2, 1)]),
        Row<Concatenate>([1], [F(2, 3), F(2, 4)]),
    ];

    private static IEnumerable<CallRow> Norms() =>
    [
        Row<BatchNorm1D>([], [F(2, 3, 4)]),
        Row<BatchNorm2D>([], [F(2, 3, 2, 4)]),
        Row<BatchNorm3D>([], [F(2, 3, 2, 2, 4)]),
        Row<InstanceNorm1D>([], [F(2, 3, 4)], ("IsAffine", true)),
        Row<InstanceNorm2D>([], [F(2, 3, 2, 4)], ("TracksRunningStatistics", true)),
        Row<InstanceNorm3D>([], [F(2, 3, 2, 2, 4)]),
        Row<GroupNorm>([2], [F(2, 3, 4)]),
        Row<LayerNorm>([2], [F(2, 3, 4)]),
        Row<RMSNorm>([2], [F(2, 3, 4)]),
        Row<LocalResponseNorm>([3], [F(2, 3, 4, 5)]),
        Row<WeightNorm>([Inner], [F(2, 4)]),
        Row<SpectralNorm>([Inner, 2], [F(2, 4)]),
        Row<LowRankAdapter>([Inner, 2], [F(2, 4)]),
    ];

    private static IEnumerable<CallRow> Sequences() =>
    [
        Row<SimpleRnn>([5], [F(2, 3, 4), F(2, 2, 5), new([2], DType.Int32, 2)], ("LayerCount", 2), ("DropoutRate", 0.5f)),
        Row<Gru>([5], [F(2, 3, 4), F(2, 2, 5), new([2], DType.Int32, 2)], ("IsBidirectional", true)),
        Row<Lstm>([5], [F(2, 3, 4), F(2, 1, 5), F(2, 1, 5), new([2], DType.Int32, 2)], ("ReturnStates", true)),
        Row<MultiHeadAttention>([8, 2], [F(2, 3, 8)], ("RotaryPositions", 4)),
        Row<MultiHeadAttention>(
            [8, 2], [F(2, 3, 8), F(2, 5, 6), F(2, 5, 7), B(3, 5), B(2, 5)], ("HasMask", true), ("HasKeyPaddingMask", true),
            ("Dropout", 0.5f), ("GivesWeights", true)),
        Row<TransformerEncoderLayer>([8, 2, 6], [F(2, 3, 8), B(3, 3)], ("HasMask", true)),
        Row<TransformerDecoderLayer>(
            [8, 2, 6], [F(2, 3, 8), F(2, 5, 8), B(3, 3), B(2, 5)], ("HasMask", true), ("HasMemoryPaddingMask", true)),
        List(
            nameof(TransformerEncoder), [new(() => new TransformerEncoderLayer(8, 2, 6))], [F(2, 3, 8)],
            layers => new TransformerEncoder(Array.ConvertAll(layers, layer => (TransformerEncoderLayer)layer))),
        List(
            nameof(TransformerDecoder), [new(() => new TransformerDecoderLayer(8, 2, 6))], [F(2, 3, 8), F(2, 5, 8)],
            layers => new TransformerDecoder(Array.ConvertAll(layers, layer => (TransformerDecoderLayer)layer))),
        Row<SinusoidalPositions>([7], [F(2, 3, 4)]),
        Row<LearnedPositions>([7], [F(2, 3, 4)]),
        Row<RotaryEmbedding>([7], [F(2, 3, 2, 4)]),
    ];

    private static IEnumerable<CallRow> Composed() =>
    [
        List(
            nameof(Sequential), [Inner, new(() => new Softmax()), Inner], [F(2, 4)], layers => new Sequential(layers)),
        List(
            nameof(Checkpoint), [Inner, new(() => new Softmax())], [F(2, 4)], layers => new Checkpoint(layers)),
        CallRow.Of(
            nameof(Model), ["table", new Shape(4), DType.Float32, Inner, new[] { F(2, 4) }], a =>
            {
                Symbol input = Model.Input((string)a[0]!, (Shape)a[1]!, (DType)a[2]!);
                var layer = (Layer)ObjectRow.Made(a[3])!;
                return Apply(new Model(input, new Sequential(layer).Apply(input)), a[4]);
            }),
    ];

    private static CallRow Row<T>(object?[] arguments, CallInput[] inputs, params (string Name, object? Value)[] set)
        where T : Layer => ObjectRow.Of(typeof(T), arguments, [inputs], (layer, a) => Apply((Layer)layer, a[0]), set);

    /// <summary>A layer whose constructor takes a span of layers, which reflection cannot hand over.</summary>
    private static CallRow List(string name, CallLayer[] layers, CallInput[] inputs, Func<Layer[], Layer> make) => CallRow.Of(
        name, [layers, inputs], a => Apply(make((Layer[])ObjectRow.Made(a[0])!), a[1]));

    private static Value[] Apply(Layer layer, object? inputs) => [.. layer.Apply((Value[])inputs!)];
}
