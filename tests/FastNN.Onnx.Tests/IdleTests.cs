using System.Globalization;

namespace FastNN.Onnx.Tests;

/// <summary>What the threads of a session cost while nobody asks it anything.</summary>
[Platform("Linux")]
[NonParallelizable]
public sealed class IdleTests
{
    private const double MaxShareOfCore = 0.005, Seconds = 5;

    // What /proc counts in, on every Linux of today.
    private const double TicksPerSecond = 100;

    [Test]
    public void Threads_of_a_session_that_has_run_sleep()
    {
        using var device = Device.Cpu(4);
        using OnnxModel model = Layers();
        using OnnxSession session = model.Compile(device);
        OnnxTensor[] inputs = [Build.Random(1, 256, 512)], outputs = session.CreateOutputs(inputs);
        long before = WorkerTicks(out int workers);
        Assert.That(workers, Is.GreaterThanOrEqualTo(3), "the device's threads, without the caller's");
        for (int i = 0; i < 40; i++)
        {
            session.Run(inputs, outputs);
        }

        long busy = WorkerTicks(out _);
        Assert.That(busy, Is.GreaterThan(before), "the threads took part");
        Thread.Sleep(TimeSpan.FromSeconds(Seconds));
        double share = (WorkerTicks(out _) - busy) / TicksPerSecond / Seconds;
        Assert.That(share, Is.LessThan(MaxShareOfCore), "of a core");
    }

    private static OnnxModel Layers()
    {
        var model = new Sequential(new Dense(512, Activation.ReLU), new Dense(512, Activation.ReLU), new Dense(512));
        model.Build(new Shape(512), seed: 3);
        using var stream = new MemoryStream();
        model.ExportOnnx(stream);
        return OnnxModel.Load(stream.ToArray(), "layers");
    }

    /// <summary>The processor time of the engine's worker threads in this process, and how many there are.</summary>
    private static long WorkerTicks(out int workers)
    {
        long ticks = 0;
        workers = 0;
        foreach (string thread in Directory.GetDirectories("/proc/self/task"))
        {
            try
            {
                // "123 (FastNN worker 1) S ...", of which the 14th and 15th field are times in user and in kernel mode.
                string stat = File.ReadAllText(Path.Combine(thread, "stat"));
                if (stat.Contains("(FastNN worker", StringComparison.Ordinal))
                {
                    string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                    ticks += fields[11..13].Sum(field => long.Parse(field, CultureInfo.InvariantCulture));
                    workers++;
                }
            }
            catch (IOException)
            {
                // A thread that has ended meanwhile.
            }
        }

        return ticks;
    }
}
