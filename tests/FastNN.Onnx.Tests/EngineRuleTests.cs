using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>Nodes that the engine computes: none is left to the host, and the numbers are the host's.</summary>
public sealed class EngineRuleTests
{
    private Device _device = null!;

    [OneTimeSetUp]
    public void Open() => _device = Device.Cpu(1);

    [OneTimeTearDown]
    public void Close() => _device.Dispose();

    private void Same(ModelDef definition, params (string Name, OnnxValue Value)[] inputs)
    {
        using OnnxModel model = definition.With([.. inputs.Select(input => input.Name)], []).Load();
        using OnnxSession session = model.Compile(_device);
        var values = inputs.ToDictionary(input => input.Name, input => input.Value);
        Assert.That(session.HostReason(values), Is.Null);
        IReadOnlyList<OnnxValue?> wanted = model.Evaluate(values), got = session.Run(values);
        for (int i = 0; i < wanted.Count; i++)
        {
            var (a, b) = ((OnnxTensor)wanted[i]!, (OnnxTensor)got[i]!);
            Assert.That(b.ToString(), Is.EqualTo(a.ToString()));
            double[] x = Host.Numbers.Doubles(a), y = Host.Numbers.Doubles(b);
            for (int k = 0; k < x.Length; k++)
            {
                Assert.That(y[k], Is.EqualTo(x[k]).Within(1e-5 * (1 + Math.Abs(x[k]))), $"output {i}, element {k}");
            }
        }
    }

    /// <summary>Images as rows: a constant matrix behind them follows their order inside, everything else sees ONNX's.</summary>
    [TestCase("Gemm rows w b > y")]
    [TestCase("Gemm rows w b > y, Relu rows > z")]
    [TestCase("MatMul rows w > y")]
    [TestCase("Relu rows > r, Gemm r w b > y")]
    [TestCase("Add rows rows > r, MatMul r w > y")]
    [TestCase("Transpose rows > t, MatMul rows t > y")]
    public void Images_as_rows_times_a_matrix(string nodes)
    {
        NodeDef[] behind = [.. nodes.Split(", ").Select(text => (text.Split(' ', 2)[0], text.Split(' ', 2)[1].Split(" > ")))
            .Select(node => Build.Node(node.Item1, node.Item2[0], node.Item2[1]))];
        ModelDef definition = Build.Model(17, [Build.Node("Conv", "x f", "c"), Build.Node("Flatten", "c", "rows"), .. behind])
            .With([], [.. behind.SelectMany(node => node.Outputs).Where(name => name is "y" or "z")])
            .With(
                Build.Tensor("f", Build.Random(1, 3, 2, 3, 3).Floats(), 3, 2, 3, 3),
                Build.Tensor("w", Build.Random(2, 60, 7).Floats(), 60, 7), Build.Tensor("b", Build.Random(3, 7).Floats(), 7));
        Same(definition, ("x", Build.Random(4, 2, 2, 6, 7)));
    }

    private void Same(NodeDef node, int outputs, params OnnxValue[] inputs)
    {
        ModelDef definition = Build.Model(24, node);
        definition.Graph!.Outputs.AddRange(Enumerable.Range(0, outputs).Select(i => new ValueDef { Name = $"y{i}" }));
        Same(definition, [.. inputs.Select((input, i) => (((char)('a' + i)).ToString(), input))]);
    }

    private static TensorDef Longs(string name, params long[] values) => Build.Tensor(name, values, values.Length);

    private void Same(NodeDef node, int outputs, TensorDef[] constants, params OnnxValue[] inputs)
    {
        ModelDef definition = Build.Model(24, node).With(constants);
        definition.Graph!.Outputs.AddRange(Enumerable.Range(0, outputs).Select(i => new ValueDef { Name = $"y{i}" }));
        Same(definition, [.. inputs.Select((input, i) => (((char)('a' + i)).ToString(), input))]);
    }

    private static OnnxTensor Bools(int seed, params int[] dims) =>
        OnnxTensor.Create(Array.ConvertAll(Build.Random(seed, dims).Floats(), value => value > 0), dims);

    private static OnnxTensor Integers(int seed, int below, params int[] dims)
    {
        var random = new Random(seed);
        return OnnxTensor.Create(
            [.. Enumerable.Range(0, dims.Aggregate(1, (p, d) => p * d)).Select(_ => (long)random.Next(-below, below))], dims);
    }

    /// <summary>Converters of Keras write layer normalization as that of batches whose channels are the rows.</summary>
    [TestCase(5, 7)]
    [TestCase(2, 5, 3)]
    [TestCase(1, 5, 6, 1)]
    [TestCase(2, 5, 3, 4, 3)]
    public void Batches_are_normalized_by_computed_statistics(params int[] dims)
    {
        int channels = dims[1];
        OnnxTensor variance = OnnxTensor.Create(
            Array.ConvertAll(Build.Random(5, channels).Floats(), value => 0.01f + Math.Abs(value)), channels);
        Same(Build.Node("BatchNormalization", "a b c d e", "y0", Build.Number("epsilon", 1e-3f)), 1,
            Build.Random(1, dims), Build.Random(2, channels), Build.Random(3, channels), Build.Random(4, channels), variance);
        Same(Build.Node("BatchNormalization", "a b k l c", "y0"), 1,
            [Build.Tensor("k", new float[channels], channels), Build.Tensor("l", Build.Random(6, channels).Floats(), channels)],
            Build.Random(1, dims), Build.Random(2, channels), variance);
    }

    [TestCase(1, -1)]
    [TestCase(0, 2)]
    [TestCase(1, 99)]
    public void Triangles(int upper, long diagonal) =>
        Same(Build.Node("Trilu", "a k", "y0", Build.Int("upper", upper)), 1, [Build.Tensor("k", [diagonal])],
            Build.Random(1, 3, 7, 5));

    [TestCase("And")]
    [TestCase("Or")]
    [TestCase("Xor")]
    public void Truth_values_are_joined(string name) =>
        Same(Build.Node(name, "a b", "y0"), 1, Bools(1, 3, 1, 13), Bools(2, 7, 13));

    [TestCase("Add")]
    [TestCase("Sub")]
    [TestCase("Mul")]
    [TestCase("Max")]
    public void Integers_are_computed(string name) =>
        Same(Build.Node(name, "a b", "y0"), 1, Integers(1, 50, 3, 1, 13), Integers(2, 50, 7, 13));

    [TestCase(0)]
    [TestCase(1)]
    public void Elements_are_gathered_along_an_axis(long axis) => Same(
        Build.Node("GatherElements", "a b", "y0", Build.Int("axis", axis)), 1, Build.Random(1, 5, 7), Integers(2, 5, 5, 7));

    [Test]
    public void Rows_and_elements_are_gathered_by_tuples()
    {
        Same(Build.Node("GatherND", "a b", "y0"), 1, Build.Random(1, 5, 4, 3), Integers(2, 4, 7, 2));
        Same(Build.Node("GatherND", "a i", "y0"), 1, [Build.Tensor("i", [0L, 1, 2, -1, -1, 0], 2, 3)], Build.Random(1, 5, 4, 3));
    }

    [Test]
    public void Integers_are_gathered() =>
        Same(Build.Node("Gather", "a b", "y0", Build.Int("axis", 1)), 1, Integers(1, 90, 3, 7), Integers(2, 7, 2, 5));

    [Test]
    public void Elements_are_scattered()
    {
        Same(Build.Node("ScatterElements", "a i b", "y0", Build.Int("axis", 1)), 1, [Build.Tensor("i", [3L, -1, 0, 1], 2, 2)],
            Build.Random(1, 3, 7), Build.Random(2, 2, 2));
        Same(Build.Node("ScatterElements", "a i b", "y0", Build.Int("axis", 0), Build.Text("reduction", "add")), 1,
            [Build.Tensor("i", [1L, 1, 1, 1], 2, 2)], Build.Random(1, 3, 2), Build.Random(2, 2, 2));
        Same(Build.Node("ScatterND", "a i b", "y0"), 1, [Build.Tensor("i", [3L, 0], 2, 1)], Build.Random(1, 5, 4, 3),
            Build.Random(2, 2, 4, 3));
    }

    [TestCase(-1)]
    [TestCase(0)]
    [TestCase(1)]
    public void Categories_become_rows(long axis) =>
        Same(Build.Node("OneHot", "a d v", "y0", Build.Int("axis", axis)), 1,
            [Build.Tensor("d", [5L]), Build.Tensor("v", [-1f, 2f], 2)], Integers(1, 8, 3, 7));

    [Test]
    public void Categories_become_rows_of_integers() =>
        Same(Build.Node("OneHot", "a d v", "y0"), 1, [Build.Tensor("d", [5L]), Longs("v", 0, 1)], Integers(1, 8, 3, 7));

    [TestCase(0, 1)]
    [TestCase(1, 0)]
    public void The_largest_and_smallest_are_found(long axis, long largest) =>
        Same(Build.Node("TopK", "a k", "y0 y1", Build.Int("axis", axis), Build.Int("largest", largest)), 2, [Longs("k", 3)],
            Build.Random(1, 7, 13));

    [TestCase(0, 0)]
    [TestCase(1, 0)]
    [TestCase(0, 1)]
    public void Sums_run_along_an_axis(long exclusive, long reverse)
    {
        AttributeDef[] how = [Build.Int("exclusive", exclusive), Build.Int("reverse", reverse)];
        Same(Build.Node("CumSum", "a k", "y0", how), 1, [Build.Tensor("k", [-2L])], Build.Random(1, 3, 7, 5));
        Same(Build.Node("CumSum", "a k", "y0", how), 1, [Build.Tensor("k", [1L])], Integers(1, 9, 3, 7));
    }

    [TestCase("bij,bjk->bik")]
    [TestCase("bij,bkj")]
    public void Products_by_equation(string equation) =>
        Same(Build.Node("Einsum", "a b", "y0", Build.Text("equation", equation)), 1, Build.Random(1, 2, 3, 3),
            Build.Random(2, 2, 3, 3));

    [Test]
    public void Blocks_move_into_channels_and_back()
    {
        Same(Build.Node("SpaceToDepth", "a", "y0", Build.Int("blocksize", 3)), 1, Build.Random(1, 2, 5, 6, 9));
        Same(Build.Node("DepthToSpace", "a", "y0", Build.Int("blocksize", 3)), 1, Build.Random(1, 2, 18, 3, 5));
    }

    [TestCase(0)]
    [TestCase(1)]
    public void Maps_become_grids(long corners) =>
        Same(Build.Node("AffineGrid", "a k", "y0", Build.Int("align_corners", corners)), 1, [Longs("k", 2, 3, 5, 7)],
            Build.Random(1, 2, 2, 3));

    [TestCase("linear", "zeros", 0)]
    [TestCase("linear", "border", 1)]
    [TestCase("linear", "reflection", 0)]
    [TestCase("nearest", "zeros", 1)]
    public void Images_are_sampled(string mode, string padding, long corners) =>
        Same(Build.Node("GridSample", "a b", "y0", Build.Text("mode", mode), Build.Text("padding_mode", padding),
            Build.Int("align_corners", corners)), 1, Build.Random(1, 2, 3, 5, 7), Build.Random(2, 2, 4, 3, 2));

    [Test]
    public void Functions_of_elements()
    {
        Same(Build.Node("Selu", "a", "y0"), 1, Build.Random(1, 3, 13));
        Same(Build.Node("Selu", "a", "y0", Build.Number("alpha", 2), Build.Number("gamma", 3)), 1, Build.Random(1, 3, 13));
        Same(Build.Node("Shrink", "a", "y0", Build.Number("lambd", 0.3f)), 1, Build.Random(1, 3, 13));
        Same(Build.Node("Shrink", "a", "y0", Build.Number("lambd", 0.3f), Build.Number("bias", 0.3f)), 1, Build.Random(1, 3, 13));
        Same(Build.Node("Mean", "a b", "y0"), 1, Build.Random(1, 3, 13), Build.Random(2, 3, 13));
        Same(Build.Node("Mod", "a b", "y0", Build.Int("fmod", 1)), 1, Build.Random(1, 3, 13), Build.Random(2, 3, 13));
        OnnxTensor special = OnnxTensor.Create([1, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0], 5);
        Same(Build.Node("IsNaN", "a", "y0"), 1, special);
        Same(Build.Node("IsInf", "a", "y0"), 1, special);
    }

    [Test]
    public void Integers_and_truths_are_chosen() =>
        Same(Build.Node("Where", "a b c", "y0"), 1, Bools(1, 3, 7), Integers(2, 9, 3, 7), Integers(3, 9, 3, 1));

    [Test]
    public void Quantized_networks_run_in_floats()
    {
        TensorDef Bytes(string name, params sbyte[] values) =>
            Build.Tensor(name, OnnxElementType.Int8, values.Length == 1 ? [] : [values.Length],
                Array.ConvertAll(values, value => (byte)value));
        ModelDef definition = Build.Model(21,
            Build.Node("QuantizeLinear", "x s z", "q"), Build.Node("DequantizeLinear", "q s z", "d"),
            Build.Node("Conv", "d w", "c"), Build.Node("QuantizeLinear", "c ss zz", "q2", Build.Int("axis", 1)),
            Build.Node("DequantizeLinear", "q2 ss zz", "y", Build.Int("axis", 1)));
        definition = definition.With([], ["y", "q2"]).With(
            Build.Tensor("s", [0.01f]), Bytes("z", 3), Build.Tensor("w", Build.Random(5, 2, 3, 3, 3).Floats(), 2, 3, 3, 3),
            Build.Tensor("ss", [0.03f, 0.05f], 2), Bytes("zz", -4, 5));
        Same(definition, ("x", Build.Random(1, 2, 3, 7, 5)));
    }

    [TestCase(0, 0, 2)]
    [TestCase(1, 0, 2)]
    [TestCase(0, 1, 1)]
    [TestCase(1, 1, 2)]
    public void Attention_is_computed(long causal, int masked, int groups)
    {
        NodeDef node = Build.Node("Attention", masked == 0 ? "a b c" : "a b c d", "y0", Build.Int("is_causal", causal),
            Build.Int("q_num_heads", 2), Build.Int("kv_num_heads", groups));
        OnnxTensor q = Build.Random(1, 2, 5, 14), k = Build.Random(2, 2, 5, 7 * groups), v = Build.Random(3, 2, 5, 3 * groups);
        Same(node, 1, masked == 0 ? [q, k, v] : [q, k, v, Build.Random(4, 5, 5)]);
    }

    [Test]
    public void Attention_takes_keys_and_values_of_the_past() =>
        Same(Build.Node("Attention", "a b c - d e", "y0 y1 y2", Build.Int("is_causal", 1)), 3, Build.Random(1, 1, 2, 3, 8),
            Build.Random(2, 1, 2, 3, 8), Build.Random(3, 1, 2, 3, 8), Build.Random(4, 1, 2, 5, 8), Build.Random(5, 1, 2, 5, 8));

    [TestCase(0, 8)]
    [TestCase(1, 8)]
    [TestCase(0, 6)]
    public void Positions_turn_pairs(long interleaved, int turned) =>
        Same(Build.Node("RotaryEmbedding", "a c s p", "y0", Build.Int("interleaved", interleaved),
                Build.Int("rotary_embedding_dim", turned)), 1,
            [
                Build.Tensor("c", Build.Random(2, 9, turned / 2).Floats(), 9, turned / 2),
                Build.Tensor("s", Build.Random(3, 9, turned / 2).Floats(), 9, turned / 2),
                Build.Tensor("p", [0L, 5, 8, 1, 2, 3], 2, 3),
            ],
            Build.Random(1, 2, 5, 3, 8));

    [Test]
    public void Volumes_are_convolved_and_pooled()
    {
        Same(Build.Node("Conv", "a w", "y0", Build.Ints("pads", 1, 0, 1, 0, 1, 1), Build.Ints("strides", 1, 2, 1)), 1,
            [Build.Tensor("w", Build.Random(2, 4, 3, 3, 3, 3).Floats(), 4, 3, 3, 3, 3)], Build.Random(1, 2, 3, 5, 7, 4));
        foreach (string name in new[] { "MaxPool", "AveragePool" })
        {
            Same(Build.Node(name, "a", "y0", Build.Ints("kernel_shape", 2, 3, 2), Build.Ints("strides", 2, 1, 2)), 1,
                Build.Random(1, 2, 3, 5, 7, 4));
        }
    }

    [TestCase(0)]
    [TestCase(1)]
    public void Averages_of_windows_that_lie_in_the_padding_for_the_larger_part(long counts) =>
        Same(Build.Node("AveragePool", "a", "y0", Build.Ints("kernel_shape", 3, 2), Build.Ints("strides", 2, 1),
            Build.Ints("pads", 1, 0, 2, 1), Build.Int("count_include_pad", counts)), 1, Build.Random(1, 2, 3, 6, 5));

    [Test]
    public void Transposed_convolutions_of_every_border()
    {
        TensorDef weight = Build.Tensor("w", Build.Random(2, 4, 3, 3, 3).Floats(), 4, 3, 3, 3);
        Same(Build.Node("ConvTranspose", "a w", "y0", Build.Ints("strides", 2, 2), Build.Ints("pads", 1, 1, 1, 1),
            Build.Ints("output_padding", 1, 1)), 1, [weight], Build.Random(1, 2, 4, 5, 7));
        Same(Build.Node("ConvTranspose", "a w", "y0", Build.Ints("strides", 2, 2), Build.Ints("pads", 0, 1, 1, 0)), 1, [weight],
            Build.Random(1, 2, 4, 5, 7));
        Same(Build.Node("ConvTranspose", "a w", "y0", Build.Int("group", 2), Build.Text("auto_pad", "SAME_UPPER"),
            Build.Ints("strides", 2, 3)), 1, [weight], Build.Random(1, 2, 4, 5, 7));
        Same(Build.Node("ConvTranspose", "a w", "y0", Build.Ints("strides", 2), Build.Ints("dilations", 2)), 1,
            [Build.Tensor("w", Build.Random(2, 4, 3, 5).Floats(), 4, 3, 5)], Build.Random(1, 2, 4, 7));
    }

    [Test]
    public void Loops_of_known_length_are_unrolled()
    {
        var body = new GraphDef
        {
            Name = "body",
            Nodes = [Build.Node("Add", "s x", "t"), Build.Node("Identity", "c", "d"), Build.Node("Mul", "t t", "u")],
        };
        body.Inputs.AddRange(new[] { "i", "c", "s" }.Select(name => new ValueDef { Name = name }));
        body.Outputs.AddRange(new[] { "d", "t", "u" }.Select(name => new ValueDef { Name = name }));
        ModelDef definition = Build.Model(17, Build.Node("Loop", "n go x", "y z", Build.Graph("body", body)))
            .With([], ["y", "z"])
            .With(Build.Tensor("n", [3L]), Build.Tensor("go", OnnxElementType.Bool, [], [1]));
        Same(definition, ("x", Build.Random(1, 2, 5)));
    }

    [Test]
    public void Functions_of_the_model_are_recorded()
    {
        var function = new FunctionDef { Name = "Square", Domain = "own" };
        function.Inputs.Add("a");
        function.Outputs.Add("b");
        function.Nodes.Add(Build.Node("Mul", "a a", "b"));
        NodeDef call = Build.Node("Square", "x", "y");
        call.Domain = "own";
        ModelDef definition = Build.Model(17, call).With([], ["y"]);
        definition.Opsets["own"] = 1;
        definition.Functions.Add(function);
        Same(definition, ("x", Build.Random(1, 3, 7)));
    }

    private static TensorDef Floats(string name, int seed, params int[] dims) =>
        Build.Tensor(name, Build.Random(seed, dims).Floats(), [.. dims.Select(extent => (long)extent)]);

    [TestCase("RNN", 1, "forward")]
    [TestCase("RNN", 1, "bidirectional")]
    [TestCase("GRU", 3, "reverse")]
    [TestCase("LSTM", 4, "bidirectional")]
    public void Recurrent_networks_take_lengths_and_name_the_usual_activations(string name, int gates, string direction)
    {
        int directions = direction == "bidirectional" ? 2 : 1;
        string[] usual = name switch { "RNN" => ["Tanh"], "GRU" => ["Sigmoid", "Tanh"], _ => ["Sigmoid", "Tanh", "Tanh"] };
        AttributeDef[] attributes =
        [
            Build.Text("direction", direction), Build.Int("hidden_size", 5), Build.Int("linear_before_reset", 1),
            Build.Texts("activations", [.. Enumerable.Repeat(usual, directions).SelectMany(names => names)]),
        ];
        TensorDef[] weights =
            [Floats("w", 1, directions, gates * 5, 4), Floats("r", 2, directions, gates * 5, 5),
            Floats("v", 3, directions, gates * 10)];
        string outputs = name == "LSTM" ? "y0 y1 y2" : "y0 y1";
        int count = outputs.Split(' ').Length;
        Same(Build.Node(name, "a w r v", outputs, attributes), count, weights, Build.Random(4, 6, 3, 4));
        Same(Build.Node(name, "a w r v b", outputs, attributes), count, weights, Build.Random(4, 6, 3, 4),
            OnnxTensor.Create([6, 2, 1], 3));
    }

    /// <summary>What the engine's operator lacks is recorded step by step, and the batch may stand first.</summary>
    [TestCase("GRU", "forward", "")]
    [TestCase("GRU", "bidirectional", "")]
    [TestCase("GRU", "reverse", "clip")]
    [TestCase("GRU", "forward", "linear clip")]
    [TestCase("GRU", "forward", "Softsign Relu")]
    [TestCase("LSTM", "forward", "peepholes")]
    [TestCase("LSTM", "bidirectional", "peepholes clip")]
    [TestCase("LSTM", "reverse", "coupled")]
    [TestCase("LSTM", "forward", "Sigmoid Tanh Softplus")]
    [TestCase("RNN", "bidirectional", "clip")]
    [TestCase("RNN", "reverse", "Elu")]
    [TestCase("GRU", "bidirectional", "linear")]
    [TestCase("LSTM", "bidirectional", "")]
    [TestCase("RNN", "forward", "")]
    public void Recurrent_networks_of_every_form_and_layout(string name, string direction, string form)
    {
        (int steps, int batch, int width, int units) = (6, 3, 4, 5);
        int directions = direction == "bidirectional" ? 2 : 1, gates = name switch { "RNN" => 1, "GRU" => 3, _ => 4 };
        string[] activations = [.. form.Split(' ').Where(word => word.Length > 0 && char.IsUpper(word[0]))];
        TensorDef[] weights =
        [
            Floats("w", 1, directions, gates * units, width), Floats("r", 2, directions, gates * units, units),
            Floats("v", 3, directions, 2 * gates * units), Floats("p", 4, directions, 3 * units),
        ];
        string outputs = name == "LSTM" ? "y0 y1 y2" : "y0 y1", last = name == "LSTM" ? " b b" : " b";
        last += form.Contains("peepholes", StringComparison.Ordinal) ? " p" : "";
        for (int layout = 0; layout < 2; layout++)
        {
            var attributes = new List<AttributeDef>
            {
                Build.Text("direction", direction), Build.Int("hidden_size", units), Build.Int("layout", layout),
                Build.Int("linear_before_reset", form.Contains("linear", StringComparison.Ordinal) ? 1 : 0),
            };
            if (form.Contains("coupled", StringComparison.Ordinal))
            {
                attributes.Add(Build.Int("input_forget", 1));
            }

            if (form.Contains("clip", StringComparison.Ordinal))
            {
                attributes.Add(Build.Number("clip", 0.3f));
            }

            if (activations.Length > 0)
            {
                attributes.Add(Build.Texts(
                    "activations", [.. Enumerable.Repeat(activations, directions).SelectMany(names => names)]));
            }

            OnnxTensor x = layout == 0 ? Build.Random(5, steps, batch, width) : Build.Random(5, batch, steps, width);
            OnnxTensor h = layout == 0 ? Build.Random(6, directions, batch, units) : Build.Random(6, batch, directions, units);
            int count = outputs.Split(' ').Length;
            if (!last.EndsWith('p'))
            {
                Same(Build.Node(name, "a w r", outputs, [.. attributes]), count, weights[..2], x);
            }

            Same(Build.Node(name, $"a w r v -{last}", outputs, [.. attributes]), count, weights, x, h);
            Same(Build.Node(name, $"a w r v c{last}", outputs, [.. attributes]), count, weights, x, h,
                OnnxTensor.Create([6, 1, 3], 3));
        }
    }

    [Test]
    public void A_recurrent_network_of_relu_runs() => Same(
        Build.Node("RNN", "a w r", "y0 y1", Build.Int("hidden_size", 5), Build.Texts("activations", "Relu")), 2,
        [Floats("w", 1, 1, 5, 4), Floats("r", 2, 1, 5, 5)], Build.Random(4, 6, 3, 4));

    [TestCase("linear", "half_pixel", 1.7f, 0)]
    [TestCase("linear", "half_pixel", 0.4f, 1)]
    [TestCase("linear", "asymmetric", 2f, 0)]
    [TestCase("cubic", "align_corners", 0.5f, 0)]
    [TestCase("cubic", "half_pixel", 2.3f, 0)]
    [TestCase("nearest", "half_pixel", 1.7f, 0)]
    [TestCase("nearest", "align_corners", 2f, 0)]
    public void Images_are_resized_by_any_factor(string mode, string coordinates, float scale, long antialias) => Same(
        Build.Node("Resize", "a - s", "y0", Build.Text("mode", mode), Build.Text("coordinate_transformation_mode", coordinates),
            Build.Int("antialias", antialias)),
        1, [Build.Tensor("s", [1f, 1, scale, scale * 0.8f], 4)], Build.Random(1, 2, 3, 7, 11));

    [TestCase(1, true)]
    [TestCase(0, false)]
    public void Spectra_of_frames(long oneSided, bool hasWindow) => Same(
        Build.Node("STFT", hasWindow ? "a s w" : "a s - n", "y0", Build.Int("onesided", oneSided)), 1,
        [Build.Tensor("s", [5L]), Build.Tensor("n", [12L]), Floats("w", 1, 12)], Build.Random(2, 2, 47, 1));

    private static OnnxTensor Bytes(int seed, params int[] dims) =>
        OnnxTensor.Create(Array.ConvertAll(Build.Random(seed, dims).Floats(), value => (byte)(127 + (value * 120))), dims);

    private static TensorDef SignedBytes(string name, int seed, params int[] dims) => Build.Tensor(
        name, OnnxElementType.Int8, [.. dims.Select(extent => (long)extent)],
        Array.ConvertAll(Build.Random(seed, dims).Floats(), value => unchecked((byte)(sbyte)(value * 100))));

    private static TensorDef Byte(string name, byte value) => Build.Tensor(name, OnnxElementType.UInt8, [], [value]);

    [Test]
    public void Dynamic_quantization_and_products_of_integers()
    {
        ModelDef model = Build.Model(17,
            Build.Node("DynamicQuantizeLinear", "a", "q s z"), Build.Node("MatMulInteger", "q w z v", "p"),
            Build.Node("Cast", "p", "f", Build.Int("to", 1)), Build.Node("Mul", "f s", "y0"))
            .With(SignedBytes("w", 1, 13, 5), Build.Tensor("v", OnnxElementType.Int8, [5], [0, 3, 250, 0, 9]));
        model.Graph!.Outputs.AddRange([new ValueDef { Name = "y0" }, new ValueDef { Name = "q" }, new ValueDef { Name = "z" }]);
        Same(model, ("a", Build.Random(2, 3, 7, 13)));
    }

    [Test]
    public void Convolutions_of_integers() => Same(
        Build.Node("ConvInteger", "a w z", "y0", Build.Ints("pads", 1, 1, 1, 1), Build.Int("group", 2)), 1,
        [SignedBytes("w", 1, 4, 3, 3, 3), Byte("z", 120)], Bytes(2, 2, 6, 7, 5));

    [Test]
    public void Quantized_convolutions_and_products()
    {
        Same(Build.Node("QLinearConv", "a s z w t v u x i", "y0", Build.Ints("strides", 2, 2)), 1,
            [
                Build.Tensor("s", [0.02f]), Byte("z", 120), SignedBytes("w", 1, 4, 6, 3, 3),
                    Build.Tensor("t", [0.01f, 0.02f, 0.03f, 0.005f], 4),
                Build.Tensor("v", OnnxElementType.Int8, [4], [0, 0, 0, 0]), Build.Tensor("u", [0.31f]), Byte("x", 100),
                Build.Tensor("i", OnnxElementType.Int32, [4], [1, 0, 0, 0, 200, 1, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]),
            ],
            Bytes(2, 2, 6, 9, 9));
        Same(Build.Node("QLinearMatMul", "a s z w t v u x", "y0"), 1,
            [
                Build.Tensor("s", [0.02f]), Byte("z", 120), SignedBytes("w", 1, 6, 5), Build.Tensor("t", [0.03f]),
                Build.Tensor("v", OnnxElementType.Int8, [], [0]), Build.Tensor("u", [0.37f]), Byte("x", 100),
            ],
            Bytes(2, 2, 3, 6));
    }

    [Test]
    public void Positions_of_maxima_are_indices()
    {
        ModelDef model = Build.Model(17,
            Build.Node("ArgMax", "a", "i", Build.Int("axis", 1), Build.Int("keepdims", 0)), Build.Node("Gather", "t i", "y0"))
            .With(Floats("t", 1, 7, 3));
        model.Graph!.Outputs.AddRange([new ValueDef { Name = "y0" }, new ValueDef { Name = "i" }]);
        Same(model, ("a", Build.Random(2, 5, 7)));
    }

    [Test]
    public void A_part_of_no_elements_is_joined() => Same(
        Build.Model(17, Build.Node("Slice", "a n n o", "e"), Build.Node("Slice", "a n m o", "f"), Build.Node("Concat", "f e", "y0",
            Build.Int("axis", 1))).With(Longs("n", 0), Longs("m", 9), Longs("o", 1)).Of("y0", null),
            ("a", Build.Random(1, 2, 5)));

    [TestCase(OnnxElementType.Float16)]
    [TestCase(OnnxElementType.BFloat16)]
    public void Narrow_floats_are_computed_in_float32_and_rounded_once(OnnxElementType narrow)
    {
        var weights = (OnnxTensor)Host.Numbers.Convert(Build.Random(1, 6, 5), narrow);
        ModelDef definition = Build.Model(17,
                Build.Node("MatMul", "x w", "a"), Build.Node("Relu", "a", "b"), Build.Node("Cast", "b", "c", Build.Int("to", 1)),
                Build.Node("Softmax", "c", "d"), Build.Node("Cast", "d", "e", Build.Int("to", (long)narrow)), Build.Node("Add", "e k", "y"))
            .With(Build.Tensor("w", narrow, [6, 5], weights.Bytes().ToArray()),
                Build.Tensor("k", narrow, [1], ((OnnxTensor)Host.Numbers.Convert(OnnxTensor.Create([1f], 1),
                narrow)).Bytes().ToArray()))
            .Of("x", ["batch", "6"]).Of("y", null);
        definition.Graph!.Inputs[0].Type!.Element = narrow;
        definition.Graph.Outputs[0].Type = new TypeDef { Element = narrow };
        using OnnxModel model = definition.Load();
        using OnnxSession session = model.Compile(_device);
        var inputs = new Dictionary<string, OnnxValue> { ["x"] = Host.Numbers.Convert(Build.Random(2, 3, 6), narrow) };
        Assert.That(session.HostReason(inputs), Is.Null);
        var (wanted, got) = ((OnnxTensor)model.Evaluate(inputs)[0]!, (OnnxTensor)session.Run(inputs)[0]!);
        Assert.That(got.ToString(), Is.EqualTo(wanted.ToString()));
        double step = narrow == OnnxElementType.Float16 ? 1 / 512.0 : 1 / 64.0;
        Assert.That(Host.Numbers.Doubles(got), Is.EqualTo(Host.Numbers.Doubles(wanted)).Within(step));
    }

    [TestCase("Div", 1)]
    [TestCase("Div", 7)]
    [TestCase("Div", 46341)]
    [TestCase("Mod", 7)]
    [TestCase("Mod", 1000003)]
    public void Integers_are_divided_exactly(string name, long divisor)
    {
        long[] values = [0, 1, -1, 6, 7, 8, -7, -8, -6, 16777217, 33554431, -33554433, 2147483647, -2147483647, 2147395600,
            46340];
        Same(Build.Node(name, "a d", "y0"), 1, [Build.Tensor("d", [divisor])], OnnxTensor.Create(values, 4, 4));
    }

    [Test]
    public void Integers_have_functions_bounds_and_sums()
    {
        foreach (string name in new[] { "Abs", "Neg", "Relu", "ReduceMax", "ReduceMin", "ReduceSum" })
        {
            Same(Build.Node(name, "a", "y0"), 1, Integers(1, 50, 3, 7));
        }

        Same(Build.Node("Clip", "a l h", "y0"), 1, [Build.Tensor("l", [-9L]), Build.Tensor("h", [17L])], Integers(1, 50, 3, 7));
        Same(Build.Node("Clip", "a - h", "y0"), 1, [Build.Tensor("h", [17L])], Integers(1, 50, 3, 7));
    }

    [TestCase("Max")]
    [TestCase("Min")]
    public void The_largest_of_several_tensors(string name)
    {
        Same(Build.Node(name, "a b k c", "y0"), 1, [Floats("k", 9, 7)], Build.Random(1, 3, 7), Build.Random(2, 1, 7),
            Build.Random(3, 3, 1));
        Same(Build.Node(name, "a", "y0"), 1, Build.Random(1, 3, 7));
    }

    [TestCase("a b c")]
    [TestCase("a b -")]
    [TestCase("a - c")]
    [TestCase("a b h")]
    public void Bounds_may_be_computed(string inputs)
    {
        Same(Build.Node("Clip", inputs, "y0"), 1, [Build.Tensor("h", [0.5f])], Build.Random(1, 2, 3, 7),
            OnnxTensor.Create([-0.2f]), OnnxTensor.Create([0.4f]));
        Same(Build.Node("Clip", inputs, "y0"), 1, [Build.Tensor("h", [12L])], Integers(2, 50, 3, 7),
            OnnxTensor.Create([-9L]), OnnxTensor.Create([20L]));
    }

    [Test]
    public void Bounds_that_follow_from_a_tensor_clip_images_as_they_lie() => Same(
        Build.Model(17,
                Build.Node("Conv", "x w", "i"), Build.Node("ReduceMean", "x", "m", Build.Int("keepdims", 0)),
                Build.Node("Neg", "m", "n"), Build.Node("Abs", "m", "h"), Build.Node("Clip", "i n h", "y"))
            .With([], ["y"]).With(Floats("w", 1, 4, 2, 3, 3)),
        ("x", Build.Random(2, 2, 2, 6, 7)));

    [Test]
    public void Maxima_of_bytes_are_found()
    {
        var random = new Random(3);
        var bytes = new byte[2 * 3 * 9 * 11];
        random.NextBytes(bytes);
        NodeDef node = Build.Node(
            "MaxPool", "a", "y0", Build.Ints("kernel_shape", 3, 2), Build.Ints("strides", 2, 2), Build.Ints("pads", 1, 0, 1, 0));
        Same(node, 1, OnnxTensor.Create(bytes, 2, 3, 9, 11));
        Same(node, 1, OnnxTensor.Create(Array.ConvertAll(bytes, value => (sbyte)(value - 256)), 2, 3, 9, 11));
    }
}
