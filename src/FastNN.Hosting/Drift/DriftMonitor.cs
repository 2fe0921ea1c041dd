using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting;

/// <summary>
/// Compares what callers send to a model with what it was trained on: samples examples, counts their values in the bins of
/// training, and takes the population stability index of each full window. Thread-safe.
/// </summary>
/// <remarks>
/// The index of a feature is the sum of (p - q) ln(p / q) over its bins, with the shares p at serving and q in training. Of n
/// examples against m of the same distribution it is about chi-squared by (1/n + 1/m), so that the threshold depends on both.
/// </remarks>
internal sealed partial class DriftMonitor
{
    /// <summary>Examples of a window.</summary>
    internal const int Window = 1000;

    /// <summary>From here on a population has changed, as it is commonly read; below a half of it, it has come back.</summary>
    internal const double Threshold = 0.2;

    // Chi-squared of 11 degrees of freedom is above it once in 100 million times.
    private const double ByChance = 60;

    // Shares below it count as this much, so that one value beyond all of training is no alarm.
    private const double LeastShare = 1e-3;

    // One window may be a caller with a peculiar batch.
    private const int WindowsToTurn = 2;

    // Of the time that models compute, a half of a percent goes into samples.
    private const double Budget = 0.005;

    // Values of one channel that are looked at in an example.
    private const int MaxPlaces = 64;

    // Series of one model at most; the largest are shown.
    private const int MaxSeries = 64;

    private readonly Lock _gate = new();
    private readonly TrainingStatistics _statistics;
    private readonly TensorDataType _type;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly string _name;
    private readonly string _version;
    private readonly KeyValuePair<string, object?>[][] _tags;
    private readonly float[][] _bounds;
    private readonly int[][] _counts;
    private readonly double[] _sums;
    private readonly bool _isBatched;
    private readonly int _places;
    private readonly int _taken;
    private double[] _indices = [];
    private int _examples;
    private int _turning;
    private ulong _random = 0x9E3779B97F4A7C15;
    private double _credit;

    /// <param name="name">The model's name.</param>
    /// <param name="version">Its version.</param>
    /// <param name="statistics">What it was trained on.</param>
    /// <param name="inputs">What goes in.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Is told once when inputs part from training, and once when they are back.</param>
    /// <exception cref="InvalidOperationException">The statistics do not belong to an input.</exception>
    public DriftMonitor(
        string name, string version, TrainingStatistics statistics, IReadOnlyList<ModelTensor> inputs, TimeProvider time,
        ILogger log)
    {
        (_name, _version, _statistics, _time, _log) = (name, version, statistics, time, log);
        Input = FindInput(statistics, inputs);
        _type = inputs[Input].DataType;
        _isBatched = inputs[Input].Dimensions.Count > statistics.ExampleShape.Rank;
        _tags =
        [
            .. statistics.Features.Select(feature => (KeyValuePair<string, object?>[])
            [
                new(ServingTelemetry.ModelName, name), new(ServingTelemetry.ModelVersion, version),
                new("fastnn.feature", feature.Name),
            ]),
        ];
        _bounds = [.. statistics.Features.Select(feature => feature.Bounds.ToArray())];
        _counts = [.. _bounds.Select(bounds => new int[bounds.Length + 1])];
        _sums = new double[_bounds.Length];
        ExampleSize = checked((int)statistics.ExampleShape.Count);
        _places = statistics.Outer * statistics.Inner;
        _taken = Math.Min(_places, MaxPlaces);
        Limit = Math.Max(Threshold, ByChance * ((1.0 / Window) + (1.0 / statistics.Examples)));
    }

    /// <summary>Which input of the model is looked at.</summary>
    public int Input { get; }

    /// <summary>Values of one example.</summary>
    public int ExampleSize { get; }

    /// <summary>The index from which on a feature counts as changed.</summary>
    public double Limit { get; }

    /// <summary>Whether inputs are held to be others than those of training.</summary>
    public bool HasDrifted { get; private set; }

    /// <summary>Full windows so far.</summary>
    public long Windows { get; private set; }

    /// <summary>Examples that were looked at so far.</summary>
    public long Samples { get; private set; }

    /// <summary>The index of each feature in the last full window; empty before.</summary>
    public IReadOnlyList<double> Indices => Volatile.Read(ref _indices);

    /// <summary>
    /// A monitor where something is known of the training: from code, else from the settings beside the model, else from its
    /// file.
    /// </summary>
    /// <exception cref="FileFormatException">What is known of it is malformed.</exception>
    /// <exception cref="InvalidOperationException">It does not belong to an input.</exception>
    public static DriftMonitor? Find(
        string name, string version, string path, ServingSettings settings, IReadOnlyList<ModelTensor> inputs, TimeProvider time,
        ILogger log)
    {
        TrainingStatistics? statistics = settings.TrainedOn
            ?? (settings.Statistics is { } json ? StatisticsFile.Read(json) : StatisticsFile.Find(path));
        return statistics is null ? null : new DriftMonitor(name, version, statistics, inputs, time, log);
    }

    /// <summary>Looks at one example of a batch, where the time for it has come together.</summary>
    /// <param name="batch">Calls, <see cref="ServedCall"/>, that were computed.</param>
    /// <param name="compute">How long that took.</param>
    public void Offer(ReadOnlySpan<QueuedCall> batch, TimeSpan compute)
    {
        if (Affords(compute))
        {
            long start = _time.GetTimestamp();
            lock (_gate)
            {
                var call = (ServedCall)batch[Next(batch.Length)];
                CallTensor input = call.Input(Input);
                int rows = _isBatched ? input.Dimensions[0] : 1, length = ExampleSize * SizeOf(_type);

                // Where extents are open, an example may have another size than those of training.
                if (rows > 0 && (long)rows * length == input.Length)
                {
                    Observe(input.Bytes.Slice(Next(rows) * length, length));
                }
            }

            Pay(_time.GetElapsedTime(start));
        }
    }

    /// <summary>Adds what a batch took to the time for samples; true where there is some to spend.</summary>
    internal bool Affords(TimeSpan compute)
    {
        lock (_gate)
        {
            // What was saved up in a long while is not spent at once.
            _credit = Math.Min(_credit + (compute.Ticks * Budget), TimeSpan.TicksPerMillisecond);
            return _credit > 0;
        }
    }

    /// <summary>A sample took so long.</summary>
    internal void Pay(TimeSpan time)
    {
        lock (_gate)
        {
            _credit -= time.Ticks;
        }
    }

    /// <summary>Counts the values of one example, and judges the window when it is full.</summary>
    internal void Observe(ReadOnlySpan<byte> example)
    {
        lock (_gate)
        {
            int shift = _places > _taken ? Next(_places) : 0;
            for (int j = 0; j < _taken; j++)
            {
                int place = (int)(((long)j * _places / _taken) + shift) % _places;
                for (int i = 0; i < _bounds.Length; i++)
                {
                    float value = Read(example, _statistics.IndexOf(i, place, _bounds.Length));
                    _counts[i][FeatureStatistics.BinOf(_bounds[i], value)]++;
                    _sums[i] += value;
                }
            }

            Samples++;
            if (++_examples == Window)
            {
                Judge();
            }
        }
    }

    /// <summary>The index of each feature in the last full window; of very many, of those that changed most.</summary>
    public IEnumerable<Measurement<double>> Measure()
    {
        double[] indices = Volatile.Read(ref _indices);
        IEnumerable<int> shown = Enumerable.Range(0, indices.Length);
        return (indices.Length <= MaxSeries ? shown : shown.OrderByDescending(i => indices[i]).Take(MaxSeries))
            .Select(i => new Measurement<double>(indices[i], _tags[i]));
    }

    /// <summary>The population stability index of counts against shares.</summary>
    internal static double IndexOf(ReadOnlySpan<int> counts, IReadOnlyList<double> shares)
    {
        double total = 0, index = 0;
        foreach (int count in counts)
        {
            total += count;
        }

        for (int i = 0; i < counts.Length; i++)
        {
            double p = Math.Max(counts[i] / total, LeastShare), q = Math.Max(shares[i], LeastShare);
            index += (p - q) * Math.Log(p / q);
        }

        return index;
    }

    private static int FindInput(TrainingStatistics statistics, IReadOnlyList<ModelTensor> inputs)
    {
        int input = statistics.Input is null ? 0 : inputs.ToList().FindIndex(tensor => tensor.Name == statistics.Input);
        if ((uint)input >= (uint)inputs.Count)
        {
            throw new InvalidOperationException(
                $"training statistics: expected an input of the model, got '{Formats.Quote.Text(statistics.Input ?? "")}'");
        }

        ModelTensor tensor = inputs[input];
        if (SizeOf(tensor.DataType) == 0)
        {
            throw new InvalidOperationException(
                $"training statistics: expected numbers as input '{tensor.Name}', the model takes {tensor.DataType}");
        }

        // The first extent is the batch where it is open; others that are open fit any shape.
        int[] own = [.. tensor.Dimensions], given = [.. statistics.ExampleShape];
        int[] example = own.Length == given.Length + 1 ? own[1..] : own;
        bool fits = example.Length == given.Length && !example.Where((extent, i) => extent >= 0 && extent != given[i]).Any();
        return fits ? input : throw new InvalidOperationException(
            $"training statistics: expected examples of shape {InputRules.Text(example)} as input '{tensor.Name}' takes them, "
            + $"got {statistics.ExampleShape}; measure the data as callers send it");
    }

    private static int SizeOf(TensorDataType type) => type switch
    {
        TensorDataType.UInt8 => sizeof(byte),
        TensorDataType.Int32 => sizeof(int),
        TensorDataType.Int64 => sizeof(long),
        TensorDataType.Float32 => sizeof(float),
        TensorDataType.Float64 => sizeof(double),
        _ => 0,
    };

    private float Read(ReadOnlySpan<byte> example, int index) => _type switch
    {
        TensorDataType.UInt8 => example[index],
        TensorDataType.Int32 => MemoryMarshal.Cast<byte, int>(example)[index],
        TensorDataType.Int64 => MemoryMarshal.Cast<byte, long>(example)[index],
        TensorDataType.Float32 => MemoryMarshal.Cast<byte, float>(example)[index],
        _ => (float)MemoryMarshal.Cast<byte, double>(example)[index],
    };

    /// <summary>A number below a limit, by xorshift: good enough to choose examples by, and cheap.</summary>
    private int Next(int limit)
    {
        _random ^= _random << 13;
        _random ^= _random >> 7;
        _random ^= _random << 17;
        return (int)((_random >> 33) % (ulong)limit);
    }

    private void Judge()
    {
        var indices = new double[_counts.Length];
        int worst = 0;
        for (int i = 0; i < indices.Length; i++)
        {
            indices[i] = IndexOf(_counts[i], _statistics.Features[i].Shares);
            worst = indices[i] > indices[worst] ? i : worst;
        }

        Volatile.Write(ref _indices, indices);
        Windows++;
        bool turns = HasDrifted ? indices[worst] < Limit / 2 : indices[worst] > Limit;
        _turning = turns ? _turning + 1 : 0;
        if (_turning == WindowsToTurn)
        {
            (HasDrifted, _turning) = (!HasDrifted, 0);
            FeatureStatistics feature = _statistics.Features[worst];
            if (HasDrifted)
            {
                int changed = indices.Count(index => index > Limit);
                LogDrifted(
                    _log, _name, _version, changed, indices.Length, feature.Name, indices[worst], _sums[worst] / Window / _taken,
                    feature.Mean);
            }
            else
            {
                LogBack(_log, _name, _version, indices[worst]);
            }
        }

        foreach (int[] counts in _counts)
        {
            Array.Clear(counts);
        }

        Array.Clear(_sums);
        _examples = 0;
    }

    [LoggerMessage(
        EventId = 1801, Level = LogLevel.Warning,
        Message = "The inputs of model {Model}, version {Version}, differ from those of its training in {Changed} of {Features} "
            + "features, most in '{Feature}': stability index {Index:0.00}, mean {Mean:G4}, in training {TrainingMean:G4}.")]
    private static partial void LogDrifted(
        ILogger log, string model, string version, int changed, int features, string feature, double index, double mean,
        double trainingMean);

    [LoggerMessage(
        EventId = 1802, Level = LogLevel.Information,
        Message = "The inputs of model {Model}, version {Version}, are like those of its training again: stability index "
            + "{Index:0.00}.")]
    private static partial void LogBack(ILogger log, string model, string version, double index);
}
