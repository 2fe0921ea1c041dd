using FastNN.Onnx.Model;

namespace FastNN.Onnx.Tests;

/// <summary>
/// Operators that came after the suite which the other tests run (opsets 23 to 27), against references of our own from the text
/// of the standard.
/// </summary>
public sealed class NewOperatorTests
{
    private static void Near(OnnxValue? value, IReadOnlyList<double> wanted)
    {
        float[] got = value.Floats();
        Assert.That(got, Has.Length.EqualTo(wanted.Count));
        for (int i = 0; i < got.Length; i++)
        {
            Assert.That(got[i], Is.EqualTo(wanted[i]).Within(1e-5 + (1e-5 * Math.Abs(wanted[i]))), $"at {i}");
        }
    }

    /// <summary>Attention of one batch, [H, T, D] with as many heads of keys, the scores as a whole matrix.</summary>
    private static (double[] Y, double[] Scores) Reference(
        float[] q, float[] k, float[] v, int heads, int queries, int keys, int width, int valueWidth, Func<int, int, int,
            double> bias,
        double cap = 0)
    {
        double[] y = new double[heads * queries * valueWidth], scores = new double[heads * queries * keys];
        for (int h = 0; h < heads; h++)
        {
            for (int i = 0; i < queries; i++)
            {
                double[] row = new double[keys];
                for (int j = 0; j < keys; j++)
                {
                    for (int d = 0; d < width; d++)
                    {
                        row[j] += q[(((h * queries) + i) * width) + d] * (double)k[(((h * keys) + j) * width) + d];
                    }

                    row[j] /= Math.Sqrt(width);
                    row[j] = cap > 0 ? Math.Tanh(row[j] / cap) * cap : row[j];
                    row[j] += bias(h, i, j);
                }

                double[] e = [.. row.Select(s => Math.Exp(s))];
                for (int j = 0; j < keys; j++)
                {
                    double p = e.Sum() == 0 ? 0 : e[j] / e.Sum();
                    scores[(((h * queries) + i) * keys) + j] = p;
                    for (int d = 0; d < valueWidth; d++)
                    {
                        y[(((h * queries) + i) * valueWidth) + d] += p * v[(((h * keys) + j) * valueWidth) + d];
                    }
                }
            }
        }

        return (y, scores);
    }

    [Test]
    public void Attention_is_that_of_whole_matrices([Values] bool causal, [Values(0, 2)] double cap)
    {
        OnnxTensor q = Build.Random(1, 1, 2, 3, 4), k = Build.Random(2, 1, 2, 5, 4), v = Build.Random(3, 1, 2, 5, 6);
        (double[] y, _) = Reference(
            q.Floats(), k.Floats(), v.Floats(), 2, 3, 5, 4, 6, (_, i, j) => causal && j > i ? double.NegativeInfinity : 0, cap);
        OnnxValue?[] got = Build.Run(24, "Attention", [q, k, v], 1, Build.Int("is_causal", causal ? 1 : 0),
            Build.Number("softcap", (float)cap));
        Near(got[0], y);
    }

    [Test]
    public void Attention_takes_masks_of_truth_values_and_of_numbers()
    {
        OnnxTensor q = Build.Random(1, 1, 2, 3, 4), k = Build.Random(2, 1, 2, 5, 4), v = Build.Random(3, 1, 2, 5, 4),
            mask = Build.Random(4, 3, 5);
        (double[] added, _) = Reference(q.Floats(), k.Floats(), v.Floats(), 2, 3, 5, 4, 4, (_, i, j) =>
            mask.Floats()[(i * 5) + j]);
        Near(Build.Run(24, "Attention", [q, k, v, mask], 1)[0], added);

        // The second query sees nothing, and its output is zeros.
        bool[] seen = [true, false, true, true, false, false, false, false, false, false, true, true, true, true, true];
        (double[] hidden, _) = Reference(
            q.Floats(), k.Floats(), v.Floats(), 2, 3, 5, 4, 4, (_, i, j) => seen[(i * 5) + j] ? 0 : double.NegativeInfinity);
        Near(Build.Run(24, "Attention", [q, k, v, OnnxTensor.Create(seen, 3, 5)], 1)[0], hidden);
    }

    [Test]
    public void Attention_with_a_cache_goes_on_where_it_was()
    {
        OnnxTensor q = Build.Random(1, 1, 2, 5, 4), k = Build.Random(2, 1, 2, 5, 4), v = Build.Random(3, 1, 2, 5, 4);
        OnnxValue? whole = Build.Run(24, "Attention", [q, k, v], 1, Build.Int("is_causal", 1))[0];
        OnnxTensor Part(OnnxTensor x, int from, int count) => Host.Shapes.Slice(x, 2, from, count);
        OnnxValue?[] second = Build.Run(
            24, "Attention", [Part(q, 3, 2), Part(k, 3, 2), Part(v, 3, 2), null, Part(k, 0, 3), Part(v, 0, 3)], 3,
                Build.Int("is_causal", 1));
        Near(second[0], [.. Part((OnnxTensor)whole!, 3, 2).Floats().Select(f => (double)f)]);
        Near(second[1], [.. k.Floats().Select(f => (double)f)]);
        Near(second[2], [.. v.Floats().Select(f => (double)f)]);
    }

    [Test]
    public void Grouped_queries_share_keys_and_heads_may_be_packed()
    {
        OnnxTensor q = Build.Random(1, 2, 3, 4 * 2), k = Build.Random(2, 2, 5, 2 * 2), v = Build.Random(3, 2, 5, 2 * 2);
        OnnxTensor Heads(OnnxTensor x, int heads) =>
            Host.Shapes.Transpose(x.WithDims([x.Dims[0], x.Dims[1], heads, x.Dims[2] / heads]), [0, 2, 1, 3]);
        OnnxTensor Twice(OnnxTensor x) =>
            Host.Shapes.BroadcastTo(x.WithDims([2, 2, 1, 5, 2]), [2, 2, 2, 5, 2]).WithDims([2, 4, 5, 2]);
        OnnxValue? packed = Build.Run(24, "Attention", [q, k, v], 1, Build.Int("q_num_heads", 4),
            Build.Int("kv_num_heads", 2))[0];
        OnnxValue? wide = Build.Run(24, "Attention", [Heads(q, 4), Twice(Heads(k, 2)), Twice(Heads(v, 2))], 1)[0];
        Near(packed, [.. Host.Shapes.Transpose((OnnxTensor)wide!, [0, 2, 1, 3]).Floats().Select(f => (double)f)]);
    }

    [Test]
    public void Attention_gives_its_scores_at_each_stage()
    {
        OnnxTensor q = Build.Random(1, 1, 1, 3, 4), k = Build.Random(2, 1, 1, 5, 4), v = Build.Random(3, 1, 1, 5, 4);
        (_, double[] probabilities) = Reference(q.Floats(), k.Floats(), v.Floats(), 1, 3, 5, 4, 4, (_, _, _) => 0);
        OnnxValue?[] got = Build.Run(24, "Attention", [q, k, v], 4, Build.Int("qk_matmul_output_mode", 3));
        Near(got[3], probabilities);
    }

    [Test]
    public void Attention_sees_a_window_and_the_valid_keys_alone()
    {
        OnnxTensor q = Build.Random(1, 1, 2, 4, 4), k = Build.Random(2, 1, 2, 6, 4), v = Build.Random(3, 1, 2, 6, 4);
        (double[] windowed, _) = Reference(
            q.Floats(), k.Floats(), v.Floats(), 2, 4, 6, 4, 4, (_, i, j) => j < i - 2 || j > i + 1 ? double.NegativeInfinity : 0);
        Near(Build.Run("Attention", [q, k, v], 1, Build.Int("left_window_size", 2), Build.Int("right_window_size", 1))[0],
            windowed);

        // Five of six keys are valid, so the four queries stand at places 1 to 4.
        (double[] valid, _) = Reference(
            q.Floats(), k.Floats(), v.Floats(), 2, 4, 6, 4, 4, (_, i, j) => j > i + 1 || j >= 5 ? double.NegativeInfinity : 0);
        OnnxValue?[] inputs = [q, k, v, null, null, null, OnnxTensor.Create([5L], 1)];
        Near(Build.Run(24, "Attention", inputs, 1, Build.Int("is_causal", 1))[0], valid);
    }

    [Test]
    public void Rms_normalization_divides_by_the_root_of_the_mean_square()
    {
        OnnxTensor x = Build.Random(1, 2, 3, 4), scale = Build.Random(2, 4);
        double[] wanted = [.. x.Floats().Select((value, i) =>
            value / Math.Sqrt(x.Floats().Skip(i / 4 * 4).Take(4).Average(f => (double)f * f) + 1e-5) * scale.Floats()[i % 4])];
        Near(Build.Run(23, "RMSNormalization", [x, scale], 1)[0], wanted);
    }

    [Test]
    public void Rotary_embedding_turns_pairs([Values] bool interleaved, [Values(0, 2)] int turned)
    {
        OnnxTensor x = Build.Random(1, 1, 2, 3, 4);
        int half = (turned == 0 ? 4 : turned) / 2;
        double Angle(int t, int d) => 0.3 * (t + 1) * (d + 1);
        float[] Table(Func<double, double> f) =>
            [.. Enumerable.Range(0, 3 * half).Select(i => (float)f(Angle(i / half, i % half)))];
        var wanted = x.Floats().Select(f => (double)f).ToArray();
        for (int row = 0; row < 6; row++)
        {
            for (int d = 0; d < half; d++)
            {
                int a = (row * 4) + (interleaved ? 2 * d : d), b = a + (interleaved ? 1 : half);
                var z = new System.Numerics.Complex(wanted[a], wanted[b])
                    * System.Numerics.Complex.FromPolarCoordinates(1, Angle(row % 3, d));
                (wanted[a], wanted[b]) = (z.Real, z.Imaginary);
            }
        }

        OnnxValue?[] inputs = [x, OnnxTensor.Create(Table(Math.Cos), 3, half), OnnxTensor.Create(Table(Math.Sin), 3, half),
            OnnxTensor.Create([0L, 1, 2], 1, 3)];
        Near(Build.Run(23, "RotaryEmbedding", inputs, 1, Build.Int("interleaved", interleaved ? 1 : 0),
            Build.Int("rotary_embedding_dim", turned))[0], wanted);
    }

    [Test]
    public void Swish_is_x_times_sigmoid_of_alpha_x()
    {
        OnnxTensor x = Build.Random(1, 17);
        Near(Build.Run(24, "Swish", [x], 1, Build.Number("alpha", 1.5f))[0],
            [.. x.Floats().Select(f => f / (1 + Math.Exp(-1.5 * f)))]);
    }

    [Test]
    public void Tensor_scatter_writes_where_each_example_stands([Values] bool circular)
    {
        OnnxTensor cache = OnnxTensor.Create(new float[2 * 4 * 2], 2, 4, 2),
            update = OnnxTensor.Create([1f, 2, 3, 4, 5, 6, 7, 8], 2, 2, 2);
        OnnxValue?[] inputs = [cache, update, OnnxTensor.Create([1L, circular ? 3L : 2L], 2)];
        OnnxValue? got = Build.Run(24, "TensorScatter", inputs, 1, Build.Text("mode", circular ? "circular" : "linear"))[0];
        Near(got, circular ? [0, 0, 1, 2, 3, 4, 0, 0, 7, 8, 0, 0, 0, 0, 5, 6] : [0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 5, 6, 7, 8]);
    }

    [Test]
    public void Cumulative_products_go_either_way_with_or_without_their_own_element()
    {
        OnnxTensor x = OnnxTensor.Create([1f, 2, 3, 4], 4), axis = OnnxTensor.Create([0L]);
        Near(Build.Run("CumProd", [x, axis], 1)[0], [1, 2, 6, 24]);
        Near(Build.Run("CumProd", [x, axis], 1, Build.Int("exclusive", 1))[0], [1, 1, 2, 6]);
        Near(Build.Run("CumProd", [x, axis], 1, Build.Int("reverse", 1))[0], [24, 24, 12, 4]);
        Near(Build.Run("CumProd", [x, axis], 1, Build.Int("reverse", 1), Build.Int("exclusive", 1))[0], [24, 12, 4, 1]);
    }

    [Test]
    public void Sums_of_long_integers_keep_every_bit()
    {
        OnnxValue? sum = Build.Run(22, "ReduceSum", [OnnxTensor.Create([(1L << 53) + 1, 2L], 2)], 1, Build.Int("keepdims", 0))[0];
        Assert.That(((OnnxTensor)sum!).Values<long>()[0], Is.EqualTo((1L << 53) + 3));
    }

    [Test]
    public void Bit_cast_keeps_the_bits()
    {
        OnnxValue? bits = Build.Run("BitCast", [OnnxTensor.Create([1f, -2f], 2)], 1,
            Build.Int("to", (int)OnnxElementType.Int32))[0];
        Assert.That(((OnnxTensor)bits!).Values<int>().ToArray(), Is.EqualTo(new[] { 0x3F800000, unchecked((int)0xC0000000) }));
        Assert.That(() => Build.Run("BitCast", [OnnxTensor.Create([1f], 1)], 1, Build.Int("to", (int)OnnxElementType.Int64)),
            Throws.TypeOf<OnnxException>().With.Message.Contains("a type of 32 bits, got INT64"));
    }

    [Test]
    public void Linear_attention_updates_a_matrix_per_head([Values("linear", "gated", "delta", "gated_delta")] string rule)
    {
        const int Steps = 4, Width = 3, ValueWidth = 2;
        OnnxTensor q = Build.Random(1, 1, Steps, Width), k = Build.Random(2, 1, Steps, Width),
            v = Build.Random(3, 1, Steps, ValueWidth);
        OnnxTensor decay = Build.Random(4, 1, Steps, 1), beta = Build.Random(5, 1, Steps, 1);
        bool gated = rule.StartsWith("gated", StringComparison.Ordinal), delta = rule.EndsWith("delta", StringComparison.Ordinal);
        var state = new double[Width, ValueWidth];
        var wanted = new List<double>();
        for (int t = 0; t < Steps; t++)
        {
            var next = new double[Width, ValueWidth];
            for (int d = 0; d < ValueWidth; d++)
            {
                double g = gated ? Math.Exp(decay.Floats()[t]) : 1, known = 0;
                for (int i = 0; i < Width; i++)
                {
                    known += g * state[i, d] * k.Floats()[(t * Width) + i];
                }

                for (int i = 0; i < Width; i++)
                {
                    double write = v.Floats()[(t * ValueWidth) + d] - (delta ? known : 0);
                    next[i, d] = (g * state[i, d]) + ((delta ? beta.Floats()[t] : 1) * k.Floats()[(t * Width) + i] * write);
                }
            }

            state = next;
            for (int d = 0; d < ValueWidth; d++)
            {
                wanted.Add(Enumerable.Range(0, Width).Sum(i => q.Floats()[(t * Width) + i] * state[i, d]) / Math.Sqrt(Width));
            }
        }

        OnnxValue?[] got = Build.Run(27, "LinearAttention", [q, k, v, null, decay, beta], 2,
            Build.Int("q_num_heads", 1), Build.Int("kv_num_heads", 1), Build.Text("update_rule", rule));
        Near(got[0], wanted);
        Near(got[1], [.. state.Cast<double>()]);
    }

    [Test]
    public void Causal_convolution_carries_its_past_from_call_to_call()
    {
        OnnxTensor x = Build.Random(1, 1, 2, 7), weight = Build.Random(2, 2, 1, 3), bias = Build.Random(3, 2);
        OnnxValue?[] whole = Build.Run(27, "CausalConvWithState", [x, weight, bias], 2);
        OnnxValue?[] first = Build.Run(27, "CausalConvWithState", [Host.Shapes.Slice(x, 2, 0, 4), weight, bias], 2);
        OnnxValue?[] second = Build.Run(27, "CausalConvWithState", [Host.Shapes.Slice(x, 2, 4, 3), weight, bias, first[1]], 2);
        Near(second[0], [.. Host.Shapes.Slice((OnnxTensor)whole[0]!, 2, 4, 3).Floats().Select(f => (double)f)]);
        Near(second[1], [.. whole[1].Floats().Select(f => (double)f)]);
        double last = bias.Floats()[1] + Enumerable.Range(0, 3).Sum(i => (double)weight.Floats()[3 + i] * x.Floats()[11 + i]);
        Assert.That(whole[0].Floats()[^1], Is.EqualTo(last).Within(1e-5));
    }

    [Test]
    public void Flexible_attention_passes_scores_and_probabilities_through_the_nodes_graphs()
    {
        GraphDef Times(string name, string factor) => new()
        {
            Name = name,
            Nodes = [Build.Node("Mul", $"s {factor}", "t")],
            Inputs = [new ValueDef { Name = "s" }],
            Outputs = [new ValueDef { Name = "t" }],
            Initializers = [Build.Tensor("two", [2f]), Build.Tensor("half", [0.5f])],
        };
        NodeDef node = Build.Node("FlexAttention", "q k v", "y", Build.Number("scale", 0.25f),
            Build.Graph("score_mod", Times("double", "two")), Build.Graph("prob_mod", Times("halve", "half")));
        node.Domain = "ai.onnx.preview";
        ModelDef definition = Build.Model(26, node).With(["q", "k", "v"], ["y"]);
        definition.Opsets["ai.onnx.preview"] = 1;
        using OnnxModel model = definition.Load();
        OnnxTensor q = Build.Random(1, 2, 4, 3, 5), k = Build.Random(2, 2, 2, 7, 5), v = Build.Random(3, 2, 2, 7, 3);
        float[] y = model.Evaluate(new Dictionary<string, OnnxValue> { ["q"] = q, ["k"] = k, ["v"] = v })[0].Floats();
        float[] wanted = Build.Run(24, "Attention", [q, k, v], 1, Build.Number("scale", 0.5f))[0].Floats();
        Assert.That(y, Is.EqualTo(wanted.Select(value => value / 2)).Within(1e-6));
    }
}
