using System.Globalization;
using FastNN.Onnx;

namespace FastNN.OnnxPeer;

/// <summary>
/// What a session takes of the machine's memory once it has answered: pages that no other process shares and that hold something,
/// as Linux counts them. One side for each process, since neither gives all back.
/// </summary>
internal static class Footprint
{
    public static void Run(string path, bool theirs, TextWriter output)
    {
        Dictionary<string, OnnxValue> inputs;
        using (OnnxModel model = OnnxModel.Load(path))
        {
            inputs = Models.Inputs(model, "", 0);
        }

        Collect();
        long before = PrivateBytes(), answered, collected;
        if (theirs)
        {
            using var runtime = new Runtime(path);
            runtime.Run(inputs);
            answered = PrivateBytes();
            Collect();
            collected = PrivateBytes();
        }
        else
        {
            using OnnxModel model = OnnxModel.Load(path);
            using Device device = Device.Cpu(1);
            using OnnxSession session = model.Compile(device);
            session.Run(inputs);
            answered = PrivateBytes();
            Collect();
            collected = PrivateBytes();
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{(theirs ? "ONNX Runtime" : "FastNN")}: {Megabytes(answered - before)} MB behind the first answer, "
            + $"{Megabytes(collected - before)} MB behind a collection; the process had {Megabytes(before)} MB before."));
    }

    private static double Megabytes(long bytes) => Math.Round(bytes / (1024.0 * 1024), 1);

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
    }

    private static long PrivateBytes() => 1024 * File.ReadLines("/proc/self/smaps_rollup")
        .Where(line => line.StartsWith("Private_Dirty:", StringComparison.Ordinal))
        .Sum(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture));
}
