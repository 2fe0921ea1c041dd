using System.Globalization;
using System.Runtime.InteropServices;
using FastNN.Formats;
using FastNN.Functions;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Optimizers;
using FastNN.Tensors;

namespace FastNN;

public sealed partial class Trainer
{
    private const string Version = "2";

    /// <summary>More steps than a run makes in a thousand years; all whole numbers up to here are exact in double, too.</summary>
    private const long MaxStep = 1L << 53;

    /// <summary>More than a thousand years; a TimeSpan holds it.</summary>
    private const double MaxSeconds = 1e11;

    /// <summary>
    /// Saves the whole run: parameters, optimizer state, step, place in the shuffled epoch, history and callbacks, so that
    /// <see cref="LoadCheckpoint"/> continues it bit for bit. The file (safetensors) appears whole or not at all.
    /// </summary>
    /// <param name="path">The file, replaced if it is there.</param>
    /// <param name="callbacks">Whose state goes into it; default those of the last <see cref="Fit"/>. Explicit loops name their
    /// own.</param>
    /// <exception cref="InvalidOperationException">There was no step yet.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveCheckpoint(string path, IReadOnlyList<Callback>? callbacks = null)
    {
        callbacks ??= _callbacks;
        using Occupancy.Stay stay = Enter(nameof(SaveCheckpoint));
        if (_step is null)
        {
            throw new InvalidOperationException(
                "Trainer.SaveCheckpoint: expected at least one training step before a checkpoint; call Fit or TrainBatch first.");
        }

        using DeviceUse inside = _device.Life.Enter();
        OptimizerState state = CurrentState();
        var writer = new SafetensorsWriter();
        foreach ((string full, Parameter parameter) in Model.NamedParameters)
        {
            int[] shape = parameter.Layout.FileShape(parameter.Shape).ToArray();
            writer.Add($"model.{full}", shape, ParameterFile.Read(full, parameter));
            foreach ((StateInfo info, int index) in parameter.IsTrainable ? state.States : [])
            {
                writer.Add(
                    $"optimizer.{info.Name}.{full}", shape,
                    ParameterFile.ToFile(full, parameter, Download(state.View(index, parameter))));
            }

            if (_step.Pending > 0 && parameter.IsTrainable)
            {
                writer.Add(
                    $"gradient.{full}", shape,
                    ParameterFile.ToFile(full, parameter, Download(_step.State.Gradients.Gradient(parameter))));
            }
        }

        foreach ((string key, Callback callback) in Keys(callbacks))
        {
            var saved = new CallbackState();
            callback.SaveState(saved);
            foreach ((string name, float[] values) in saved.Arrays)
            {
                writer.Add($"callback/{key}/{name}", [values.Length], values);
            }

            foreach ((string name, double value) in saved.Numbers)
            {
                writer.SetMetadata($"callback/{key}/{name}", Text(value));
            }

            foreach ((string name, string value) in saved.Texts)
            {
                writer.SetMetadata($"callbackText/{key}/{name}", value);
            }
        }

        writer.SetMetadata("fastnn.checkpoint", Version);
        writer.SetMetadata("optimizer", Optimizer.Name);
        writer.SetMetadata("learningRate", Text(Optimizer.LearningRate));
        writer.SetMetadata("seed", _seed.ToString(CultureInfo.InvariantCulture));
        writer.SetMetadata("step", StepCount.ToString(CultureInfo.InvariantCulture));
        if (_step.Pending > 0)
        {
            writer.SetMetadata("pending", Text(_step.Pending));
            writer.SetMetadata("pendingWeight", Text(_step.PendingWeight));
        }

        _progress.Save(writer);
        SaveMetrics(writer);
        writer.Save(path);
    }

    /// <summary>
    /// Restores what <see cref="SaveCheckpoint"/> saved; the next <see cref="Fit"/>, given the same data, batch size and
    /// callbacks, continues where that run stopped. Everything is checked before anything is replaced, and the memory taken
    /// meanwhile is at most twice the file. Callbacks are matched by type, and by their place among those of one type: one that
    /// the file does not have starts fresh, and the file's others are ignored.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="callbacks">Callbacks that get their state now, for explicit loops; default none, since <see cref="Fit"/>
    /// restores its own.</param>
    /// <exception cref="FileFormatException">The file is malformed, of another model, optimizer or seed, or holds a number that
    /// no run can have.</exception>
    /// <exception cref="InvalidOperationException">The model is not built.</exception>
    public void LoadCheckpoint(string path, IReadOnlyList<Callback>? callbacks = null)
    {
        using Occupancy.Stay stay = Enter(nameof(LoadCheckpoint));
        using DeviceUse use = _device.Life.Enter();
        RequireExample();
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        RequireMetadata(reader, "fastnn.checkpoint", Version);
        RequireMetadata(reader, "optimizer", Optimizer.Name);
        RequireMetadata(reader, "seed", _seed.ToString(CultureInfo.InvariantCulture));
        long step = Whole(reader, "step", MaxStep);
        float learningRate = (float)Number(reader, "learningRate", 0, float.MaxValue);
        int pending = reader.Metadata.ContainsKey("pending") ? (int)Whole(reader, "pending", int.MaxValue - 1) : 0;
        double pendingWeight = pending > 0 ? Number(reader, "pendingWeight", double.Epsilon, double.MaxValue) : 0;
        Progress progress = Progress.Load(reader);
        Dictionary<string, CallbackState> states = LoadCallbacks(reader);

        Prepare();
        OptimizerState state = CurrentState();
        var writes = new List<(Tensor Target, float[] Values)>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        float[] scratch = [];
        foreach ((string full, Parameter parameter) in Model.NamedParameters)
        {
            known.Add($"model.{full}");
            writes.Add((_weights!.Store.Value(parameter), ParameterFile.Load(reader, $"model.{full}", parameter, ref scratch)));
            foreach ((StateInfo info, int index) in parameter.IsTrainable ? state.States : [])
            {
                string tensor = $"optimizer.{info.Name}.{full}";
                known.Add(tensor);
                float[] values = ParameterFile.Load(reader, tensor, parameter, ref scratch);
                if (info.IsNeverNegative && Array.FindIndex(values, value => value < 0) is >= 0 and var at)
                {
                    throw new FileFormatException(
                        path, reader.Find(tensor).Offset, $"numbers of at least 0 in tensor {tensor}", Text(values[at]));
                }

                writes.Add((state.View(index, parameter), values));
            }

            if (pending > 0 && parameter.IsTrainable)
            {
                known.Add($"gradient.{full}");
                writes.Add(
                    (
                        _step!.State.Gradients.Gradient(parameter),
                        ParameterFile.Load(reader, $"gradient.{full}", parameter, ref scratch)));
            }
        }

        if (reader.Tensors.FirstOrDefault(
            tensor => !known.Contains(tensor.Name)
                && !tensor.Name.StartsWith("callback/", StringComparison.Ordinal)) is { } other)
        {
            throw new FileFormatException(
                path, other.Offset, "only parameters of this model, and optimizer state of those that are trainable",
                $"tensor {Quote.Text(other.Name)}");
        }

        // Before the parameters are replaced, because a callback may find its state malformed.
        foreach ((string key, Callback callback) in Keys(callbacks ?? []))
        {
            if (states.GetValueOrDefault(key) is { } saved)
            {
                callback.LoadState(saved);
            }
        }

        foreach ((Tensor target, float[] values) in writes)
        {
            _device.Upload(MemoryMarshal.AsBytes<float>(values), target);
        }

        _step!.StepCount = step;
        _step.ResumeAccumulating(pending, pendingWeight);
        _step.Invalidate();
        (Optimizer.LearningRate, _progress, _resumedCallbacks, IsResuming) = (learningRate, progress, states, true);
    }

    /// <summary>Callbacks with what checkpoints call them: the type, and the place among those of one type.</summary>
    private static IEnumerable<(string Key, Callback Callback)> Keys(IReadOnlyList<Callback> callbacks)
    {
        var counts = new Dictionary<Type, int>();
        foreach (Callback callback in callbacks)
        {
            Type type = callback.GetType();
            int place = counts.GetValueOrDefault(type);
            counts[type] = place + 1;
            yield return (string.Create(CultureInfo.InvariantCulture, $"{type.FullName}#{place}"), callback);
        }
    }

    private static Dictionary<string, CallbackState> LoadCallbacks(SafetensorsReader reader)
    {
        var states = new Dictionary<string, CallbackState>();
        foreach ((string key, string value) in reader.Metadata)
        {
            if (Find("callback", key) is var (state, name))
            {
                state.Numbers[name] = Number(reader, key, double.NegativeInfinity, double.PositiveInfinity);
            }
            else if (Find("callbackText", key) is var (textState, textName))
            {
                textState.Texts[textName] = value;
            }
        }

        foreach (SafetensorsTensor tensor in reader.Tensors)
        {
            if (Find("callback", tensor.Name) is var (state, name))
            {
                state.Arrays[name] = reader.ReadSingles(tensor.Name);
            }
        }

        return states;

        (CallbackState State, string Name)? Find(string prefix, string key)
        {
            string[] parts = key.Split('/', 3);
            if (parts.Length != 3 || parts[0] != prefix)
            {
                return null;
            }

            if (!states.TryGetValue(parts[1], out CallbackState? state))
            {
                states.Add(parts[1], state = new CallbackState { Source = reader.FilePath });
            }

            return (state, parts[2]);
        }
    }

    /// <summary>The optimizer's state, laid out for what is trainable now.</summary>
    private OptimizerState CurrentState()
    {
        _step!.Refresh();
        return _step.State.Optimizers[0];
    }

    private static void RequireMetadata(SafetensorsReader reader, string key, string expected)
    {
        string got = reader.Metadata.GetValueOrDefault(key, "nothing");
        if (got != expected)
        {
            throw new FileFormatException(reader.FilePath, 0, $"a checkpoint with {key} {expected}", got);
        }
    }

    /// <summary>A number of the file's, not NaN.</summary>
    private static double Number(SafetensorsReader reader, string key, double least, double most) =>
        double.TryParse(
            reader.Metadata.GetValueOrDefault(key), NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            && value >= least && value <= most
            ? value
            : throw new FileFormatException(
                reader.FilePath, 0,
                double.IsInfinity(least) ? $"a number for {key}" : $"a number from {Text(least)} to {Text(most)} for {key}",
                reader.Metadata.GetValueOrDefault(key, "nothing"));

    /// <summary>A whole number of the file's, from 0 on.</summary>
    private static long Whole(SafetensorsReader reader, string key, long most) =>
        long.TryParse(reader.Metadata.GetValueOrDefault(key), NumberStyles.None, CultureInfo.InvariantCulture, out long value)
            && value <= most
            ? value
            : throw new FileFormatException(
                reader.FilePath, 0, string.Create(CultureInfo.InvariantCulture, $"a whole number from 0 to {most} for {key}"),
                reader.Metadata.GetValueOrDefault(key, "nothing"));

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private float[] Download(Tensor tensor)
    {
        var values = new float[tensor.Count];
        _device.Download(tensor, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    private sealed partial class Progress
    {
        public void Save(SafetensorsWriter writer)
        {
            writer.SetMetadata("epoch", Text(Epoch));
            writer.SetMetadata("batch", Text(Batch));
            writer.SetMetadata("shuffleEpoch", Text(ShuffleEpoch));
            writer.SetMetadata("seen", Text(Seen));
            writer.SetMetadata("lossSum", Text(LossSum));
            writer.SetMetadata("correct", Text(Correct));
            writer.SetMetadata("counted", Text(Counted));
            writer.SetMetadata("hasClasses", HasClasses ? "1" : "0");
            writer.SetMetadata("stopped", Stopped ? "1" : "0");
            writer.SetMetadata("history", string.Join(';', History.Epochs.Select(Format)));
        }

        public static Progress Load(SafetensorsReader reader)
        {
            long seen = Whole(reader, "seen", MaxStep);
            var progress = new Progress
            {
                Epoch = (int)Whole(reader, "epoch", int.MaxValue - 1),
                Batch = (int)Whole(reader, "batch", int.MaxValue - 1),
                ShuffleEpoch = (int)Whole(reader, "shuffleEpoch", int.MaxValue - 1),
                Seen = seen,
                LossSum = Number(reader, "lossSum", double.MinValue, double.MaxValue),
                Correct = Whole(reader, "correct", MaxStep),
                Counted = reader.Metadata.ContainsKey("counted") ? Whole(reader, "counted", MaxStep) : seen,
                HasClasses = Whole(reader, "hasClasses", 1) != 0,
                Stopped = Whole(reader, "stopped", 1) != 0,
            };
            string[] epochs = reader.Metadata.GetValueOrDefault("history", "").Split(';', StringSplitOptions.RemoveEmptyEntries);
            for (int i = 0; i < epochs.Length; i++)
            {
                progress.History.Add(Parse(reader, epochs[i]) with
                {
                    Metrics = MetricsOf(reader, "metric/", i, epochs.Length),
                    ValidationMetrics = MetricsOf(reader, "validationMetric/", i, epochs.Length),
                });
            }

            progress.LoadMetricSums(reader);

            return progress;
        }

        /// <summary>
        /// One epoch of the history; in the file epochs count from 0, as they did before the API counted them from 1.
        /// </summary>
        private static string Format(EpochResult epoch) => string.Join(
            ' ', Text(epoch.Epoch - 1), Text(epoch.Loss), Optional(epoch.Accuracy), Optional(epoch.ValidationLoss),
            Optional(epoch.ValidationAccuracy),
            Text(epoch.Duration.TotalSeconds), Text(epoch.LearningRate));

        private static string Optional(double? value) => value is { } number ? Text(number) : "-";

        private static EpochResult Parse(SafetensorsReader reader, string text)
        {
            string[] parts = text.Split(' ');
            double?[] numbers = Array.ConvertAll<string, double?>(
                parts,
                part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : null);
            if (numbers is not [{ } epoch and >= 0
                and < int.MaxValue, { } loss, var accuracy, var validationLoss, var validationAccuracy,
                { } seconds and >= 0 and < MaxSeconds, { } learningRate])
            {
                throw new FileFormatException(reader.FilePath, 0, "a history of seven numbers per epoch", text);
            }

            return new EpochResult
            {
                Epoch = (int)epoch + 1,
                Loss = loss,
                Accuracy = accuracy,
                ValidationLoss = validationLoss,
                ValidationAccuracy = validationAccuracy,
                Duration = TimeSpan.FromSeconds(seconds),
                LearningRate = (float)learningRate,
            };
        }
    }
}
