using System.Diagnostics;
using System.Globalization;
using FastNN.Onnx;

namespace FastNN.OnnxPeer;

/// <summary>
/// What a session costs that has nothing to do, or little: the process's processor time for ten seconds of rest behind a run,
/// and with a run every 100 ms, on all threads. ONNX Runtime is measured with its defaults.
/// </summary>
internal static class Idling
{
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(10);

    public static void Run(string path, TextWriter output)
    {
        output.WriteLine("| | rest, % of a core | a run every 100 ms, % of a core |");
        output.WriteLine("|---|---|---|");
        using OnnxModel model = OnnxModel.Load(path);
        Dictionary<string, OnnxValue> inputs = Models.Inputs(model, "", 0);
        using (Device device = Device.Cpu())
        using (OnnxSession session = model.Compile(device))
        {
            Write("FastNN", () => session.Run(inputs));
        }

        using (var runtime = new Runtime(path, threads: 0))
        {
            Write("ONNX Runtime", () => runtime.Run(inputs));
        }

        void Write(string name, Action run)
        {
            // Enough for the JIT's last word.
            long began = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(began).TotalSeconds < 2)
            {
                run();
            }

            double rest = Measure(null), runs = Measure(run);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {rest:0.00} | {runs:0.00} |"));
        }
    }

    private static double Measure(Action? run)
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        long began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < Span)
        {
            run?.Invoke();
            Thread.Sleep(100);
        }

        return 100 * (Environment.CpuUsage.TotalTime - before) / Stopwatch.GetElapsedTime(began);
    }
}
