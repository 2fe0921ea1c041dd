using FastNN.Kernels;

namespace FastNN.Tests.Ops;

internal sealed class RecurrenceTests : CpuOpFixture<RecurrenceCases>
{
    /// <summary>An input of a graph.</summary>
    public delegate Value Make(params int[] extents);

    private static IEnumerable<TestCaseData> Wrong
    {
        get
        {
            yield return Row(
                "a matrix as sequences", g => g(5, 3).Lstm(g(3, 16), g(4, 16)), "Lstm", "[time, batch, features]", "[5, 3]");
            yield return Row("no steps", g => g(0, 2, 3).Lstm(g(3, 16), g(4, 16)), "Lstm", "at least one step");
            yield return Row("no features", g => g(5, 2, 0).Gru(g(0, 12), g(4, 12)), "Gru", "one feature");
            yield return Row("three gates for four", g => g(5, 2, 3).Lstm(g(3, 12), g(4, 12)), "Lstm", "[H, 4 H]", "[4, 12]");
            yield return Row("four gates for three", g => g(5, 2, 3).Gru(g(3, 16), g(4, 16)), "Gru", "[H, 3 H]", "[4, 16]");
            yield return Row(
                "a weight that is not square", g => g(5, 2, 3).SimpleRnn(g(3, 4), g(4, 5)), "SimpleRnn", "[H, H]", "[4, 5]");
            yield return Row("a vector as weight", g => g(5, 2, 3).SimpleRnn(g(3, 4), g(4)), "SimpleRnn", "[H, H]", "[4]");
            yield return Row("other features", g => g(5, 2, 3).Gru(g(2, 12), g(4, 12)), "Gru", "[3, 12]", "[2, 12]");
            yield return Row("other units", g => g(5, 2, 3).Gru(g(3, 15), g(4, 12)), "Gru", "[3, 12]", "[3, 15]");
            yield return Row("one bias", g => g(5, 2, 3).Gru(g(3, 12), g(4, 12), g(12)), "Gru", "both biases or neither");
            yield return Row(
                "a short bias", g => g(5, 2, 3).Gru(g(3, 12), g(4, 12), g(12), g(4)), "the states' bias", "[12]", "[4]");
            yield return Row(
                "h of another batch", g => g(5, 2, 3).Gru(g(3, 12), g(4, 12), firstState: g(3, 4)), "state h", "[2, 4]",
                "[3, 4]");
            yield return Row("h alone", g => g(5, 2, 3).Lstm(g(3, 16), g(4, 16), firstState: g(2, 4)), "both first states");
            yield return Row(
                "c of other units", g => g(5, 2, 3).Lstm(g(3, 16), g(4, 16), firstState: g(2, 4), firstCell: g(2, 5)), "state c",
                "[2, 5]");
            yield return Row("lengths of floats", g => g(5, 2, 3).Gru(g(3, 12), g(4, 12), lengths: g(2)), "Gru", "Int32");
        }
    }

    [TestCaseSource(nameof(Wrong))]
    public void What_does_not_fit_is_named(Action<Make> record, string[] words)
    {
        var graph = new Graph(GraphMode.Training);
        ShapeException? error = Assert.Throws<ShapeException>(() => record(extents => graph.Input(new Shape(extents))));
        Assert.Multiple(() =>
        {
            foreach (string word in words)
            {
                Assert.That(error!.Message, Does.Contain(word));
            }
        });
    }

    [Test]
    public void Lengths_of_another_batch_are_named()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(5, 2, 3)), lengths = graph.Input(new Shape(3), DType.Int32);
        Assert.That(
            () => x.Gru(graph.Input(new Shape(3, 12)), graph.Input(new Shape(4, 12)), lengths: lengths),
            Throws.TypeOf<ShapeException>().With.Message.Contains("the lengths of shape [2]").And.Message.Contains("[3]"));
    }

    [Test]
    public void A_length_beyond_the_steps_is_refused([Values(-1, 6)] int length)
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(5, 2, 3)), lengths = graph.Input(new Shape(2), DType.Int32);
        Value[] outputs = x.Gru(
            graph.Constant(new float[36], new Shape(3, 12)), graph.Constant(new float[48], new Shape(4, 12)), lengths: lengths);
        using var device = Device.Cpu(1);
        using Session session = graph.Compile(device, outputs);
        using SessionRun run = session.Begin([5, 2, 3], [2]);
        string? message = null;
        try
        {
            run.Write<int>(1, [5, length]);
        }
        catch (InvalidDatasetException exception)
        {
            message = exception.Message;
        }

        Assert.That(message, Does.Contain("Gru lengths: expected indices 0..5").And.Contain($"got {length} at position 1"));
        run.Write<int>(1, [5, 0]);
    }

    /// <summary>Constant weights are packed once, and the gates of a few steps at a time stay in the cache.</summary>
    [Test]
    public void Sequences_with_constant_weights_have_the_bits_of_those_with_given_ones(
        [Values(RecurrentCell.Lstm, RecurrentCell.Gru, RecurrentCell.Tanh)] RecurrentCell cell,
        [Values(2, 9, 37)] int batch, [Values(2, 29)] int steps, [Values] bool isReverse)
    {
        const int features = 40, units = 70;
        int gates = units * (cell == RecurrentCell.Lstm ? 4 : cell == RecurrentCell.Gru ? 3 : 1);
        var random = new Random(batch + steps);
        Shape[] shapes = [new(features, gates), new(units, gates), new(gates), new(gates)];
        float[][] weights = Array.ConvertAll(shapes, shape => Numbers(shape.Count));
        float[] x = Numbers((long)steps * batch * features);
        int[] lengths = [.. Enumerable.Range(0, batch).Select(_ => random.Next(steps + 1))];
        float[] expected = Outputs(areConstant: false, threads: 1);
        Assert.That(expected.Max(Math.Abs), Is.GreaterThan(0.5f), "the units do something");
        foreach (int threads in new[] { 1, 3 })
        {
            Assert.That(Outputs(areConstant: true, threads), Is.EqualTo(expected), $"{threads} threads");
        }

        float[] Numbers(long count) => [.. Enumerable.Range(0, (int)count).Select(_ => random.NextSingle() - 0.5f)];

        float[] Outputs(bool areConstant, int threads)
        {
            var graph = new Graph(GraphMode.Inference);
            Value input = graph.Input(new Shape(steps, batch, features)), length = graph.Input(new Shape(batch), DType.Int32);
            Value[] w =
            [
                .. shapes.Zip(weights, (shape, values) => areConstant ? graph.Constant(values, shape) : graph.Input(shape)),
            ];
            Value[] outputs = cell switch
            {
                RecurrentCell.Lstm => input.Lstm(w[0], w[1], w[2], w[3], lengths: length, isReverse: isReverse),
                RecurrentCell.Gru => input.Gru(w[0], w[1], w[2], w[3], lengths: length, isReverse: isReverse),
                _ => input.SimpleRnn(w[0], w[1], w[2], w[3], lengths: length, isReverse: isReverse),
            };
            using var device = Device.Cpu(threads);
            using Session session = graph.Compile(device, outputs);
            Shape[] given = [input.Shape, length.Shape, .. areConstant ? [] : shapes];
            using SessionRun run = session.Begin(given);
            run.Write<float>(0, x);
            run.Write<int>(1, lengths);
            for (int i = 0; i < w.Length && !areConstant; i++)
            {
                run.Write<float>(i + 2, weights[i]);
            }

            run.Compute();
            var all = new List<float>();
            for (int i = 0; i < outputs.Length; i++)
            {
                var values = new float[run.OutputShape(i).Count];
                run.Read<float>(i, values);
                all.AddRange(values);
            }

            return [.. all];
        }
    }

    private static TestCaseData Row(string name, Action<Make> record, params string[] words) =>
        new TestCaseData(record, words).SetArgDisplayNames(name);
}
