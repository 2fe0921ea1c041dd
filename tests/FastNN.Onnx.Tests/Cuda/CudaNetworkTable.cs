using FastNN.Cli.Recipes;
using FastNN.Onnx.Model;
using FastNN.Onnx.Tests.Export;
using FastNN.Testing;

namespace FastNN.Onnx.Tests.Cuda;

/// <summary>
/// Narrow networks of the kinds that are used, with few channels, small images and short sequences: the software device executes
/// every instruction of every thread.
/// </summary>
internal static class CudaNetworkTable
{
    /// <summary>Kinds of networks, those of the recipes, and every kind of layer.</summary>
    public static IEnumerable<CudaNetwork> All =>
    [
        .. Kinds.Select(CudaNetwork.Of), Voice(), StepByStep(),
        .. NetworkTable.Large.Where(network => RecipeBook.All.Any(recipe => recipe.Name == network.Name))
            .Select(CudaNetwork.Of),
        .. NetworkTable.Layers.Select(CudaNetwork.Of),
    ];

    private static IEnumerable<NetworkCase> Kinds =>
    [
        NetworkCase.Of("residual network", [16, 16, 3], new ResNet18(width: 8)),
        NetworkCase.Of("inverted residual with squeeze and excitation", [("x", [12, 12, 8], Draw.Floats)],
            x => [Head(InvertedResidual(x[0], Activation.HardSwish, Activation.HardSigmoid()))]),
        NetworkCase.Of("EfficientNet block", [("x", [12, 12, 8], Draw.Floats)],
            x => [Head(InvertedResidual(x[0], Activation.SiLU, Activation.Sigmoid))]),
        NetworkCase.Of("fire module", [("x", [13, 13, 3], Draw.Floats)], Fire),
        NetworkCase.Of("vision transformer", [("x", [16, 16, 3], Draw.Floats)], VisionTransformer),
        NetworkCase.Of("U-Net", [("x", [16, 16, 3], Draw.Floats)], UNet),
        NetworkCase.Of("BERT", [("ids", [6], Draw.Indices), ("mask", [6], Draw.Truths)], Bert),
        NetworkCase.Of("GPT", [("ids", [-1], Draw.Indices)],
            x => [new Gpt(vocabulary: 17, width: 16, layers: 2, heads: 2, context: 16).Apply(x[0])]),
        NetworkCase.Of("Whisper", [("mel", [20, 8], Draw.Floats), ("ids", [-1], Draw.Indices)], Whisper),
        NetworkCase.Of("bidirectional LSTM", [6, 7],
            new Lstm(8) { LayerCount = 2, IsBidirectional = true }, new Dense(5)),
        NetworkCase.Of("LSTM classifier", [6, 7], new LstmClassifier(units: 12, classes: 5)),
        NetworkCase.Of("GRU", [6, 7], new Gru(8) { IsBidirectional = true }, new Dense(5)),
    ];

    private static Symbol Norm(Symbol x, Activation activation) =>
        new ActivationLayer(activation).Apply(new BatchNorm2D().Apply(x));

    private static Symbol Head(Symbol x) => new Dense(5).Apply(new GlobalAvgPool2D().Apply(x));

    /// <summary>MobileNetV3's and EfficientNet's block: wider, depthwise, weighted by channel, narrower, added.</summary>
    private static Symbol InvertedResidual(Symbol x, Activation activation, Activation gate)
    {
        Symbol wide = Norm(new Conv2D(24, 1) { UseBias = false }.Apply(x), activation);
        wide = Norm(new DepthwiseConv2D(3) { Padding = 1, UseBias = false }.Apply(wide), activation);
        Symbol weights = new Conv2D(6, 1, Activation.ReLU).Apply(new GlobalAvgPool2D(keepAxes: true).Apply(wide));
        wide *= new Conv2D(24, 1, gate).Apply(weights);
        return x + new BatchNorm2D().Apply(new Conv2D(8, 1) { UseBias = false }.Apply(wide));
    }

    /// <summary>SqueezeNet's stem and module: a narrow convolution, and two beside each other, joined.</summary>
    private static Symbol[] Fire(Symbol[] x)
    {
        Symbol stem = new MaxPool2D(3) { Stride = 2, CeilMode = true }.Apply(
            new Conv2D(8, 3, Activation.ReLU) { Stride = 2 }.Apply(x[0]));
        Symbol squeezed = new Conv2D(4, 1, Activation.ReLU).Apply(stem);
        Symbol joined = Symbol.Concat(
            new Conv2D(6, 1, Activation.ReLU).Apply(squeezed), new Conv2D(6, 3, Activation.ReLU) { Padding = 1 }.Apply(squeezed));
        return [new GlobalAvgPool2D().Apply(new Conv2D(5, 1, Activation.ReLU).Apply(joined))];
    }

    private static Symbol[] VisionTransformer(Symbol[] x)
    {
        Symbol patches = new FastNN.Reshape(new Shape(16, 12)).Apply(new Conv2D(12, 4) { Stride = 4 }.Apply(x[0]));
        Symbol tokens = Layer(12).Apply(new LearnedPositions(16).Apply(patches));
        return [new Dense(5).Apply(new GlobalAvgPool1D().Apply(new LayerNorm().Apply(tokens)))];
    }

    private static Symbol[] UNet(Symbol[] x)
    {
        Symbol first = Double(x[0], 4), second = Double(new MaxPool2D(2).Apply(first), 8);
        Symbol bottom = Double(new MaxPool2D(2).Apply(second), 12);
        Symbol up = new ConvTranspose2D(8, 2) { Stride = 2 }.Apply(bottom);
        up = Double(Symbol.Concat(second, up), 8);
        up = new Upsample { Scale = [2], Mode = InterpolationMode.Linear, AlignCorners = true }.Apply(up);
        return [new Conv2D(3, 1).Apply(Double(Symbol.Concat(first, new Conv2D(4, 1).Apply(up)), 4))];

        static Symbol Double(Symbol x, int channels) => Norm(new Conv2D(channels, 3) { Padding = 1 }.Apply(
            Norm(new Conv2D(channels, 3) { Padding = 1 }.Apply(x), Activation.ReLU)), Activation.ReLU);
    }

    private static Symbol[] Bert(Symbol[] x)
    {
        Symbol words = new LayerNorm().Apply(new LearnedPositions(8).Apply(new Embedding(11, 16).Apply(x[0])));
        return [new TransformerEncoder(Masked(), Masked()).Apply(words, x[1])];

        static TransformerEncoderLayer Masked() =>
            new(16, 2, 32) { Activation = Activation.Gelu, HasKeyPaddingMask = true };
    }

    private static Symbol[] Whisper(Symbol[] x)
    {
        Symbol sound = new Conv1D(16, 3, Activation.Gelu) { Padding = 1 }.Apply(x[0]);
        sound = new Conv1D(16, 3, Activation.Gelu) { Stride = 2, Padding = 1 }.Apply(sound);
        Symbol memory = new LayerNorm().Apply(Layer(16).Apply(new SinusoidalPositions(16).Apply(sound)));
        Symbol words = new LearnedPositions(8).Apply(new Embedding(11, 16).Apply(x[1]));
        var decoder = new TransformerDecoderLayer(16, 2, 32)
        {
            Activation = Activation.Gelu,
            NormFirst = true,
            Causal = CausalMask.UpperLeft,
        };
        return [new Dense(11).Apply(new LayerNorm().Apply(decoder.Apply(words, memory)))];
    }

    private static TransformerEncoderLayer Layer(int width) =>
        new(width, 2, 2 * width) { Activation = Activation.Gelu, NormFirst = true };

    /// <summary>
    /// As Silero VAD is written: a branch on the sampling rate, spectra by a convolution of a mirrored border, an LSTM whose
    /// state goes in and comes out.
    /// </summary>
    private static CudaNetwork Voice()
    {
        const int samples = 48, bins = 5, channels = 8, units = 8;

        GraphDef Branch(long stride)
        {
            NodeDef[] nodes =
            [
                Build.Node("Pad", "sound border", "padded", Build.Text("mode", "reflect")),
                Build.Node("Unsqueeze", "padded one", "lines"),
                Build.Node("Conv", "lines spectrum", "waves", Build.Ints("strides", stride)),
                Build.Node("Slice", "waves zero five one", "real"),
                Build.Node("Slice", "waves five ten one", "imaginary"),
                Build.Node("Pow", "real two", "r2"),
                Build.Node("Pow", "imaginary two", "i2"),
                Build.Node("Add", "r2 i2", "power"),
                Build.Node("Sqrt", "power", "magnitude"),
                Build.Node("Conv", "magnitude w1 b1", "c1", Build.Ints("pads", 1, 1)),
                Build.Node("Relu", "c1", "a1"),
                Build.Node("Transpose", "a1", "steps", Build.Ints("perm", 2, 0, 1)),
                Build.Node("Split", "state", "h c", Build.Int("axis", 0)),
                Build.Node("LSTM", "steps wx wh b - h c", "all hn cn", Build.Int("hidden_size", units)),
                Build.Node("Concat", "hn cn", "stateN", Build.Int("axis", 0)),
                Build.Node("Squeeze", "hn zero", "last"),
                Build.Node("Gemm", "last w2", "score", Build.Int("transB", 1)),
                Build.Node("Sigmoid", "score", "speech"),
            ];
            return new GraphDef
            {
                Name = $"stride{stride}",
                Nodes = [.. nodes],
                Outputs = [new ValueDef { Name = "speech" }, new ValueDef { Name = "stateN" }],
            };
        }

        ModelDef Model()
        {
            TensorDef Weight(string name, int seed, params int[] dims) =>
                Build.Tensor(name, Build.Random(seed, dims).Floats(), [.. dims.Select(extent => (long)extent)]);
            return Build.Model(16,
                    Build.Node("Equal", "sr rate", "wide"),
                    Build.Node("If", "wide", "output stateOut",
                        Build.Graph("then_branch", Branch(4)), Build.Graph("else_branch", Branch(2))))
                .With(["sound", "state", "sr"], ["output", "stateOut"])
                .With(
                    Build.Tensor("rate", [16000L]), Build.Tensor("border", [0L, 4, 0, 4], 4), Build.Tensor("one", [1L], 1),
                    Build.Tensor("zero", [0L], 1), Build.Tensor("five", [5L], 1), Build.Tensor("ten", [10L], 1),
                    Build.Tensor("two", [2f]),
                    Weight("spectrum", 1, 2 * bins, 1, 8), Weight("w1", 2, channels, bins, 3), Weight("b1", 3, channels),
                    Weight("wx", 4, 1, 4 * units, channels), Weight("wh", 5, 1, 4 * units, units), Weight("b", 6, 1, 8 * units),
                    Weight("w2", 7, 1, units));
        }

        return CudaNetwork.Of("voice activity", Model, batch =>
        [
            Build.Random(batch, batch, samples), Build.Random(batch + 9, 2, batch, units), OnnxTensor.Create([16000L]),
        ]);
    }

    /// <summary>Recurrences of forms that are recorded step by step: resets in front of the product, peepholes, the batch
    /// first, sequences of lengths of their own.</summary>
    public static CudaNetwork StepByStep()
    {
        const int units = 5;

        static ModelDef Model()
        {
            static TensorDef Weight(string name, int seed, params int[] dims) =>
                Build.Tensor(name, Build.Random(seed, dims).Floats(), [.. dims.Select(extent => (long)extent)]);
            return Build.Model(22,
                    Build.Node("GRU", "x wg rg bg lengths", "g", Build.Int("hidden_size", units), Build.Int("layout", 1),
                        Build.Text("direction", "bidirectional")),
                    Build.Node("Reshape", "g rows", "h"),
                    Build.Node("LSTM", "h wl rl bl - - - p", "y - c", Build.Int("hidden_size", units), Build.Int("layout", 1)))
                .With(["x", "lengths"], ["y", "c"])
                .With(
                    Weight("wg", 1, 2, 3 * units, 4), Weight("rg", 2, 2, 3 * units, units), Weight("bg", 3, 2, 6 * units),
                    Weight("wl", 4, 1, 4 * units, 2 * units), Weight("rl", 5, 1, 4 * units, units),
                    Weight("bl", 6, 1, 8 * units), Weight("p", 7, 1, 3 * units), Build.Tensor("rows", [0L, 0, -1], 3));
        }

        return CudaNetwork.Of("recurrences step by step", Model, batch =>
        [
            Build.Random(batch, batch, 6, 4), OnnxTensor.Create([.. Enumerable.Range(0, batch).Select(i => 6 - (2 * i))], batch),
        ]);
    }
}
