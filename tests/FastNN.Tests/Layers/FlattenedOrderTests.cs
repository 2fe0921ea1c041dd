using FastNN.Formats;
using FastNN.Tensors;
using FastNN.Tests.Training;

namespace FastNN.Tests.Layers;

/// <summary>
/// Files order whatever stands behind a flattened image as PyTorch flattens, [C, H, W], where the engine has [H, W, C]; no
/// operator between may lose that.
/// </summary>
internal sealed class FlattenedOrderTests : TrainingFixture
{
    private const int Height = 3, Width = 2, Channels = 4, Features = Height * Width * Channels;

    private static IEnumerable<TestCaseData> Between()
    {
        static TestCaseData Case(string name, Func<Layer[]> layers) => new TestCaseData(layers).SetArgDisplayNames(name);
        yield return Case("nothing", () => []);
        yield return Case("softmax", () => [new Softmax()]);
        yield return Case("log-softmax", () => [new Softmax(logarithm: true)]);
        yield return Case("dropout", () => [new Dropout(0.5f)]);
        yield return Case("ReLU", () => [new ActivationLayer(Activation.ReLU)]);
        yield return Case("a reshape and back", () => [new Reshape([1, Features]), new Flatten()]);
        yield return Case("scale and shift", () => [new Affine()]);
        yield return Case("a broadcast scalar", () => [new Doubled()]);
        yield return Case(
            "several",
            () => [new Dropout(0.5f), new ActivationLayer(Activation.Tanh), new Affine(), new Softmax(), new Doubled()]);
    }

    /// <summary>
    /// Every case of every operator, but dropout, whose mask stays where it is, and cases whose reference knows only its own
    /// input: the operator keeps features where moving them in its inputs moves them in its output, and only there.
    /// </summary>
    private static IEnumerable<TestCaseData> Operators() => Quick.Sample(OpCases.All)
        .Where(@case => @case.Operator != "Dropout" && !@case.Case.Name.Contains("outside the range", StringComparison.Ordinal))
        .Select(@case => new TestCaseData(@case.Case).SetArgDisplayNames($"{@case.Operator}: {@case.Case.Name}"));

    [TestCaseSource(nameof(Between))]
    public void Weights_behind_a_flattened_image_are_saved_as_PyTorch_has_them(Func<Layer[]> between)
    {
        var model = new Sequential([new Flatten(), .. between(), new Dense(5) { Name = "dense" }]);
        model.Build([Height, Width, Channels], seed: 3);
        Layer head = new Sequential([new Flatten(), .. model.Layers.Skip(1).SkipLast(1)]);
        head.Build([Height, Width, Channels]);
        RequireFileOrder(model, head, "dense", PyTorchOrder(0));
    }

    [Test]
    public void Weights_behind_a_flattened_image_joined_with_other_features_are_saved_as_PyTorch_has_them()
    {
        Symbol image = Model.Input("image", [Height, Width, Channels]);
        Symbol flat = new Flatten().Apply(image), small = new Dense(3) { Name = "small" }.Apply(flat);
        Symbol joined = new Softmax().Apply(Symbol.Concat(small, flat, flat));
        var dense = new Dense(5) { Name = "dense" };
        Model model = new(image, dense.Apply(joined)), head = new(image, joined);
        model.Build(seed: 3);
        head.Build();
        RequireFileOrder(model, head, "dense", [0, 1, 2, .. PyTorchOrder(3), .. PyTorchOrder(3 + Features)]);
    }

    [Test]
    public void Weights_behind_a_flattened_volume_are_saved_as_PyTorch_has_them()
    {
        const int Depth = 2;
        Shape volume = [Depth, Height, Width, Channels];
        var model = new Sequential(new Flatten(), new Dense(5) { Name = "dense" });
        var head = new Sequential(new Flatten());
        model.Build(volume, seed: 3);
        head.Build(volume);

        // PyTorch flattens [C, D, H, W].
        RequireFileOrder(model, head, "dense", [
            .. from c in Enumerable.Range(0, Channels) from place in Enumerable.Range(0, Depth * Height * Width)
               select (place * Channels) + c]);
    }

    /// <summary>As PyTorch flattens [N, T, D], and behind its convolutions [N, C, L].</summary>
    [Test]
    public void Weights_behind_a_flattened_sequence_are_saved_place_by_place_or_permuted_channel_by_channel(
        [Values] bool permuted)
    {
        const int Length = 6;
        Layer[] flatten = permuted ? [new Permute(2, 1), new Flatten()] : [new Flatten()];
        var model = new Sequential([.. flatten, new Dense(5) { Name = "dense" }]);
        model.Build([Length, Channels], seed: 3);
        var whole = new Sequential(new Flatten());
        whole.Build([Length, Channels]);
        RequireFileOrder(model, whole, "dense", [
            .. from i in Enumerable.Range(0, Length * Channels)
               select permuted ? (i % Length * Channels) + (i / Length) : i]);
    }

    [Test]
    public void A_number_per_feature_of_a_flattened_image_is_saved_as_PyTorch_has_it()
    {
        var affine = new Affine { Name = "affine" };
        var model = new Sequential(new Flatten(), affine);
        model.Build([Height, Width, Channels]);
        var scale = new float[Features];
        for (int i = 0; i < Features; i++)
        {
            scale[i] = i;
        }

        model.Parameters[0].Write(scale);
        model.SaveWeights(PathOf("w.safetensors"));
        using SafetensorsReader reader = SafetensorsReader.Open(PathOf("w.safetensors"));
        Assert.That(reader.ReadSingles("affine.scale"), Is.EqualTo(PyTorchOrder(0).Select(place => (float)place)));
        model.LoadWeights(PathOf("w.safetensors"));
        var loaded = new float[Features];
        model.Parameters[0].Read(loaded);
        Assert.That(loaded, Is.EqualTo(scale));
    }

    [TestCaseSource(nameof(Operators))]
    public void An_operator_keeps_features_where_its_function_does(OpCase @case)
    {
        Value output = @case.Record();
        if (output.Shape.Rank is 0 or > 3 || output.Shape[-1] < 3 || output.Producer is not { } node
            || node.Inputs.Length != @case.Inputs.Count || Array.Exists(node.Inputs, input => input.Producer is not null)
            || !output.Type.IsFloat()
            || @case.Inputs.Any(
                input => !input.Type.IsFloat() && input.Shape is { Rank: > 0 } places && places[-1] != output.Shape[-1]))
        {
            // A scalar, an image, more than one operator, no features, or indices that do not go along with them.
            return;
        }

        int features = output.Shape[-1];
        // Neither a rotation, which rolling keeps, nor one within groups.
        int[] order = features switch
        {
            3 => [1, 0, 2],
            4 => [2, 0, 1, 3],
            _ => [.. Enumerable.Range(0, features)],
        };
        if (features > 4)
        {
            new Random(1).Shuffle(order);
        }

        double[][] values = @case.Draw(), moved = [.. values];
        bool any = false;
        for (int i = 0; i < values.Length; i++)
        {
            Shape shape = @case.Inputs[i].Shape;
            if (shape.Rank > 0 && shape[-1] == features)
            {
                moved[i] = Move(values[i], order);
                any |= @case.Inputs[i].Type.IsFloat() && node.Op.KeepsFeatures(i);
            }
        }

        double[] expected = Move(@case.Reference(values), order), actual = @case.Reference(moved);
        bool keeps = true;
        for (int i = 0; i < expected.Length; i++)
        {
            keeps &= expected[i].Equals(actual[i])
                || Math.Abs(expected[i] - actual[i]) <= 1e-9 * Math.Max(1, Math.Abs(expected[i]));
        }

        bool takesFeatures = Enumerable.Range(0, values.Length).Any(
            i => @case.Inputs[i].Type.IsFloat() && @case.Inputs[i].Shape is { Rank: > 0 } shape && shape[-1] == features);
        if ((values.Length > 0 && values[0].AsSpan().SequenceEqual(@case.Reference(values)))
            || Array.TrueForAll(expected, value => value == 0))
        {
            // It changes nothing here, or leaves nothing, whatever it does elsewhere.
            return;
        }

        Assert.That(any, Is.EqualTo(takesFeatures && keeps), "KeepsFeatures and the operator's function disagree");
    }

    [Test]
    public void A_hundred_thousand_operators_may_stand_between()
    {
        var model = new Sequential(new Flatten());
        for (int i = 0; i < 100_000; i++)
        {
            model.Add(new ActivationLayer(Activation.ReLU));
        }

        model.Add(new Dense(2));
        model.Build([Height, Width, Channels]);
        Assert.That(model.Parameters[0].Layout, Is.Not.SameAs(ParameterLayout.DenseWeight));
    }

    private static double[] Move(double[] values, int[] order)
    {
        var moved = new double[values.Length];
        for (int row = 0; row < values.Length; row += order.Length)
        {
            for (int i = 0; i < order.Length; i++)
            {
                moved[row + i] = values[row + order[i]];
            }
        }

        return moved;
    }

    /// <summary>The places of the engine in PyTorch's order.</summary>
    private static int[] PyTorchOrder(int start) =>
    [
        .. from c in Enumerable.Range(0, Channels) from y in Enumerable.Range(0, Height) from x in Enumerable.Range(0, Width)
           select start + (((y * Width) + x) * Channels) + c,
    ];

    /// <summary>
    /// What the dense layer takes, in PyTorch's order, times the weight as the file has it, is what the model gives.
    /// </summary>
    private void RequireFileOrder(Layer model, Layer head, string dense, int[] order)
    {
        model.SaveWeights(PathOf("w.safetensors"));
        using SafetensorsReader reader = SafetensorsReader.Open(PathOf("w.safetensors"));
        using Predictor whole = model.CreatePredictor(Device), part = head.CreatePredictor(Device);
        float[] weight = reader.ReadSingles(dense + ".weight"), input = new float[(int)whole.InputShape.Count];
        Philox.FillUniform(input, 1, 1);
        float[] y = whole.Predict(input), h = part.Predict(input);
        Assert.That(h, Has.Length.EqualTo(order.Length));
        for (int o = 0; o < y.Length; o++)
        {
            double expected = 0;
            for (int f = 0; f < order.Length; f++)
            {
                expected += (double)h[order[f]] * weight[(o * order.Length) + f];
            }

            Assert.That(y[o], Is.EqualTo(expected).Within(1e-5), $"output {o}");
        }
    }

    /// <summary>x scale, with a scale per feature.</summary>
    private sealed class Affine : Layer
    {
        private Parameter? _scale;

        protected override void Build(Value x) =>
            _scale = AddParameter("scale", [x.Shape[-1]], Initializer.Uniform(0.5f, 2), ParameterLayout.FeaturesFor(x));

        protected override Value Forward(Value x) => x.Graph.Use(_scale!) * x;
    }

    private sealed class Doubled : Layer
    {
        protected override Value Forward(Value x) => x.Graph.Constant(2) * x;
    }
}
