using System.Diagnostics;
using System.Globalization;

namespace FastNN.Cli.Running;

/// <summary>
/// Keeps the loss of every step and the time that training took, validation apart. It travels in the checkpoint, with the
/// settings that a resumed run must share for its steps to be the same.
/// </summary>
internal sealed class RunRecorder(RunSettings settings, int trainingExamples) : Callback
{
    private readonly List<float> _losses = [];
    private long _lap;
    private long _images;
    private double _seconds;

    /// <summary>The loss of every step, those before a resumed interruption included.</summary>
    public IReadOnlyList<float> Losses => _losses;

    /// <summary>Epochs that ended.</summary>
    public int Epochs { get; private set; }

    /// <summary>Training images per second of training.</summary>
    public double ImagesPerSecond => _seconds > 0 ? _images / _seconds : 0;

    /// <summary>Seconds that an epoch's training takes.</summary>
    public double SecondsPerEpoch(int examples) => _images > 0 ? _seconds / _images * examples : 0;

    public override void OnTrainBegin(Trainer trainer) => _lap = Stopwatch.GetTimestamp();

    public override void OnEpochBegin(Trainer trainer, int epoch) => _lap = Stopwatch.GetTimestamp();

    public override void OnBatchEnd(Trainer trainer, in BatchResult result)
    {
        long now = Stopwatch.GetTimestamp();
        _seconds += Stopwatch.GetElapsedTime(_lap, now).TotalSeconds;
        _lap = now;
        _images += result.Count;
        _losses.Add(result.Loss);
    }

    public override void OnEpochEnd(Trainer trainer, EpochResult result) => Epochs = result.Epoch;

    public override void SaveState(CallbackState state)
    {
        state.Arrays["losses"] = [.. _losses];
        state.Numbers["seconds"] = _seconds;
        state.Numbers["images"] = _images;
        state.Numbers["epochs"] = Epochs;
        state.Texts["recipe"] = settings.Recipe.Name;
        foreach ((string name, double value, _) in Shared())
        {
            state.Numbers[name] = value;
        }
    }

    public override void LoadState(CallbackState state)
    {
        RequireRecipe(state);
        foreach ((string name, double value, Func<double, string> text) in Shared())
        {
            double saved = state.Numbers.GetValueOrDefault(name, double.NaN);
            if (saved != value)
            {
                throw new CliException(
                    $"the checkpoint was made with {text(saved)}, this run has {text(value)}; continue a run with the options it began with");
            }
        }

        _losses.Clear();
        _losses.AddRange(state.Arrays.GetValueOrDefault("losses", []));
        _seconds = state.Numbers.GetValueOrDefault("seconds");
        _images = (long)state.Numbers.GetValueOrDefault("images");
        Epochs = (int)state.Numbers.GetValueOrDefault("epochs");
    }

    private IEnumerable<(string Name, double Value, Func<double, string> Text)> Shared()
    {
        yield return ("batch", settings.Batch, number => $"--batch {number}");
        yield return ("examples", trainingExamples, number => $"{number} training examples (--limit, --data)");
        yield return (
            "learningRate", settings.LearningRate,
            number => string.Create(CultureInfo.InvariantCulture, $"--lr {(float)number}"));
    }

    private void RequireRecipe(CallbackState state)
    {
        if (!state.Texts.TryGetValue("recipe", out string? saved))
        {
            // Version 0.1.0 stored the recipe's place in a list that changes from version to version.
            throw new CliException(
                "the checkpoint does not name its recipe: it was written by a version of fastnn before 0.2, whose runs this one cannot continue");
        }

        if (saved != settings.Recipe.Name)
        {
            throw new CliException(
                $"the checkpoint is of recipe {saved}, this run is of {settings.Recipe.Name}; a run continues with the recipe it began with");
        }
    }
}
