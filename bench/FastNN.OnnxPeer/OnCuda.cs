using System.Diagnostics;
using System.Globalization;
using FastNN.Cli;
using FastNN.Onnx;

namespace FastNN.OnnxPeer;

/// <summary>
/// Networks on the software CUDA device beside the CPU: the largest difference over the largest output, and what a captured run
/// launches. It tells nothing of a GPU's time.
/// </summary>
internal static class OnCuda
{
    // Two runs launch kernel by kernel, then the plan is captured.
    private const int RunsBeforeCapture = 2;

    private const double Tolerance = 1e-4;

    // Small ones: the software device executes every instruction of every thread.
    private static readonly Dictionary<string, int> Extents = new(StringComparer.Ordinal)
    {
        ["batch"] = 1,
        ["time"] = 9,
        ["length"] = 7,
        ["frames"] = 40,
        ["height"] = 64,
        ["width"] = 64,
        ["sequence"] = 512,
    };

    /// <param name="kernels">Whether the kernels of a run are listed behind each network.</param>
    public static bool Run(string folder, string? only, bool kernels, TextWriter output)
    {
        output.WriteLine("| network | inputs | cuda beside cpu | graph launches | kernels | allocations | seconds in software |");
        output.WriteLine("|---|---|---|---|---|---|---|");
        using Device cpu = Device.Cpu(1), gpu = Device.Cuda();
        SoftwareDevice? counter = SoftwareDevice.Find();
        bool all = true;
        foreach (string path in Directory.GetFiles(folder, "*.onnx").Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileNameWithoutExtension(path);
            if (only is null || name.StartsWith(only, StringComparison.Ordinal))
            {
                all &= RunOne(path, name, cpu, gpu, counter, kernels, output);
                output.Flush();
            }
        }

        return all;
    }

    private static bool RunOne(
        string path, string name, Device cpu, Device gpu, SoftwareDevice? counter, bool kernels, TextWriter output)
    {
        try
        {
            using OnnxModel model = OnnxModel.Load(path);
            using OnnxSession wanted = model.Compile(cpu), session = model.Compile(gpu);
            Dictionary<string, OnnxValue> inputs = Models.Inputs(model, name, 0, symbol => Extents.GetValueOrDefault(symbol, 1));
            OnnxTensor?[] given = [.. model.Inputs.Select(input => inputs.GetValueOrDefault(input.Name) as OnnxTensor)];
            if (session.HostReason(given) is { } reason)
            {
                output.WriteLine($"| {name} | | the host runs it: {reason} | | | | |");
                return false;
            }

            OnnxTensor[] expected = wanted.CreateOutputs(given), outputs = session.CreateOutputs(given);
            wanted.Run(given, expected);
            double difference = 0;
            for (int run = 0; run < RunsBeforeCapture; run++)
            {
                session.Run(given, outputs);
                difference = Math.Max(difference, Models.Difference(outputs, expected));
            }

            counter?.ResetCounters();
            long start = Stopwatch.GetTimestamp();
            session.Run(given, outputs);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            DeviceCounts? counts = counter?.Counts();
            difference = Math.Max(difference, Models.Difference(outputs, expected));
            string shapes = string.Join(", ", given.OfType<OnnxTensor>()
                .Select(tensor => tensor.Rank == 0 ? "scalar" : string.Join("x", tensor.Dims)));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {name} | {shapes} | {difference:0.0e+0} | {counts?.GraphLaunches} | {counts?.Launches} | {counts?.Allocations} | {seconds:0.0} |"));
            foreach (KernelCounts kernel in (kernels ? counts?.Kernels : null) ?? [])
            {
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"    {kernel.Launches,4} {kernel.Name}"));
            }

            return difference <= Tolerance && counts is not { GraphLaunches: not 1 } && counts is not { Allocations: > 0 };
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            output.WriteLine($"| {name} | | {exception.GetType().Name}: {exception.Message} | | | | |");
            return false;
        }
    }
}
