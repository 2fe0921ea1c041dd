using System.Diagnostics;
using System.Globalization;
using FastNN.Onnx;

namespace FastNN.OnnxPeer;

/// <summary>Whole networks in both: random inputs, the outputs held against ONNX Runtime's.</summary>
internal static class Models
{
    // Of the largest output.
    private const double Tolerance = 1e-4;

    // What symbols and unknown extents stand for, in each of two runs.
    private static readonly Dictionary<string, int[]> Extents = new(StringComparer.Ordinal)
    {
        ["batch"] = [1, 3],
        ["time"] = [9, 31],
        ["length"] = [7, 12],
        ["frames"] = [200, 300],
        ["past"] = [0, 5],
        ["total"] = [7, 17],
        ["height"] = [64, 48],
        ["width"] = [64, 96],
        ["sequence"] = [512, 512],
    };

    // Integers that steer a network or fit its extents, in each of two runs.
    private static readonly Dictionary<string, int[]> Steering = new(StringComparer.Ordinal)
    {
        ["sr"] = [16000, 16000],
        ["steps"] = [5, 12],
        ["seqlens"] = [6, 16],
        ["totals"] = [7, 17],
    };

    public static bool Run(string folder, string? only, bool isTimed, TextWriter output)
    {
        output.WriteLine("| network | nodes | Evaluate | compiled | FastNN / ONNX Runtime | first node of the host |");
        output.WriteLine("|---|---|---|---|---|---|");
        bool all = true;
        foreach (string path in Directory.GetFiles(folder, "*.onnx").Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileNameWithoutExtension(path);
            if (only is null || name.StartsWith(only, StringComparison.Ordinal))
            {
                all &= RunOne(path, name, isTimed, output);
                output.Flush();
            }
        }

        return all;
    }

    private static bool RunOne(string path, string name, bool isTimed, TextWriter output)
    {
        try
        {
            using OnnxModel model = OnnxModel.Load(path);
            using var runtime = new Runtime(path);
            using Device device = Device.Cpu(1);
            double evaluated = 0, compiled = 0;
            string? reason = null;
            string ratio = "";
            using (OnnxSession session = model.Compile(device))
            {
                for (int run = 0; run < 2; run++)
                {
                    Dictionary<string, OnnxValue> inputs = Inputs(model, name, run);
                    for (int step = 0; step < 3; step++)
                    {
                        IReadOnlyList<OnnxValue?> wanted = runtime.Run(inputs);
                        evaluated = isTimed ? double.NaN
                            : Math.Max(evaluated, Difference(model.Evaluate(inputs), wanted));
                        compiled = Math.Max(compiled, Difference(session.Run(inputs), wanted));
                        reason ??= session.HostReason(inputs);
                        if (isTimed && run == 1 && step == 0)
                        {
                            double ours = Milliseconds(() => session.Run(inputs));
                            double theirs = Milliseconds(() => runtime.Run(inputs));
                            ratio = string.Create(
                                CultureInfo.InvariantCulture, $"{ours:0.00} / {theirs:0.00} ms = {ours / theirs:0.00}");
                        }

                        if (!Carry(model, inputs, wanted))
                        {
                            break;
                        }
                    }
                }
            }

            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {name} | {model.NodeCount} | {evaluated:0.0e+0} | {compiled:0.0e+0} | {ratio} | {reason} |"));
            return !(evaluated > Tolerance) && compiled <= Tolerance;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            output.WriteLine($"| {name} | | {exception.GetType().Name}: {exception.Message} | | | |");
            return false;
        }
    }

    /// <summary>The median of runs over a third of a second, three at least.</summary>
    private static double Milliseconds(Action run)
    {
        run();
        var times = new List<double>();
        for (var all = Stopwatch.StartNew(); all.ElapsedMilliseconds < 333 || times.Count < 3;)
        {
            long start = Stopwatch.GetTimestamp();
            run();
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        times.Sort();
        return times[times.Count / 2];
    }

    // States come out under names that say where they go in again.
    private static bool Carry(OnnxModel model, Dictionary<string, OnnxValue> inputs, IReadOnlyList<OnnxValue?> outputs)
    {
        bool carried = false;
        for (int i = 0; i < outputs.Count; i++)
        {
            string name = model.Outputs[i].Name;
            if (outputs[i] is { } value && name.EndsWith('n') && inputs.ContainsKey(name[..^1]))
            {
                inputs[name[..^1]] = value;
                carried = true;
            }
        }

        return carried;
    }

    /// <summary>Random values for all inputs that have no default, with the extents of one of two runs.</summary>
    public static Dictionary<string, OnnxValue> Inputs(OnnxModel model, string name, int run) =>
        Inputs(model, name, run, symbol => Extents.TryGetValue(symbol, out int[]? chosen) ? chosen[run] : 0);

    /// <summary>Random values for all inputs that have no default.</summary>
    public static Dictionary<string, OnnxValue> Inputs(OnnxModel model, string name, int run, Func<string, int> extentOf)
    {
        var random = new Random(run);
        var inputs = new Dictionary<string, OnnxValue>(StringComparer.Ordinal);
        foreach (OnnxValueInfo input in model.Inputs.Where(input => !input.HasDefault))
        {
            int[] dims = [.. (input.Dimensions ?? []).Select((extent, axis) =>
                int.TryParse(extent, NumberStyles.None, CultureInfo.InvariantCulture, out int known) ? known
                : name.StartsWith("silero", StringComparison.Ordinal) && input.Name == "input" && axis == 1 ? 512
                : extentOf(extent) is > 0 and var chosen ? chosen
                : axis < (input.Dimensions!.Count == 2 ? 1 : 2) || input.ElementType != OnnxElementType.Float32 ? 1
                : input.Dimensions.Count == 4 ? 64
                : input.Dimensions.Count == 2 ? 512 : 1)];
            int count = dims.Aggregate(1, (product, extent) => product * extent);
            inputs.Add(input.Name, input.ElementType switch
            {
                OnnxElementType.Int64 => OnnxTensor.Create(
                    [.. Enumerable.Range(0, count).Select(i => Integer(input.Name, i, dims, random, run))], dims),
                OnnxElementType.Int32 => OnnxTensor.Create(
                    [.. Enumerable.Range(0, count).Select(i => (int)Integer(input.Name, i, dims, random, run))], dims),
                OnnxElementType.Bool => OnnxTensor.Create([.. Enumerable.Range(0, count).Select(_ => run == 0)], dims),
                OnnxElementType.UInt8 => OnnxTensor.Create([.. Enumerable.Range(0, count).Select(_ => (byte)random.Next(256))],
                    dims),
                OnnxElementType.String => OnnxTensor.Create([.. Enumerable.Range(0, count).Select(i => i % 2 == 0 ? "a" : "b")],
                    dims),
                OnnxElementType.Float64 => OnnxTensor.Create([.. Enumerable.Range(0, count).Select(_ => Normal(random))], dims),
                OnnxElementType.Float16 => OnnxTensor.Create([.. Enumerable.Range(0, count).Select(_ => (Half)Normal(random))],
                    dims),
                _ => OnnxTensor.Create([.. Enumerable.Range(0, count).Select(_ => (float)Normal(random)
                    * (input.Name is "image" ? 0.2f : 1f))], dims),
            });
        }

        return inputs;
    }

    private static long Integer(string name, int place, int[] dims, Random random, int run) =>
        Steering.TryGetValue(name, out int[]? chosen) ? chosen[run]
        : name == "lengths" ? 7 - place
        : name == "edges" ? random.Next(9)
        : name.Contains("mask", StringComparison.Ordinal) ? (place % dims[^1] < dims[^1] - (place / dims[^1]) ? 1 : 0)
        : name.Contains("type", StringComparison.Ordinal) ? 0
        : random.Next(50);

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>The largest difference, over the largest value of its output.</summary>
    public static double Difference(IReadOnlyList<OnnxValue?> got, IReadOnlyList<OnnxValue?> wanted)
    {
        double worst = 0;
        for (int i = 0; i < wanted.Count; i++)
        {
            worst = Math.Max(worst, Difference(got[i], wanted[i]));
        }

        return worst;
    }

    private static double Difference(OnnxValue? got, OnnxValue? wanted)
    {
        switch (got, wanted)
        {
            case (OnnxSequence a, OnnxSequence b) when a.Items.Count == b.Items.Count:
                return a.Items.Zip(b.Items, Difference).DefaultIfEmpty(0).Max();
            case (OnnxMap a, OnnxMap b):
                return Math.Max(Difference(a.Keys, b.Keys), Difference(a.Values, b.Values));
            case (OnnxTensor a, OnnxTensor b) when a.ElementType == b.ElementType && a.Dimensions.SequenceEqual(b.Dimensions):
                if (a.ElementType == OnnxElementType.String)
                {
                    return a.Values<string>().SequenceEqual(b.Values<string>()) ? 0 : double.PositiveInfinity;
                }

                double[] x = FastNN.Onnx.Host.Numbers.Doubles(a), y = FastNN.Onnx.Host.Numbers.Doubles(b);
                double largest = y.Select(Math.Abs).DefaultIfEmpty(0).Max(), difference = 0;
                for (int i = 0; i < x.Length; i++)
                {
                    double here = x[i].Equals(y[i]) ? 0 : Math.Abs(x[i] - y[i]);
                    difference = double.IsNaN(here) ? double.PositiveInfinity : Math.Max(difference, here);
                }

                return difference == 0 ? 0 : difference / largest;
            default:
                return double.PositiveInfinity;
        }
    }
}
