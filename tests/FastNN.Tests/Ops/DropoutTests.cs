using FastNN.Kernels;
using FastNN.Ops;
using FastNN.Tensors;

namespace FastNN.Tests.Ops;

internal sealed class DropoutTests : CpuOpFixture<DropoutCases>
{
    /// <summary>Dropout of ones, and that backward of ones draws the same mask.</summary>
    private float[] Mask(DropoutOptions options, int count, long step)
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(count));
        Value y = graph.Add(new DropoutOp(options), x, graph.StepCounter);
        using var run = new GraphRun(Two, graph, [], y, [x]);
        run.SetStep(step);
        float[] ones = [.. Enumerable.Repeat(1f, count)];
        run.Set(x, ones);
        run.SetRootGradient(ones);
        run.Run();
        Assert.That(run.Gradient(x), Is.EqualTo(run.Read(y)));
        return run.Read(y);
    }

    [Test]
    public void The_mask_drops_its_share_and_keeps_the_mean([Values(0.1f, 0.5f, 0.9f)] float rate)
    {
        const int count = 200_000;
        float[] y = Masks(rate, count, seed: 11, steps: 0)[0];
        double dropped = y.Count(value => value == 0) / (double)count;
        // Five standard deviations of a binomial share.
        double deviation = Math.Sqrt(rate * (1 - rate) / count);
        Assert.That(dropped, Is.EqualTo(rate).Within(5 * deviation));
        Assert.That(y.Average(value => (double)value), Is.EqualTo(1).Within(5 * deviation / (1 - rate)));
        Assert.That(y.Where(value => value != 0), Is.All.EqualTo(1 / (1 - rate)).Within(1e-6));
    }

    [Test]
    public void Element_i_takes_word_i_mod_4_of_its_Philox_block()
    {
        const long step = (3L << 32) | 5;
        var options = new DropoutOptions(0.4f, 0x1234_5678_9abc_def0, 77);
        float[] y = Mask(options, 41, step);
        for (int i = 0; i < y.Length; i++)
        {
            uint word = Philox.Rounds((uint)i / 4, 5, 3, 77, 0x9abc_def0, 0x1234_5678)[i % 4];
            double uniform = (word >> 8) / 16777216.0;
            Assert.That(y[i], Is.EqualTo(uniform >= 0.4f ? 1 / (1 - 0.4f) : 0).Within(1e-6), $"element {i}");
        }
    }

    [Test]
    public void Steps_streams_and_seeds_draw_other_masks()
    {
        var options = new DropoutOptions(0.5f, 1, 1);
        float[][] masks =
        [
            Mask(options, 129, 0), Mask(options, 129, 1), Mask(options, 129, 1L << 32), Mask(options with { Stream = 2 }, 129, 0),
            Mask(options with { Seed = 2 }, 129, 0), Mask(options with { Seed = 1UL << 32 }, 129, 0),
        ];
        for (int i = 0; i < masks.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                Assert.That(masks[i], Is.Not.EqualTo(masks[j]), $"{i} and {j}");
            }
        }

        Assert.That(Mask(options, 129, 0), Is.EqualTo(masks[0]));
    }

    [Test]
    public void Two_dropouts_of_one_graph_differ()
    {
        var graph = new Graph(GraphMode.Training, seed: 3);
        Value x = graph.Input(new Shape(129));
        Value first = x.Dropout(0.5f);
        Value second = x.Dropout(0.5f);
        using var run = new GraphRun(One, graph, [first, second], null, []);
        run.Set(x, Enumerable.Repeat(1f, 129).ToArray());
        run.Upload();
        run.Forward();
        Assert.That(run.Read(first), Is.Not.EqualTo(run.Read(second)));
    }

    [Test]
    public void Inference_and_rate_0_leave_the_value_itself()
    {
        Value x = new Graph(GraphMode.Inference).Input(new Shape(7));
        Assert.That(x.Dropout(0.5f), Is.SameAs(x));
        Value y = new Graph(GraphMode.Training).Input(new Shape(7));
        Assert.That(y.Dropout(0), Is.SameAs(y));
    }

    [Test]
    public void A_rate_out_of_range_is_named([Values(-0.1f, 1f, float.NaN)] float rate)
    {
        Value x = new Graph(GraphMode.Training).Input(new Shape(7));
        Assert.That(
            () => x.Dropout(rate), Throws.TypeOf<ShapeException>().With.Message.Contains("Dropout").And.Message.Contains("rate"));
    }

    private float[][] Masks(float rate, int count, ulong seed, params long[] steps) =>
        Array.ConvertAll(steps, step => Mask(new DropoutOptions(rate, seed, 1), count, step));
}
