using System.Globalization;
using System.Runtime.InteropServices;
using FastNN.Formats;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN;

public sealed partial class Trainer
{
    private const string Version = "1";

    /// <summary>
    /// Saves the whole run: parameters, optimizer state, step, place in the shuffled epoch, history and callbacks, so that
    /// <see cref="Resume"/> continues it bit for bit. The file (safetensors) appears whole or not at all.
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
        using DeviceUse use = _device.Life.Enter();
        if (_state is null)
        {
            throw new InvalidOperationException("Trainer.SaveCheckpoint: there is nothing to save before the first step.");
        }

        var writer = new SafetensorsWriter();
        foreach ((string full, Parameter parameter) in Model.NamedParameters)
        {
            int[] shape = parameter.Layout.FileShape(parameter.Shape).ToArray();
            writer.Add($"model.{full}", shape, ParameterFile.Read(full, parameter));
            foreach ((string name, int index) in parameter.IsTrainable ? _state.States : [])
            {
                writer.Add($"optimizer.{name}.{full}", shape, ParameterFile.ToFile(full, parameter, Download(_state.View(index, parameter))));
            }
        }

        for (int i = 0; i < callbacks.Count; i++)
        {
            var state = new CallbackState();
            callbacks[i].SaveState(state);
            foreach ((string name, float[] values) in state.Arrays)
            {
                writer.Add($"callback.{i}.{name}", [values.Length], values);
            }

            foreach ((string name, double value) in state.Numbers)
            {
                writer.SetMetadata($"callback.{i}.{name}", Text(value));
            }

            foreach ((string name, string value) in state.Texts)
            {
                writer.SetMetadata($"callbackText.{i}.{name}", value);
            }
        }

        writer.SetMetadata("fastnn.checkpoint", Version);
        writer.SetMetadata("optimizer", Optimizer.Name);
        writer.SetMetadata("learningRate", Text(Optimizer.LearningRate));
        writer.SetMetadata("seed", _seed.ToString(CultureInfo.InvariantCulture));
        writer.SetMetadata("step", StepCount.ToString(CultureInfo.InvariantCulture));
        _progress.Save(writer);
        writer.Save(path);
    }

    /// <summary>
    /// Takes back what <see cref="SaveCheckpoint"/> saved; the next <see cref="Fit"/>, given the same data, batch size and
    /// callbacks, continues where that run was. Everything is checked before anything is replaced.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="callbacks">Given their state at once, for explicit loops; default none, for <see cref="Fit"/> gives it to its
    /// own.</param>
    /// <exception cref="FileFormatException">The file is malformed, or of another model, optimizer or seed.</exception>
    /// <exception cref="InvalidOperationException">The model is not built.</exception>
    public void Resume(string path, IReadOnlyList<Callback>? callbacks = null)
    {
        using Occupancy.Stay stay = Enter(nameof(Resume));
        using DeviceUse use = _device.Life.Enter();
        RequireExample();
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        RequireMetadata(reader, "fastnn.checkpoint", Version);
        RequireMetadata(reader, "optimizer", Optimizer.Name);
        RequireMetadata(reader, "seed", _seed.ToString(CultureInfo.InvariantCulture));
        long step = (long)Number(reader, "step");
        float learningRate = (float)Number(reader, "learningRate");
        Progress progress = Progress.Load(reader);
        Dictionary<int, CallbackState> states = LoadCallbacks(reader);

        Prepare();
        var writes = new List<(Tensor Target, float[] Values)>();
        foreach ((string full, Parameter parameter) in Model.NamedParameters)
        {
            writes.Add((_store!.Value(parameter), ParameterFile.Load(reader, $"model.{full}", parameter)));
            foreach ((string name, int index) in parameter.IsTrainable ? _state!.States : [])
            {
                writes.Add((_state!.View(index, parameter), ParameterFile.Load(reader, $"optimizer.{name}.{full}", parameter)));
            }
        }

        foreach ((Tensor target, float[] values) in writes)
        {
            _device.Upload(MemoryMarshal.AsBytes<float>(values), target);
        }

        (StepCount, Optimizer.LearningRate, _progress, _resumedCallbacks, IsResuming) = (step, learningRate, progress, states, true);
        _phase = Phase.Updated;
        for (int i = 0; i < callbacks?.Count; i++)
        {
            if (states.GetValueOrDefault(i) is { } state)
            {
                callbacks[i].LoadState(state);
            }
        }
    }

    private static Dictionary<int, CallbackState> LoadCallbacks(SafetensorsReader reader)
    {
        var states = new Dictionary<int, CallbackState>();
        foreach ((string key, string value) in reader.Metadata)
        {
            if (Find("callback", key) is var (state, name))
            {
                state.Numbers[name] = Number(reader, key);
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
            string[] parts = key.Split('.', 3);
            if (parts.Length != 3 || parts[0] != prefix || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int index))
            {
                return null;
            }

            if (!states.TryGetValue(index, out CallbackState? state))
            {
                states.Add(index, state = new CallbackState());
            }

            return (state, parts[2]);
        }
    }

    private static void RequireMetadata(SafetensorsReader reader, string key, string expected)
    {
        string got = reader.Metadata.GetValueOrDefault(key, "nothing");
        if (got != expected)
        {
            throw new FileFormatException(reader.FilePath, 0, $"a checkpoint with {key} {expected}", got);
        }
    }

    private static double Number(SafetensorsReader reader, string key) =>
        double.TryParse(reader.Metadata.GetValueOrDefault(key), NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            ? value
            : throw new FileFormatException(reader.FilePath, 0, $"a number for {key}", reader.Metadata.GetValueOrDefault(key, "nothing"));

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
            writer.SetMetadata("hasClasses", HasClasses ? "1" : "0");
            writer.SetMetadata("stopped", Stopped ? "1" : "0");
            writer.SetMetadata("history", string.Join(';', History.Epochs.Select(Format)));
        }

        public static Progress Load(SafetensorsReader reader)
        {
            var progress = new Progress
            {
                Epoch = (int)Number(reader, "epoch"),
                Batch = (int)Number(reader, "batch"),
                ShuffleEpoch = (int)Number(reader, "shuffleEpoch"),
                Seen = (long)Number(reader, "seen"),
                LossSum = Number(reader, "lossSum"),
                Correct = (long)Number(reader, "correct"),
                HasClasses = Number(reader, "hasClasses") != 0,
                Stopped = Number(reader, "stopped") != 0,
            };
            foreach (string epoch in reader.Metadata.GetValueOrDefault("history", "").Split(';', StringSplitOptions.RemoveEmptyEntries))
            {
                progress.History.Add(Parse(reader, epoch));
            }

            return progress;
        }

        private static string Format(EpochResult epoch) => string.Join(
            ' ', Text(epoch.Epoch), Text(epoch.Loss), Optional(epoch.Accuracy), Optional(epoch.ValidationLoss), Optional(epoch.ValidationAccuracy),
            Text(epoch.Seconds), Text(epoch.LearningRate));

        private static string Optional(double? value) => value is { } number ? Text(number) : "-";

        private static EpochResult Parse(SafetensorsReader reader, string text)
        {
            string[] parts = text.Split(' ');
            double?[] numbers = Array.ConvertAll<string, double?>(
                parts, part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : null);
            if (numbers is not [{ } epoch, { } loss, var accuracy, var validationLoss, var validationAccuracy, { } seconds, { } learningRate])
            {
                throw new FileFormatException(reader.FilePath, 0, "a history of seven numbers per epoch", text);
            }

            return new EpochResult((int)epoch, loss, accuracy, validationLoss, validationAccuracy, seconds, (float)learningRate);
        }
    }
}
