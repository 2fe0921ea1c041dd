using FastNN.Formats;
using FastNN.Tensors;

namespace FastNN.Tests.Formats;

public sealed class HistogramTests
{
    private static readonly double[] Limits = MakeLimits();

    private static IEnumerable<TestCaseData> Samples
    {
        get
        {
            var normal = new float[5000];
            Philox.FillNormal(normal, 7, Philox.Stream(RandomUse.Data));
            yield return new TestCaseData(normal).SetArgDisplayNames("normal");
            yield return new TestCaseData(normal.Select(x => MathF.Exp(40 * x)).Where(float.IsFinite).ToArray())
                .SetArgDisplayNames("of all sizes");
            yield return new TestCaseData(normal.Select(x => -MathF.Exp(10 * x)).ToArray()).SetArgDisplayNames("negative");
            float[] limits = [.. Limits[1..^1].Select(limit => (float)limit)];
            yield return new TestCaseData((float[])
                [.. limits, .. limits.Select(float.BitIncrement), .. limits.Select(float.BitDecrement)])
                .SetArgDisplayNames("at the limits");
            yield return new TestCaseData(new[] { 0f, -0f, 0f }).SetArgDisplayNames("zeros");
            yield return new TestCaseData(new[]
            {
                float.Epsilon, -float.Epsilon, float.MaxValue, float.MinValue, 1e-12f, -1e-12f, 1e20f, -1e20f,
            }).SetArgDisplayNames("at the ends");
            yield return new TestCaseData(new[] { 3f }).SetArgDisplayNames("one");
        }
    }

    [TestCaseSource(nameof(Samples))]
    public void Each_number_is_in_the_bucket_between_its_limits(float[] values)
    {
        EventMessage histogram = Write(values);
        double[] limits = histogram.Get<double[]>("bucket_limit"), counts = histogram.Get<double[]>("bucket");
        var expected = new Dictionary<int, int>();
        foreach (float value in values)
        {
            int bucket = Enumerable.Range(1, Limits.Length - 1).First(i => Limits[i - 1] <= value && value < Limits[i]);
            expected[bucket] = expected.GetValueOrDefault(bucket) + 1;
        }

        var found = new Dictionary<int, int>();
        for (int i = 0; i < limits.Length; i++)
        {
            int bucket = Array.IndexOf(Limits, limits[i]);
            Assert.That(bucket, Is.GreaterThanOrEqualTo(0), $"{limits[i]} is one of TensorFlow's limits");
            if (counts[i] > 0)
            {
                found.Add(bucket, (int)counts[i]);
                Assert.That(i, Is.GreaterThan(0));
                Assert.That(limits[i - 1], Is.EqualTo(Limits[bucket - 1]), "its lower limit stands before it");
            }
        }

        Assert.That(limits, Is.Ordered.Ascending.And.Unique);
        Assert.That(found, Is.EquivalentTo(expected));
        Assert.That(histogram.Get<double>("num"), Is.EqualTo(values.Length));
        Assert.That(histogram.Get<double>("min"), Is.EqualTo((double)values.Min()));
        Assert.That(histogram.Get<double>("max"), Is.EqualTo((double)values.Max()));
        Assert.That(histogram.Get<double>("sum"), Is.EqualTo(values.Sum(x => (double)x)));
        Assert.That(histogram.Get<double>("sum_squares"), Is.EqualTo(values.Sum(x => (double)x * x)));
    }

    [Test]
    public void Numbers_that_are_not_finite_are_left_out()
    {
        EventMessage some = Write([float.NaN, 1, float.PositiveInfinity, 2, float.NegativeInfinity]);
        EventMessage none = Write([float.NaN]), empty = Write([]);
        Assert.Multiple(() =>
        {
            Assert.That(some.Get<double>("num"), Is.EqualTo(2));
            Assert.That((some.Get<double>("min"), some.Get<double>("max")), Is.EqualTo((1, 2)));
            Assert.That(some.Get<double[]>("bucket").Sum(), Is.EqualTo(2));
            foreach (EventMessage histogram in (EventMessage[])[none, empty])
            {
                Assert.That(histogram.Get<double>("num"), Is.Zero);
                Assert.That((histogram.Get<double>("min"), histogram.Get<double>("max")), Is.EqualTo((0, 0)));
                Assert.That((histogram.Has("bucket_limit"), histogram.Has("bucket")), Is.EqualTo((false, false)));
            }
        });
    }

    [Test]
    public void The_numbers_may_change_after_the_call()
    {
        string folder = Directory.CreateTempSubdirectory("fastnn-").FullName;
        try
        {
            float[] values = new float[100];
            using (var writer = new TensorBoardWriter(folder))
            {
                for (int i = 0; i < 20; i++)
                {
                    Array.Fill(values, i);
                    writer.AddHistogram("h", values, i);
                }
            }

            Assert.That(
                EventReader.Values(folder).Select(value => value.Value["histo"].Get<double>("sum")),
                Is.EqualTo(Enumerable.Range(0, 20).Select(i => 100.0 * i)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static EventMessage Write(float[] values)
    {
        using var stream = new MemoryStream();
        using (var writer = new TensorBoardWriter(
            new EventFile(stream, "memory"), TimeProvider.System, capacity: 8, maxBytes: 1 << 20, TimeSpan.Zero))
        {
            writer.AddHistogram("h", values, 1);
        }

        return EventReader.Read(stream.ToArray())[1]["summary"].All<EventMessage>("value").Single()["histo"];
    }

    private static double[] MakeLimits()
    {
        // As TensorFlow's histogram and PyTorch's summary writer make them, by one multiplication after the other.
        var limits = new List<double> { 0 };
        for (double limit = 1e-12; limit < 1e20; limit *= 1.1)
        {
            limits.Add(limit);
            limits.Insert(0, -limit);
        }

        return [-double.MaxValue, .. limits, double.MaxValue];
    }
}
