using FastNN.Cli.Recipes;
using FastNN.Testing;

namespace FastNN.Onnx.Tests.Export;

/// <summary>Networks that are written: those of the recipes, three large ones, and every kind of layer.</summary>
internal static class NetworkTable
{
    public static IEnumerable<NetworkCase> Large
    {
        get
        {
            foreach (SupervisedRecipe recipe in RecipeBook.All.OfType<SupervisedRecipe>())
            {
                yield return new NetworkCase(recipe.Name, () =>
                {
                    Layer model = recipe.CreateModel();
                    model.Build(recipe.ExampleShape, seed: 1);
                    return model;
                });
            }

            yield return new NetworkCase("ResNet-18", () => Built(new ResNet18(), new Shape(32, 32, 3))) { Tolerance = 1e-3 };
            yield return new NetworkCase("LSTM-256", () => Built(new LstmClassifier(), new Shape(20, 128))) { HasLength = true };
            yield return NetworkCase.Of(
                "GPT-256", [("tokens", [-1], Draw.Indices)], x => [new Gpt(context: 32).Apply(x[0])]) with
            {
                HasLength = true,
                Tolerance = 1e-4,
            };
        }
    }

    public static IEnumerable<NetworkCase> Layers =>
    [
        NetworkCase.Of("dense, low rank", [7], new Dense(5, Activation.Gelu), new LowRankDense(6, 2), new Dense(3)),
        NetworkCase.Of("dense on an image", [5, 4, 3], new Dense(6, Activation.Tanh), new Flatten(), new Dense(3)),
        NetworkCase.Of("conv same, dilated, grouped", [9, 7, 4],
            new Conv2D(8, 3, Activation.ReLU) { Padding = Padding2D.Same, Groups = 2 },
            new Conv2D(6, (3, 2)) { Dilation = (2, 1), Stride = (1, 2), UseBias = false },
            new Flatten(), new Dense(4)),
        NetworkCase.Of("depthwise, separable", [8, 8, 3],
            new DepthwiseConv2D(3), new SeparableConv2D(5, 3, Activation.SiLU), new GlobalAvgPool2D(), new Dense(2)),
        NetworkCase.Of("conv 1D", [17, 3], new Conv1D(6, 3) { Padding = 1 }, new BatchNorm1D(), new MaxPool1D(2),
            new Conv1D(4, 2), new GlobalAvgPool1D()) with { HasLength = true },
        NetworkCase.Of("conv 3D", [5, 6, 7, 2], new Conv3D(4, 3, Activation.ReLU) { Padding = 1 }, new BatchNorm3D(),
            new MaxPool3D(2), new AvgPool3D((1, 2, 2)), new Flatten(), new Dense(3)),
        NetworkCase.Of("conv transposed", [5, 4, 3], new ConvTranspose2D(4, 3) { Stride = 2, Padding = 1, OutputPadding = 1 },
            new ConvTranspose2D(2, 2) { Stride = 2 }),
        NetworkCase.Of("conv transposed 1D", [6, 3], new ConvTranspose1D(4, 3) { Stride = 2 }) with { HasLength = true },
        NetworkCase.Of("conv transposed 3D", [3, 4, 3, 2], new ConvTranspose3D(2, 2) { Stride = 2 }),
        NetworkCase.Of("pools", [11, 9, 3], new MaxPool2D(3) { Stride = 2, Padding = 1 },
            new AvgPool2D(2) { Padding = 1, CountIncludePad = false, Stride = 1 },
            new AvgPool2D(3) { Stride = 2, Padding = 1, CeilMode = true }, new GlobalMaxPool2D(keepAxes: true)),
        NetworkCase.Of("adaptive pools", [7, 10, 2], new AdaptiveAvgPool2D((5, 4)), new AdaptiveMaxPool2D((3, 2))),
        NetworkCase.Of("adaptive pool of equal bins", [8, 6, 2], new AdaptiveMaxPool2D((4, 3)), new AdaptiveAvgPool2D((2, 1))),
        NetworkCase.Of("adaptive pools 1D and 3D", [9, 3], new AdaptiveAvgPool1D(4), new AdaptiveMaxPool1D(3)),
        NetworkCase.Of("adaptive pools 3D", [4, 5, 6, 2], new AdaptiveAvgPool3D((3, 4, 2)), new AdaptiveMaxPool3D((2, 2, 1))),
        NetworkCase.Of("Lp pools", [8, 6, 2], new LpPool2D(2, 2), new Flatten(), new Dense(2)),
        NetworkCase.Of("norms", [6, 5, 8], new GroupNorm(4), new InstanceNorm2D { IsAffine = true }, new LayerNorm(),
            new RMSNorm(), new BatchNorm2D()),
        NetworkCase.Of("batch norm behind a flattened image", [4, 3, 2], new Conv2D(3, 2), new Flatten(), new BatchNorm1D(),
            new ActivationLayer(Activation.ReLU), new Dropout(0.5f), new Dense(4)),
        NetworkCase.Of("weight norm, spectral norm", [6, 6, 2], new WeightNorm(new Conv2D(4, 3)),
            new SpectralNorm(new Conv2D(3, 3)), new Flatten(), new WeightNorm(new Dense(5)), new SpectralNorm(new Dense(2))),
        NetworkCase.Of("low-rank adapters", [6, 6, 2], new LowRankAdapter(new Conv2D(4, 3), rank: 2), new Flatten(),
            new LowRankAdapter(new Dense(3), rank: 2)),
        NetworkCase.Of("upsampling", [4, 5, 3], new Upsample { Scale = [2] },
            new Upsample { Scale = [1.5], Mode = InterpolationMode.Linear },
            new Upsample { Size = new Shape(7, 9), Mode = InterpolationMode.Cubic },
            new Upsample { Size = new Shape(5, 4) }),
        NetworkCase.Of("pixel shuffle", [4, 6, 8], new PixelShuffle(2), new Conv2D(4, 3), new PixelUnshuffle(2)),
        NetworkCase.Of("local response", [5, 4, 7], new LocalResponseNorm(3), new Conv2D(2, 2)),
        NetworkCase.Of("unfold, fold", [6, 5, 2], new Unfold(2) { Stride = 1 }, new Fold((6, 5), 2) { Stride = 1 }),
        NetworkCase.Of("reshape, permute", [6, 4], new FastNN.Reshape(new Shape(2, 3, 4)), new Permute(3, 1, 2),
            new Flatten(), new FastNN.Softmax()),
        NetworkCase.Of("gates", [6, 8], new PReLU(), new GLU(), new Dense(5)) with { HasLength = true },
        NetworkCase.Of("PReLU by channels", [4, 4, 3], new Conv2D(5, 2), new PReLU(5), new Conv2D(2, 2)),
        NetworkCase.Of("embedding", [("x", [-1], Draw.Indices)], x => [new Embedding(7, 4).Apply(x[0])]) with
        {
            HasLength = true,
        },
        NetworkCase.Of("embedding bag, mean", [("x", [5], Draw.Indices)], x => [new EmbeddingBag(7, 4).Apply(x)]),
        NetworkCase.Of("embedding bag, weighted sum", [("x", [5], Draw.Indices), ("w", [5], Draw.Floats)],
            x => [new EmbeddingBag(7, 4, EmbeddingBagMode.Sum).Apply(x)]),
        NetworkCase.Of("embedding bag, maximum", [("x", [5], Draw.Indices)],
            x => [new EmbeddingBag(7, 4, EmbeddingBagMode.Max).Apply(x)]),
        NetworkCase.Of("RNN", [6, 3], new SimpleRnn(5), new SimpleRnn(4, Activation.ReLU) { IsBidirectional = true }) with
        {
            HasLength = true,
        },
        NetworkCase.Of("GRU", [6, 3], new Gru(5) { LayerCount = 2, IsBidirectional = true, DropoutRate = 0.2f }) with
        {
            HasLength = true,
        },
        NetworkCase.Of("LSTM without bias", [6, 3], new Lstm(5) { UseBias = false, ReturnSequences = false }) with
        {
            HasLength = true,
        },
        NetworkCase.Of("LSTM with states", [("x", [6, 3], Draw.Floats), ("h", [2, 4], Draw.Floats), ("c", [2, 4], Draw.Floats)],
            x => States(new Lstm(4) { LayerCount = 1, IsBidirectional = true, ReturnStates = true }.Apply(x), 3)),
        NetworkCase.Of("GRU with lengths", [("x", [-1, 3], Draw.Floats), ("n", [], Draw.Lengths)],
            x => States(new Gru(4) { IsBidirectional = true, ReturnStates = true }.Apply(x), 2)) with { HasLength = true },
        NetworkCase.Of("LSTM with lengths", [("x", [-1, 3], Draw.Floats), ("n", [], Draw.Lengths)],
            x => [new Lstm(4) { LayerCount = 2 }.Apply(x)]) with { HasLength = true },
        NetworkCase.Of("encoder", [("x", [-1, 8], Draw.Floats)],
            x => [new TransformerEncoder(Encoder(), Encoder()).Apply(x)]) with { HasLength = true, Tolerance = 1e-4 },
        NetworkCase.Of("encoder with a padding mask", [("x", [6, 8], Draw.Floats), ("m", [6], Draw.Truths)],
            x => [new TransformerEncoder(Encoder(padding: true)).Apply(x)]) with { Tolerance = 1e-4 },
        NetworkCase.Of("decoder", [("x", [-1, 8], Draw.Floats), ("m", [6, 8], Draw.Floats)],
            x => [new TransformerDecoder(new TransformerDecoderLayer(8, 2, 16)).Apply(x)]) with
        {
            HasLength = true,
            Tolerance = 1e-4,
        },
        NetworkCase.Of("attention with weights", [("x", [-1, 8], Draw.Floats)],
            x => States(new MultiHeadAttention(8, 2) { GivesWeights = true }.Apply(x), 2)) with { HasLength = true },
        NetworkCase.Of("rotary attention, causal", [("x", [-1, 8], Draw.Floats)],
            x => [new MultiHeadAttention(8, 2) { RotaryPositions = 16, Causal = CausalMask.UpperLeft }.Apply(x)]) with
        {
            HasLength = true,
        },
        NetworkCase.Of("positions", [5, 6], new SinusoidalPositions(9), new LearnedPositions(8), new LayerNorm()) with
        {
            HasLength = true,
        },
        NetworkCase.Of("rotary embedding", [5, 2, 6], new RotaryEmbedding(9), new RotaryEmbedding(9) { Interleaved = true }),
        NetworkCase.Of("two inputs", [("image", [8, 8, 3], Draw.Floats), ("table", [4], Draw.Floats)], x =>
        {
            Symbol image = new Conv2D(4, 3, Activation.ReLU).Apply(x[0]);
            Symbol joined = Symbol.Concat(new Flatten().Apply(image), new Dense(5).Apply(x[1]));
            return [new Dense(3).Apply(joined), image];
        }),
        NetworkCase.Of("bilinear", [("a", [4], Draw.Floats), ("b", [3], Draw.Floats)], x => [new Bilinear(5).Apply(x)]),
    ];

    private static TransformerEncoderLayer Encoder(bool padding = false) =>
        new(8, 2, 16) { HasKeyPaddingMask = padding, NormFirst = padding, Activation = Activation.Gelu };

    private static Symbol[] States(Symbol first, int outputs) => [.. Enumerable.Range(0, outputs).Select(i => first[i])];

    private static Layer Built(Layer model, Shape example)
    {
        model.Build(example, seed: 2);
        return model;
    }
}
