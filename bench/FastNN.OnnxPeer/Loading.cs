using System.Diagnostics;
using System.Globalization;
using FastNN.Onnx;

namespace FastNN.OnnxPeer;

/// <summary>
/// How long a file takes until it can be run, and until it has answered once, beside ONNX Runtime: both in turns, in one
/// process, on one thread. The first of each side, which the JIT compiles for, is told apart.
/// </summary>
internal static class Loading
{
    private const int Rounds = 21;

    public static void Run(string path, TextWriter output)
    {
        var loads = new (List<double> Ours, List<double> Theirs)[] { ([], []), ([], []) };
        for (int round = 0; round <= Rounds; round++)
        {
            (double load, double answer) ours = Ours(path), theirs = Theirs(path);
            loads[0].Ours.Add(ours.load);
            loads[0].Theirs.Add(theirs.load);
            loads[1].Ours.Add(ours.answer);
            loads[1].Theirs.Add(theirs.answer);
        }

        output.WriteLine($"| ms, median of {Rounds} | FastNN | ONNX Runtime | ratio | first: FastNN | ONNX Runtime |");
        output.WriteLine("|---|---|---|---|---|---|");
        Write("load", loads[0]);
        Write("load and first answer", loads[1]);

        void Write(string name, (List<double> Ours, List<double> Theirs) times)
        {
            double ours = Median(times.Ours), theirs = Median(times.Theirs);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {ours:0.00} | {theirs:0.00} | {theirs / ours:0.0}x "
                + $"| {times.Ours[0]:0.0} | {times.Theirs[0]:0.0} |"));
        }
    }

    private static (double Load, double Answer) Ours(string path)
    {
        Collect();
        long began = Stopwatch.GetTimestamp();
        using OnnxModel model = OnnxModel.Load(path);
        using Device device = Device.Cpu(1);
        using OnnxSession session = model.Compile(device);
        double load = Milliseconds(began);
        Dictionary<string, OnnxValue> inputs = Models.Inputs(model, "", 0);
        long asked = Stopwatch.GetTimestamp();
        session.Run(inputs);
        return (load, load + Milliseconds(asked));
    }

    private static (double Load, double Answer) Theirs(string path)
    {
        Collect();
        Dictionary<string, OnnxValue> inputs;
        using (OnnxModel model = OnnxModel.Load(path))
        {
            inputs = Models.Inputs(model, "", 0);
        }

        long began = Stopwatch.GetTimestamp();
        using var runtime = new Runtime(path);
        double load = Milliseconds(began);
        long asked = Stopwatch.GetTimestamp();
        runtime.Run(inputs);
        return (load, load + Milliseconds(asked));
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    private static double Milliseconds(long since) => Stopwatch.GetElapsedTime(since).TotalMilliseconds;

    /// <summary>Without the first.</summary>
    private static double Median(List<double> times)
    {
        List<double> sorted = times[1..];
        sorted.Sort();
        return sorted[sorted.Count / 2];
    }
}
