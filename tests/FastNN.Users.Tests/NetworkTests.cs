namespace FastNN.Users.Tests;

/// <summary>Networks beyond a chain of layers, written with public members.</summary>
internal sealed class NetworkTests(string kind) : UserFixture(kind)
{
    [Test]
    public void A_recorded_graph_is_compiled_and_run_at_any_batch_size()
    {
        var graph = new Graph(GraphMode.Inference);
        Value a = graph.Input([Dim.Batch, 3], name: "a"), b = graph.Input([Dim.Batch, 3], name: "b");
        using Session session = graph.Compile(Device, [("sum", (a * b).Sum([-1])), ("largest", (a - b).Max([-1]))]);
        foreach (int batch in (int[])[1, 4])
        {
            float[] x = Numbers(3 * batch, 1), y = Numbers(3 * batch, 2), sum = new float[batch], largest = new float[batch];
            using SessionRun run = session.Begin([batch, 3], [batch, 3]);
            run.Write<float>("a", x);
            run.Write<float>("b", y);
            run.Compute();
            run.Read<float>("sum", sum);
            run.Read<float>("largest", largest);
            for (int i = 0; i < batch; i++)
            {
                Assert.That(sum[i], Is.EqualTo(Enumerable.Range(3 * i, 3).Sum(k => x[k] * y[k])).Within(1e-5f));
                Assert.That(largest[i], Is.EqualTo(Enumerable.Range(3 * i, 3).Max(k => x[k] - y[k])).Within(1e-6f));
            }
        }
    }

    [Test]
    public void A_model_with_two_inputs_and_two_outputs_learns_both()
    {
        Device device = Device;
        Symbol left = Model.Input("left", [2]), right = Model.Input("right", [1]);
        Layer both = new Dense(16, Activation.Tanh) { Name = "both" };
        Symbol hidden = both.Apply(Symbol.Concat(left, right));
        var model = new Model(
            [left, right],
            [("sum", new Dense(1) { Name = "sum" }.Apply(hidden)), ("sign", new Dense(2) { Name = "sign" }.Apply(hidden))]);
        model.Build(seed: 3);
        using var weights = new DeviceWeights(device, model);
        using var step = new TrainingStep(weights, s =>
        {
            IReadOnlyList<Value> outputs = model.Apply(s.Input("left", [Dim.Batch, 2]), s.Input("right", [Dim.Batch, 1]));
            Value sum = s.Input("sum", [Dim.Batch, 1]), sign = s.Input("sign", [Dim.Batch], DType.Int32);
            s.Loss("sum", Loss.MeanSquaredError.Apply(outputs[0], sum));
            s.Loss("sign", Loss.SparseCrossEntropy.Apply(outputs[1], sign), 0.5f);
            s.Metric("R2", Metric.R2, outputs[0], sum);
            s.Metric("accuracy", Metric.Accuracy, outputs[1], sign, Loss.SparseCrossEntropy);
        }, [(new Adam(0.02f), model.Parameters)]);
        float[] a = Numbers(64, 1), b = Numbers(32, 2), total = [.. b.Select((value, i) => value + a[2 * i] - a[(2 * i) + 1])];
        int[] signs = [.. total.Select(value => value > 0 ? 1 : 0)];
        float first = 0, last = 0;
        step.Begin([32, 2], [32, 1]);
        for (int i = 0; i < 200; i++)
        {
            step.ResetMetrics();
            step.Write("left", a);
            step.Write("right", b);
            step.Write("sum", total);
            step.Write("sign", signs);
            last = step.Run();
            first = i == 0 ? last : first;
        }

        Assert.That(last, Is.LessThan(first / 5));
        Assert.That(step.ReadMetric("R2"), Is.GreaterThan(0.9));
        Assert.That(step.ReadMetric("accuracy"), Is.GreaterThan(0.9));
    }

    [Test]
    public void A_variational_autoencoder_trains()
    {
        Sequential encoder = new(new Dense(12, Activation.Tanh) { Name = "a" }, new Dense(4) { Name = "b" });
        Sequential decoder = new(new Dense(12, Activation.Tanh) { Name = "a" }, new Dense(6) { Name = "b" });
        encoder.Build([6], 1);
        decoder.Build([2], 2);
        using var weights = new DeviceWeights(Device, encoder, decoder);
        using var step = new TrainingStep(weights, s =>
        {
            Value x = s.Input("x", [Dim.Batch, 6]), noise = s.Input("noise", [Dim.Batch, 2]);
            Value[] moments = encoder.Apply(x).Chunk(2);
            (Value mean, Value logVariance) = (moments[0], moments[1]);
            Value y = decoder.Apply(mean + (noise * (0.5f * logVariance).Exp()));
            s.Loss("reconstruction", (y - x).Square().Sum([-1]).Mean());
            s.Loss("divergence", -0.5f * (1 + logVariance - mean.Square() - logVariance.Exp()).Sum([-1]).Mean(), 0.01f);
        }, [(new Adam(0.01f), [.. encoder.Parameters, .. decoder.Parameters])]);
        float[] x = [.. Enumerable.Range(0, 16).SelectMany(i => Enumerable.Range(0, 6).Select(k => MathF.Sin(i + (0.5f * k))))];
        step.Begin([16, 6]);
        float first = 0, last = 0;
        for (int i = 0; i < 300; i++)
        {
            step.Write("x", x);
            step.Write("noise", Numbers(32, i));
            step.Run();
            (first, last) = (i == 0 ? step.ReadLoss("reconstruction") : first, step.ReadLoss("reconstruction"));
        }

        Assert.That(last, Is.LessThan(first / 3));
        Assert.That(step.ReadLoss("divergence"), Is.Positive);
    }

    [Test]
    public void Two_adversaries_take_turns()
    {
        Sequential generator = new(new Dense(8, Activation.ReLU) { Name = "a" }, new Dense(1) { Name = "b" });
        Sequential judge = new(new Dense(8, Activation.ReLU) { Name = "a" }, new Dense(1) { Name = "b" });
        generator.Build([2], 1);
        judge.Build([1], 2);
        using var weights = new DeviceWeights(Device, generator, judge);
        using var judging = new TrainingStep(weights, s =>
        {
            Value real = judge.Apply(s.Input("real", [Dim.Batch, 1])),
            made = judge.Apply(generator.Apply(s.Input("noise", [Dim.Batch, 2])));
            s.Loss("real", (-real).Softplus().Mean());
            s.Loss("made", made.Softplus().Mean());
        }, [(new Adam(0.01f), judge.Parameters)]);
        using var making = new TrainingStep(weights, s =>
        {
            Value made = generator.Apply(s.Input("noise", [Dim.Batch, 2]));
            s.Output("made", made);
            s.Loss("fooled", (-judge.Apply(made)).Softplus().Mean());
        }, [(new Adam(0.01f), generator.Parameters)]);
        judging.Begin([8, 1], [8, 2]);
        making.Begin([8, 2]);
        float[] real = [.. Numbers(8, 1).Select(value => 3 + (0.1f * value))], made = new float[8];
        float first = 0, nearest = float.MaxValue;
        for (int i = 0; i < 300; i++)
        {
            judging.Write("real", real);
            judging.Write("noise", Numbers(16, i));
            judging.Run();
            making.Write("noise", Numbers(16, i));
            making.Run();
            making.Read("made", made);
            float distance = Math.Abs(made.Average() - 3);
            (first, nearest) = (i == 0 ? distance : first, Math.Min(nearest, distance));
        }

        Assert.That(nearest, Is.LessThan(first / 4));
    }

    [Test]
    public void Scaled_dot_product_attention_is_that_of_its_definition()
    {
        const int B = 2, T = 3, D = 4;
        var graph = new Graph(GraphMode.Inference);
        Value q = graph.Input([Dim.Batch, T, D], name: "q"), k = graph.Input([Dim.Batch, T, D], name: "k"),
        v = graph.Input([Dim.Batch, T, D], name: "v");
        Value attention = (q.MatMul(k.Transpose()) / MathF.Sqrt(D)).Softmax().MatMul(v);
        using Session session = graph.Compile(Device, [attention]);
        float[] a = Numbers(B * T * D, 1), b = Numbers(B * T * D, 2), c = Numbers(B * T * D, 3), y = new float[B * T * D];
        using SessionRun run = session.Begin([B, T, D], [B, T, D], [B, T, D]);
        run.Write<float>(0, a);
        run.Write<float>(1, b);
        run.Write<float>(2, c);
        run.Compute();
        run.Read<float>(0, y);
        for (int n = 0; n < B; n++)
        {
            for (int i = 0; i < T; i++)
            {
                double[] scores = [
                    .. Enumerable.Range(0, T).Select(
                        j => Math.Exp(Enumerable.Range(0, D).Sum(d => (double)a[At(n, i, d)] * b[At(n, j, d)]) / 2))];
                for (int d = 0; d < D; d++)
                {
                    Assert.That(
                        y[At(n, i, d)],
                        Is.EqualTo(Enumerable.Range(0, T).Sum(j => scores[j] * c[At(n, j, d)]) / scores.Sum()).Within(1e-5));
                }
            }
        }

        static int At(int n, int i, int d) => (((n * T) + i) * D) + d;
    }
}
