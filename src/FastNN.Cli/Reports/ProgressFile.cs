using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FastNN.Cli.Running;

namespace FastNN.Cli.Reports;

/// <summary>
/// What a run is doing, line by line as JSON, for `fastnn watch` and `fastnn runs`. Steps are written a few times a second at
/// most; every line is written at once, so a reader sees whole lines but for the last.
/// </summary>
/// <param name="folder">The run's.</param>
/// <param name="continues">Whether what is there is of the same run.</param>
internal sealed class ProgressFile(string folder, bool continues) : IDisposable
{
    public const string Name = "progress.jsonl";

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly long _start = Stopwatch.GetTimestamp();
    private FileStream? _file;
    private long _last;

    /// <summary>Begins a run, or goes on with one; before it there is no file, and nothing is written.</summary>
    /// <param name="step">Steps that are done already.</param>
    public void Begin(string recipe, ulong seed, bool quick, int? epochs, long step)
    {
        _file ??= new FileStream(
            Path.Combine(folder, Name), continues ? FileMode.Append : FileMode.Create, FileAccess.Write,
            FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
        Write("begin", json =>
        {
            json.WriteString("recipe", recipe);
            json.WriteNumber("seed", seed);
            json.WriteBoolean("quick", quick);
            json.WriteNumber("step", step);
            json.WriteString("time", DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
            if (epochs is { } count)
            {
                json.WriteNumber("epochs", count);
            }
        });
    }

    /// <summary>A step is done; most are not written.</summary>
    /// <param name="phase">What is done; empty where there is one training.</param>
    /// <param name="step">Steps done.</param>
    /// <param name="steps">Steps in all.</param>
    /// <param name="loss">The step's loss, or NaN for a step without one.</param>
    public void Step(string phase, long step, long steps, double loss)
    {
        if (step >= steps || Stopwatch.GetElapsedTime(_last) >= Interval)
        {
            _last = Stopwatch.GetTimestamp();
            WriteStep(phase, step, steps, loss);
        }
    }

    /// <summary>An epoch is done.</summary>
    /// <param name="phase">As for <see cref="Step"/>.</param>
    /// <param name="result">Its figures.</param>
    public void Epoch(string phase, EpochResult result) => Write("epoch", json =>
    {
        json.WriteString("phase", phase);
        json.WriteNumber("epoch", result.Epoch);
        WriteFinite(json, "loss", result.Loss);
        WriteFinite(json, "accuracy", result.Accuracy);
        WriteFinite(json, "heldLoss", result.ValidationLoss);
        WriteFinite(json, "heldAccuracy", result.ValidationAccuracy);
    });

    /// <summary>The run noted a number.</summary>
    public void Figure(string name, double value) => Write("figure", json =>
    {
        json.WriteString("name", name);
        WriteFinite(json, "value", value);
    });

    /// <summary>The run is over.</summary>
    /// <param name="state">"passed", "missed" or "interrupted".</param>
    /// <param name="text">In one line.</param>
    public void End(string state, string text) => Write("end", json =>
    {
        json.WriteString("state", state);
        json.WriteString("text", text);
    });

    public void Dispose() => _file?.Dispose();

    // Apart from Step, which must not make a closure for steps that are not written.
    private void WriteStep(string phase, long step, long steps, double loss) => Write("step", json =>
    {
        json.WriteString("phase", phase);
        json.WriteNumber("step", step);
        json.WriteNumber("steps", steps);
        WriteFinite(json, "loss", loss);
    });

    private void Write(string kind, Action<Utf8JsonWriter> content)
    {
        if (_file is null)
        {
            return;
        }

        _line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_line))
        {
            json.WriteStartObject();
            json.WriteString("kind", kind);
            json.WriteNumber("seconds", Math.Round(Stopwatch.GetElapsedTime(_start).TotalSeconds, 3));
            content(json);
            json.WriteEndObject();
        }

        _line.Write("\n"u8);
        _file.Write(_line.WrittenSpan);
    }

    /// <summary>JSON has no number for others.</summary>
    private static void WriteFinite(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number))
        {
            json.WriteNumber(name, number);
        }
    }
}

/// <summary>Tells a <see cref="ProgressFile"/> of a training.</summary>
internal sealed class ProgressCallback(ProgressFile file, RunSettings settings) : Callback
{
    public override void OnTrainBegin(Trainer trainer) =>
        file.Begin(settings.Recipe.Name, settings.Seed, settings.Quick, settings.Epochs, trainer.StepCount);

    public override void OnBatchEnd(Trainer trainer, in BatchResult result) => file.Step(
        "", trainer.StepCount, Math.Max(trainer.StepCount, (long)settings.Epochs * result.Batches), result.Loss);

    public override void OnEpochEnd(Trainer trainer, EpochResult result) => file.Epoch("", result);
}
