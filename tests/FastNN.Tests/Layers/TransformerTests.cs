using FastNN.Tests.Training;

namespace FastNN.Tests.Layers;

/// <summary>
/// Attention as layers: parameters as PyTorch names them, masks, model files, errors; numbers are compared with PyTorch's in the
/// golden cases.
/// </summary>
internal sealed class TransformerTests : TrainingFixture
{
    private static readonly Shape Example = new(7, 8);

    private static IEnumerable<Layer> Layers =>
    [
        new MultiHeadAttention(8, 2) { Causal = CausalMask.UpperLeft, RotaryPositions = 7 },
        new MultiHeadAttention(8, 4) { UseBias = false },
        new TransformerEncoderLayer(8, 2, 16) { NormFirst = true, Dropout = 0, Activation = Activation.Gelu },
        new TransformerEncoder(
            new TransformerEncoderLayer(8, 2, 16) { Dropout = 0 }, new TransformerEncoderLayer(8, 4, 3) { Dropout = 0 })
        {
            HasNorm = true,
        },
        new SinusoidalPositions(9), new LearnedPositions(7), new LearnedPositions(30),
    ];

    [TestCaseSource(nameof(Layers))]
    public void A_model_file_makes_the_layer_again(Layer layer)
    {
        var model = new Sequential(layer);
        model.Build(Example, seed: 3);
        string path = Path.Combine(Folder, "model.safetensors");
        model.Save(path);
        float[] x = Numbers(3 * 56);
        Assert.That(Predict(Model.Load(path), x), Is.EqualTo(Predict(model, x)));
    }

    [Test]
    public void Parameters_have_the_names_and_shapes_of_PyTorch()
    {
        var graph = new Graph(GraphMode.Training);
        var decoder = new TransformerDecoder(new TransformerDecoderLayer(8, 2, 16)) { HasNorm = true };
        decoder.Apply([graph.Input([2, 5, 8]), graph.Input([2, 7, 8])]);
        Assert.That(
            decoder.NamedParameters.Select(named => $"{named.Name} {named.Parameter.Layout.FileShape(named.Parameter.Shape)}"),
            Is.EquivalentTo(new[]
            {
                "layers.0.self_attn.in_proj_weight [24, 8]", "layers.0.self_attn.in_proj_bias [24]",
                "layers.0.self_attn.out_proj.weight [8, 8]", "layers.0.self_attn.out_proj.bias [8]",
                "layers.0.multihead_attn.in_proj_weight [24, 8]", "layers.0.multihead_attn.in_proj_bias [24]",
                "layers.0.multihead_attn.out_proj.weight [8, 8]", "layers.0.multihead_attn.out_proj.bias [8]",
                "layers.0.linear1.weight [16, 8]", "layers.0.linear1.bias [16]", "layers.0.linear2.weight [8, 16]",
                "layers.0.linear2.bias [8]", "layers.0.norm1.weight [8]", "layers.0.norm1.bias [8]",
                "layers.0.norm2.weight [8]", "layers.0.norm2.bias [8]", "layers.0.norm3.weight [8]", "layers.0.norm3.bias [8]",
                "norm.weight [8]", "norm.bias [8]",
            }));
    }

    [Test]
    public void Keys_and_values_of_other_widths_have_projections_of_their_own()
    {
        var graph = new Graph(GraphMode.Training);
        var layer = new MultiHeadAttention(8, 2);
        Value y = layer.Attend(graph.Input([2, 5, 8]), graph.Input([2, 7, 6]), graph.Input([2, 7, 3]));
        Assert.That(y.Shape, Is.EqualTo(new Shape(2, 5, 8)));
        Assert.That(
            layer.NamedParameters.Select(named => $"{named.Name} {named.Parameter.Layout.FileShape(named.Parameter.Shape)}"),
            Is.EqualTo(new[]
            {
                "q_proj_weight [8, 8]", "k_proj_weight [8, 6]", "v_proj_weight [8, 3]", "in_proj_bias [24]", "out_proj.weight [8, 8]",
                "out_proj.bias [8]",
            }));
    }

    /// <summary>One product for all three, three products, and the weights written out: the same attention.</summary>
    [Test]
    public void Every_way_through_the_layer_gives_the_same()
    {
        var layers = new List<MultiHeadAttention>();
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([2, 7, 8]), mask = graph.Input([7, 7], DType.Bool), padding = graph.Input([2, 7], DType.Bool);
        Value other = graph.Input([2, 7, 8]);
        Value[] outputs = Array.ConvertAll(new[] { false, true }, gives =>
        {
            var layer = new MultiHeadAttention(8, 2)
            {
                Causal = CausalMask.UpperLeft,
                HasMask = true,
                HasKeyPaddingMask = true,
                GivesWeights = gives,
                RotaryPositions = 9,
            };
            layers.Add(layer);
            return layer.Apply([x, mask, padding])[0];
        });
        Value apart = layers[0].Apply([x, other, other, mask, padding])[0];
        Parameter[] all = [.. layers.SelectMany(layer => layer.Parameters)];
        for (int i = 0; i < all.Length; i++)
        {
            all[i].Write(Numbers((int)all[i].Count, seed: i % (all.Length / 2)));
        }

        using var run = new GraphRun(Device.Implementation, graph, [.. outputs, apart], null, [], all);
        run.Set(x, Numbers(2 * 7 * 8));
        run.Set(other, Numbers(2 * 7 * 8));
        run.SetNumbers(mask, [.. Enumerable.Range(0, 49).Select(i => i % 5 == 3 ? 0.0 : 1)]);
        run.SetNumbers(padding, [1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1]);
        run.Upload();
        run.Forward();
        float[] expected = run.Read(outputs[0]);
        Assert.That(expected, Is.All.Not.NaN);
        Assert.That(run.Read(outputs[1]), Is.EqualTo(expected).Within(2e-5f));
        Assert.That(run.Read(apart), Is.EqualTo(expected).Within(2e-5f));
    }

    [Test]
    public void Dropped_weights_are_scaled_and_the_step_differs_from_inference()
    {
        var layer = new MultiHeadAttention(8, 2) { Dropout = 0.5f, Causal = CausalMask.UpperLeft };
        var training = new Graph(GraphMode.Training, seed: 1);
        Value x = training.Input([1, 7, 8]);
        Value y = layer.Apply([x])[0];
        Assert.That(training.Nodes.Count(node => node.Op.Name == "Dropout"), Is.EqualTo(1));
        var inference = new Graph(GraphMode.Inference);
        Value z = layer.Apply([inference.Input([1, 7, 8])])[0];
        Assert.That(inference.Nodes.Any(node => node.Op.Name is "Dropout" or "Softmax"), Is.False);
        Assert.That(y.Shape, Is.EqualTo(z.Shape));
    }

    [Test]
    public void One_recording_serves_all_lengths()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([Dim.Batch, Dim.Named("T"), 8]);
        var layer = new TransformerEncoderLayer(8, 2, 16) { Causal = CausalMask.UpperLeft };
        Value y = layer.Apply([new SinusoidalPositions(100).Apply(x)])[0];
        foreach (Parameter parameter in layer.Parameters)
        {
            parameter.Write(Numbers((int)parameter.Count));
        }

        using Session session = graph.Compile(Device, [y]);
        foreach (int length in new[] { 1, 9, 100 })
        {
            using SessionRun run = session.Begin([2, length, 8]);
            run.Write(0, Numbers(2 * length * 8));
            run.Compute();
            var result = new float[2 * length * 8];
            run.Read(0, result);
            Assert.That(result, Is.All.Not.NaN);
        }

        Assert.That(
            () => session.Begin([2, 101, 8]), Throws.TypeOf<ShapeException>().With.Message.Contains("at most 100"));
    }

    [Test]
    public void What_does_not_fit_is_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input([2, 5, 8]), wide = graph.Input([2, 5, 9]);
        Assert.Multiple(() =>
        {
            Assert.That(() => new MultiHeadAttention(8, 3), Throws.ArgumentException.With.Message.Contains("divides"));
            Assert.That(() => new MultiHeadAttention(0, 1), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => new TransformerEncoderLayer(8, 2, 0), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => new TransformerEncoder(), Throws.ArgumentException.With.Message.Contains("at least one"));
            Assert.That(
                () => new TransformerDecoder(new TransformerDecoderLayer(8, 2), new TransformerDecoderLayer(4, 2)),
                Throws.ArgumentException.With.Message.Contains("width"));
            Refused(() => new MultiHeadAttention(8, 2).Apply(wide), "[2, 5, 9]");
            Refused(() => new TransformerEncoderLayer(8, 2).Apply(wide), "[2, 5, 9]");
            Refused(() => new SinusoidalPositions().Apply(graph.Input([2, 5])), "[B, T, D]");
            Refused(() => new LearnedPositions(4).Apply(graph.Input([5])), "[B, T, D]");
            Refused(() => new RotaryEmbedding(4).Apply(x), "[B, T, H, D]");
            Refused(
                () => new MultiHeadAttention(8, 2) { HasKeyPaddingMask = true }.Apply([x, graph.Input([2, 1, 5], DType.Bool)])[0],
                "padding");
            Assert.That(
                () => new MultiHeadAttention(8, 2).Apply([x, x]), Throws.ArgumentException.With.Message.Contains("got 2 inputs"));
            Assert.That(
                () => new TransformerDecoderLayer(8, 2).Apply([x]),
                Throws.TypeOf<ShapeException>().With.Message.Contains("expected 2 inputs, masks among them, got 1"));
        });

        static void Refused(Func<Value> record, string words) =>
            Assert.That(() => record(), Throws.TypeOf<ShapeException>().With.Message.Contains(words));
    }

    private float[] Predict(Layer model, float[] x)
    {
        var y = new float[x.Length];
        using Predictor predictor = model.CreatePredictor(Device, 3);
        predictor.Predict(x, y);
        return y;
    }

    private static float[] Numbers(int count, int seed = 0)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }
}
