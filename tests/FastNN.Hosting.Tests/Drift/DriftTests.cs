using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;
using FastNN.Data;
using FastNN.Hosting.Tests.Models;
using FastNN.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace FastNN.Hosting.Tests.Drift;

/// <summary>Inputs are compared with those of training.</summary>
public sealed class DriftTests : FolderFixture
{
    private const string Feature =
        """{"version":1,"shape":[1],"axis":0,"examples":1,"features":[{"name":"a","mean":0,"deviation":1,""";

    private static readonly ModelTensor Table = new("x", TensorDataType.Float32, [-1, 3]);

    [Test]
    public void Statistics_are_those_of_the_values()
    {
        float[] values = [.. Enumerable.Range(0, 100).SelectMany(i => (float[])[i, i % 2, 7])];
        var statistics = TrainingStatistics.Of(values, new Shape(3));
        (FeatureStatistics wide, FeatureStatistics binary, FeatureStatistics constant) =
            (statistics.Features[0], statistics.Features[1], statistics.Features[2]);
        Assert.Multiple(() =>
        {
            Assert.That(statistics.Examples, Is.EqualTo(100));
            Assert.That(wide.Mean, Is.EqualTo(49.5).Within(1e-9));
            Assert.That(wide.StandardDeviation, Is.EqualTo(28.866).Within(1e-3));
            Assert.That(wide.Bounds, Has.Count.EqualTo(11));
            Assert.That(wide.Bounds[^1], Is.EqualTo(99));
            Assert.That(wide.Shares[0], Is.Zero, "nothing is below the lowest");
            Assert.That(wide.Shares[^1], Is.Zero, "nothing is above the highest");
            Assert.That(wide.Shares.Skip(1).SkipLast(1), Has.All.EqualTo(0.1).Within(0.011));
            Assert.That(binary.Bounds, Is.EqualTo(new[] { MathF.BitDecrement(0), 0, 1 }), "equal quantiles are one");
            Assert.That(binary.Shares, Is.EqualTo(new[] { 0, 0.5, 0.5, 0 }).Within(1e-9));
            Assert.That(constant.StandardDeviation, Is.Zero);
            Assert.That(constant.Shares, Is.EqualTo(new[] { 0, 1.0, 0 }).Within(1e-9));
        });
    }

    [TestCase(new[] { 4, 4, 3 }, 3, 2)]
    [TestCase(new[] { 3, 40, 40 }, 3, 0)]
    [TestCase(new[] { 20, 20, 20 }, 1, -1)]
    [TestCase(new[] { 5, 6 }, 6, 1)]
    [TestCase(new[] { 2000 }, 1, -1)]
    [TestCase(new int[0], 1, -1)]
    public void Images_have_channels_and_sequences_features(int[] shape, int features, int axis)
    {
        var example = new Shape(shape);
        var values = new float[20 * example.Count];
        for (int i = 0; i < values.Length; i++)
        {
            // Each value is its place on the axis.
            values[i] = axis < 0 ? 0 : axis == 0 ? i % (int)example.Count / (shape[1] * shape[2]) : i % shape[axis];
        }

        var statistics = TrainingStatistics.Of(values, example);
        Assert.That(statistics.Features, Has.Count.EqualTo(features));
        Assert.That(statistics.Features.Select(feature => feature.Mean), Is.EqualTo(Enumerable.Range(0, features)).Within(1e-9));
        Assert.That(statistics.Features.Select(feature => feature.StandardDeviation), Has.All.EqualTo(0).Within(1e-9));
    }

    [Test]
    public void A_dataset_gives_its_names_and_what_is_written_is_read()
    {
        Dataset data = Dataset.FromFloats(
            Normal(new Random(1), 900, 0, 1), [3], new int[300], 2, featureNames: ["age", "income", "\"rooms\""]);
        var statistics = TrainingStatistics.Of(data, "x");
        var read = TrainingStatistics.Parse(statistics.ToJson());
        Assert.Multiple(() =>
        {
            Assert.That(read.Features.Select(feature => feature.Name), Is.EqualTo(data.FeatureNames));
            Assert.That(read.Input, Is.EqualTo("x"));
            Assert.That(read.ExampleShape, Is.EqualTo(new Shape(3)));
            Assert.That(read.Features[1].Bounds, Is.EqualTo(statistics.Features[1].Bounds));
            Assert.That(read.Features[1].Shares, Is.EqualTo(statistics.Features[1].Shares).Within(1e-6));
            Assert.That(read.Features[1].Mean, Is.EqualTo(statistics.Features[1].Mean).Within(1e-8));
            Assert.That(read.ToJson(), Is.EqualTo(TrainingStatistics.Parse(read.ToJson()).ToJson()));
        });
    }

    [TestCase("[]")]
    [TestCase("{")]
    [TestCase("""{"version":2,"shape":[1],"axis":0,"examples":1,"features":[]}""")]
    [TestCase("""{"version":1,"shape":[2],"axis":0,"examples":1,"features":[]}""")]
    [TestCase("""{"version":1,"shape":[1],"axis":3,"examples":1,"features":[]}""")]
    [TestCase("""FEATURE"bounds":[1,1],"shares":[0,1,0]}]}""")]
    [TestCase("""FEATURE"bounds":[1],"shares":[0.5,0.1]}]}""")]
    [TestCase("""FEATURE"bounds":[1],"shares":[0.5,0.25,0.25]}]}""")]
    [TestCase("""FEATURE"bounds":[],"shares":[1]}]}""")]
    public void What_is_malformed_is_refused(string json) => Assert.That(
        () => TrainingStatistics.Parse(json.Replace("FEATURE", Feature, StringComparison.Ordinal)),
        Throws.TypeOf<FormatException>());

    [Test]
    public void A_safetensors_file_takes_them_and_is_the_same_model_still()
    {
        var model = new Sequential(new Dense(2));
        model.Build(new Shape(3), seed: 1);
        model.Save(At("m.safetensors"), new SaveOptions { ClassNames = ["a", "b"] });
        TrainingStatistics statistics = Uniform(1);
        statistics.AddTo(At("m.safetensors"));
        Uniform(2).AddTo(At("m.safetensors"));
        Model read = Model.Load(At("m.safetensors"));
        using var device = Device.Cpu(1);
        using Predictor before = model.CreatePredictor(device), after = read.CreatePredictor(device);
        Assert.That(after.Predict([1, 2, 3]), Is.EqualTo(before.Predict([1, 2, 3])));
        Assert.That(read.ClassNames, Is.EqualTo(new[] { "a", "b" }));
        Assert.That(StatisticsFile.Find(At("m.safetensors"))!.ToJson(), Is.EqualTo(Uniform(2).ToJson()));
    }

    [Test]
    public void Settings_take_them_and_keep_the_rest()
    {
        File.WriteAllText(At("model.json"), "{ \"labels\": [\"a\"], /* kept */ \"maxExamples\": 4, }");
        Uniform(1).AddTo(At("model.json"));
        string text = File.ReadAllText(At("model.json"));
        Assert.That(text, Does.Contain("\"labels\":[\"a\"]").And.Contains("\"maxExamples\":4"));
        Assert.That(text, Does.Contain("\"statistics\":{\"version\":1"));
        Directory.CreateDirectory(At("new"));
        Uniform(1).AddTo(At("new/model.json"));
        Assert.That(File.ReadAllText(At("new/model.json")), Does.StartWith("{\"statistics\":{"));
        Assert.That(() => Uniform(1).AddTo(At("net.onnx")), Throws.ArgumentException.With.Message.Contains("model.json"));
        File.WriteAllText(At("bad.safetensors"), "no model");
        Assert.That(() => Uniform(1).AddTo(At("bad.safetensors")), Throws.InstanceOf<FileFormatException>());
        Assert.That(File.ReadAllText(At("bad.safetensors")), Is.EqualTo("no model"));
    }

    [Test]
    public void Inputs_like_those_of_training_raise_no_alarm_over_a_hundred_seeds()
    {
        int alarms = 0;
        double largest = 0;
        for (int seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            DriftMonitor monitor = Monitor(TrainingStatistics.Of(Normal(random, 900, 5, 2), new Shape(3)));
            for (int window = 0; window < 4; window++)
            {
                Send(monitor, Normal(random, DriftMonitor.Window * 3, 5, 2));
                largest = Math.Max(largest, monitor.Indices.Max());
            }

            alarms += monitor.HasDrifted ? 1 : 0;
        }

        TestContext.Out.WriteLine($"largest index of 400 windows with 3 features: {largest:0.000}");
        Assert.That(alarms, Is.Zero);
        Assert.That(largest, Is.LessThan(DriftMonitor.Threshold));
    }

    [TestCase(0.8f, 1f)]
    [TestCase(-0.8f, 1f)]
    [TestCase(0f, 2f)]
    [TestCase(0f, 0.3f)]
    [TestCase(0f, 255f)]
    public void Inputs_that_are_shifted_or_scaled_raise_one_in_two_windows_over_twenty_seeds(float shift, float scale)
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            var log = new ServingFixture.LogLines();
            DriftMonitor monitor = Monitor(TrainingStatistics.Of(Normal(random, 3000, 0, 1), new Shape(3)), log: log);
            Send(monitor, Normal(random, DriftMonitor.Window * 3, 0, 1));
            Assert.That(monitor.HasDrifted, Is.False);
            for (int window = 0; window < 4; window++)
            {
                // The second feature alone changes.
                float[] values = Normal(random, DriftMonitor.Window * 3, 0, 1);
                for (int i = 1; i < values.Length; i += 3)
                {
                    values[i] = (values[i] * scale) + shift;
                }

                Send(monitor, values);
                Assert.That(monitor.HasDrifted, Is.EqualTo(window > 0), $"seed {seed}, window {window}");
            }

            Assert.That(monitor.Indices.ToList().IndexOf(monitor.Indices.Max()), Is.EqualTo(1));
            Assert.That(log.Lines, Has.Count.EqualTo(1), "one line, though it lasts");
            Assert.That(log.Lines[0], Does.StartWith(
                "Warning: The inputs of model m, version 1, differ from those of its training in 1 of 3 features, most in '1'"));
        }
    }

    [Test]
    public void It_is_told_once_when_inputs_are_back_and_the_edge_does_not_flicker()
    {
        var random = new Random(1);
        var log = new ServingFixture.LogLines();
        DriftMonitor monitor = Monitor(TrainingStatistics.Of(Normal(random, 30000, 0, 1), new Shape(3)), log: log);
        bool[] seen = new bool[10];
        for (int window = 0; window < seen.Length; window++)
        {
            // Far, then between the two limits, and back at last.
            Send(monitor, Normal(random, DriftMonitor.Window * 3, window < 2 ? 1 : window < 6 ? 0.35f : 0, 1));
            seen[window] = monitor.HasDrifted;
            if (window is >= 2 and < 6)
            {
                Assert.That(monitor.Indices.Max(), Is.InRange(monitor.Limit / 2, monitor.Limit), "the test's own ground");
            }
        }

        Assert.That(seen, Is.EqualTo(new[] { false, true, true, true, true, true, true, false, false, false }));
        Assert.That(log.Lines, Has.Count.EqualTo(2));
        Assert.That(
            log.Lines[1], Does.StartWith("Information: The inputs of model m, version 1, are like those of its training again"));
    }

    [Test]
    public void One_odd_example_among_many_and_few_training_examples_raise_nothing()
    {
        var random = new Random(3);
        DriftMonitor monitor = Monitor(TrainingStatistics.Of(Normal(random, 3000, 0, 1), new Shape(3)));
        float[] values = Normal(random, DriftMonitor.Window * 3, 0, 1);
        (values[0], values[1], values[2]) = (float.NaN, float.PositiveInfinity, -1e30f);
        Send(monitor, values);
        Assert.That(monitor.Indices.Max(), Is.LessThan(0.1));

        DriftMonitor few = Monitor(TrainingStatistics.Of(Normal(random, 60, 0, 1), new Shape(3)));
        Send(few, Normal(random, 2 * DriftMonitor.Window * 3, 0, 1));
        Assert.That(few.Limit, Is.GreaterThan(1));
        Assert.That(few.HasDrifted, Is.False);
    }

    [Test]
    public void Bytes_of_images_are_compared_by_channel()
    {
        var random = new Random(4);
        float[] images = [.. Enumerable.Range(0, 200 * 8 * 8 * 3).Select(i => (float)random.Next(i % 3 == 2 ? 100 : 256))];
        var statistics = TrainingStatistics.Of(images, new Shape(8, 8, 3));
        DriftMonitor monitor = Monitor(statistics, new ModelTensor("image", TensorDataType.UInt8, [-1, 8, 8, 3]));
        for (int i = 0; i < DriftMonitor.Window; i++)
        {
            monitor.Observe([.. images.AsSpan(i % 200 * 192, 192).ToArray().Select(value => (byte)value)]);
        }

        Assert.That(monitor.Indices, Has.All.LessThan(0.05));
        for (int i = 0; i < DriftMonitor.Window; i++)
        {
            // Blue and red have changed places.
            monitor.Observe([.. images.AsSpan(i % 200 * 192, 192).ToArray().Select(
                (_, place) => (byte)images[(i % 200 * 192) + (place / 3 * 3) + 2 - (place % 3)])]);
        }

        Assert.That(monitor.Indices[0], Is.GreaterThan(0.2));
        Assert.That(monitor.Indices[1], Is.LessThan(0.05));
        Assert.That(monitor.Indices[2], Is.GreaterThan(0.2));
        Measurement<double>[] measured = [.. monitor.Measure()];
        Assert.That(measured.Select(one => one.Value), Is.EqualTo(monitor.Indices));
        Assert.That(measured[2].Tags.ToArray(), Does.Contain(new KeyValuePair<string, object?>("fastnn.feature", "2")));
    }

    [Test]
    public void Samples_take_half_a_percent_of_the_time_of_computing()
    {
        var time = new FakeTimeProvider();
        DriftMonitor monitor = Monitor(Uniform(1), time: time);
        TimeSpan compute = TimeSpan.FromMicroseconds(20), sample = TimeSpan.FromMicroseconds(5);
        int samples = 0;
        for (int i = 0; i < 100_000; i++)
        {
            if (monitor.Affords(compute))
            {
                samples++;
                monitor.Pay(sample);
            }
        }

        Assert.That(samples * sample / (100_000 * compute), Is.EqualTo(0.005).Within(0.0001));
    }

    [Test]
    public void Observing_allocates_nothing()
    {
        DriftMonitor monitor = Monitor(Uniform(1));
        byte[] example = MemoryMarshal.AsBytes<float>([0.1f, 0.2f, 0.3f]).ToArray();
        Observe(2 * DriftMonitor.Window);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Observe(DriftMonitor.Window - 1);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        void Observe(int times)
        {
            for (int i = 0; i < times; i++)
            {
                monitor.Observe(example);
            }
        }
    }

    [Test]
    public void Statistics_of_something_else_are_refused()
    {
        TrainingStatistics statistics = Uniform(1);
        Assert.Multiple(() =>
        {
            Assert.That(
                () => Monitor(statistics, new ModelTensor("x", TensorDataType.Float32, [-1, 4])),
                Throws.InvalidOperationException.With.Message.Contains(
                    "expected examples of shape [4] as input 'x' takes them, got [3]"));
            Assert.That(
                () => Monitor(statistics, new ModelTensor("x", TensorDataType.Bytes, [-1, 3])),
                Throws.InvalidOperationException.With.Message.Contains("expected numbers"));
            Assert.That(
                () => Monitor(TrainingStatistics.Of(new float[3], new Shape(3), "y")),
                Throws.InvalidOperationException.With.Message.Contains("'y'"));
            Assert.That(() => TrainingStatistics.Of(new float[4], new Shape(3)), Throws.ArgumentException);
        });
    }

    private static DriftMonitor Monitor(
        TrainingStatistics statistics, ModelTensor? input = null, ILogger? log = null, TimeProvider? time = null) =>
        new("m", "1", statistics, [input ?? Table], time ?? TimeProvider.System, log ?? new ServingFixture.LogLines());

    private static TrainingStatistics Uniform(int seed)
    {
        var random = new Random(seed);
        return TrainingStatistics.Of(Enumerable.Range(0, 3000).Select(_ => random.NextSingle()).ToArray(), new Shape(3));
    }

    private static void Send(DriftMonitor monitor, float[] values)
    {
        for (int i = 0; i < values.Length; i += 3)
        {
            monitor.Observe(MemoryMarshal.AsBytes(values.AsSpan(i, 3)));
        }
    }

    /// <summary>Normally distributed values, by Box and Muller.</summary>
    private static float[] Normal(Random random, int count, float mean, float deviation) =>
    [
        .. Enumerable.Range(0, count).Select(_ => mean + (deviation * (float)(
            Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))),
    ];
}
