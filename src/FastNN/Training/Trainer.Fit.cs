using System.Diagnostics;
using System.Runtime.InteropServices;
using FastNN.Data;
using FastNN.Graphs;
using FastNN.Losses;
using FastNN.Metrics;
using FastNN.Tensors;

namespace FastNN.Training;

public sealed partial class Trainer
{
    private Progress _progress = new();
    private IReadOnlyList<Callback> _callbacks = [];
    private Dictionary<int, CallbackState>? _resumedCallbacks;
    private bool _stop;

    /// <summary>Whether the next or running <see cref="Fit"/> continues a resumed run.</summary>
    public bool IsResuming { get; private set; }

    /// <summary>Trains for some epochs, as Keras' fit.</summary>
    /// <param name="train">What to train on; shuffled anew each epoch.</param>
    /// <param name="epochs">Epochs in all, those of a resumed run included; default 1.</param>
    /// <param name="batchSize">Examples per step; the last batch of an epoch may be smaller. Default 32.</param>
    /// <param name="validation">Evaluated after each epoch, or null.</param>
    /// <param name="validationSplit">Without validation data, the share of the training data split off for it, in [0, 1); default
    /// 0.</param>
    /// <param name="callbacks">Watchers, called in order.</param>
    /// <param name="transform">Changes the training batches, not those of validation, on the loader's thread: augmentation.
    /// Default none.</param>
    /// <param name="cancellation">Ends training after the step it comes in; the trainer can then still be saved.</param>
    /// <returns>The epochs' numbers.</returns>
    /// <exception cref="ShapeException">The data does not fit the model.</exception>
    /// <exception cref="InvalidDataSetException">There is no example, or a label is out of range.</exception>
    /// <exception cref="NonFiniteLossException">The loss is NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled.</exception>
    /// <exception cref="ConcurrentUseException">Another thread is using this trainer.</exception>
    public History Fit(
        Dataset train, int epochs = 1, int batchSize = 32, Dataset? validation = null, double validationSplit = 0,
        IReadOnlyList<Callback>? callbacks = null, IBatchTransform? transform = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(train);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epochs);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        if (!(validationSplit >= 0 && validationSplit < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(validationSplit), $"The validation split {validationSplit} must be in [0, 1).");
        }

        using Lease lease = Enter(nameof(Fit));
        if (validation is null && validationSplit > 0)
        {
            (train, validation) = train.Split(validationSplit, _seed);
        }

        if (train.Count == 0)
        {
            throw new InvalidDataSetException("Trainer.Fit: the training data holds no example.");
        }

        Model.Build(new Shape(train.ExampleShape), _seed);
        Begin(callbacks ?? []);
        using var loader = new DataLoader(train, batchSize, shuffle: true, _seed, transform: transform);
        while (_progress.Epoch < epochs && !_stop)
        {
            RunEpoch(loader, validation, batchSize, cancellation);
        }

        History history = _progress.History;
        history.StoppedEarly = _stop && _progress.Epoch < epochs;
        foreach (Callback callback in _callbacks)
        {
            callback.OnTrainEnd(this, history);
        }

        IsResuming = false;
        _progress = new Progress { ShuffleEpoch = _progress.ShuffleEpoch };
        return history;
    }

    /// <summary>Ends the running <see cref="Fit"/> after its present epoch; for callbacks.</summary>
    public void Stop() => _stop = true;

    /// <summary>Loss, accuracy and confusion matrix on a dataset, with the present parameters.</summary>
    /// <param name="data">The examples.</param>
    /// <param name="batchSize">Examples computed at once; default 256.</param>
    /// <returns>The numbers.</returns>
    /// <exception cref="ShapeException">The data does not fit the model.</exception>
    /// <exception cref="InvalidDataSetException">There is no example, or a label is out of range.</exception>
    public Evaluation Evaluate(Dataset data, int batchSize = 256)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        using Lease lease = Enter(nameof(Evaluate));
        if (data.Count == 0)
        {
            throw new InvalidDataSetException("Trainer.Evaluate: the data holds no example.");
        }

        Model.Build(new Shape(data.ExampleShape), _seed);
        var counter = new ClassCounter(Loss);
        ConfusionMatrix? confusion = null;
        double total = 0;
        using var loader = new DataLoader(data, batchSize, shuffle: false);
        loader.StartEpoch(0);
        while (loader.TryNext(out Batch batch))
        {
            TrainingProgram program = Load(batch.Features, TargetBytes(batch), data.HasLabels, GraphMode.Inference);
            program.Executor.Forward();
            float loss = ReadLoss(program);
            total += Loss.Reduction == Kernels.Reduction.Mean ? (double)loss * batch.Count : loss;
            ReadOnlySpan<float> output = counter.Read(_device, program.Output);
            if (counter.Classes > 0)
            {
                confusion ??= new ConfusionMatrix(counter.Classes);
                counter.Count(output, batch, confusion);
            }
        }

        return new Evaluation(total / data.Count, confusion?.Accuracy, confusion);
    }

    /// <summary>The network's outputs for all examples, with the present parameters.</summary>
    /// <param name="data">The examples; targets are not looked at.</param>
    /// <param name="batchSize">Examples computed at once; default 256.</param>
    /// <returns>The outputs, one example after the other.</returns>
    /// <exception cref="ShapeException">The data does not fit the model.</exception>
    public float[] Predict(Dataset data, int batchSize = 256)
    {
        ArgumentNullException.ThrowIfNull(data);
        using Lease lease = Enter(nameof(Predict));
        Model.Build(new Shape(data.ExampleShape), _seed);
        using var predictor = new Predictor(Model, _device, batchSize);
        var outputs = new float[checked((int)(predictor.OutputShape.Count * data.Count))];
        int size = (int)predictor.OutputShape.Count;
        using var loader = new DataLoader(data, batchSize, shuffle: false);
        loader.StartEpoch(0);
        for (int at = 0; loader.TryNext(out Batch batch); at += batch.Count)
        {
            predictor.Predict(batch.Features, outputs.AsSpan(at * size, batch.Count * size));
        }

        return outputs;
    }

    /// <summary>All trainable parameters at once, to go back to with <see cref="Restore"/>.</summary>
    internal float[] Snapshot()
    {
        var values = new float[_store!.TrainableCount];
        _device.Download(_store.Values, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    internal void Restore(float[] snapshot) => _device.Upload(MemoryMarshal.AsBytes<float>(snapshot), _store!.Values);

    private static ReadOnlySpan<byte> TargetBytes(in Batch batch) =>
        batch.Labels.IsEmpty ? MemoryMarshal.AsBytes(batch.Targets) : MemoryMarshal.AsBytes(batch.Labels);

    private void Begin(IReadOnlyList<Callback> callbacks)
    {
        Prepare();
        (_callbacks, _stop) = (callbacks, false);
        if (!IsResuming)
        {
            _progress = new Progress { ShuffleEpoch = _progress.ShuffleEpoch };
        }

        for (int i = 0; i < callbacks.Count; i++)
        {
            callbacks[i].OnTrainBegin(this);
            if (_resumedCallbacks?.GetValueOrDefault(i) is { } state)
            {
                callbacks[i].LoadState(state);
            }
        }

        _stop = _progress.Stopped;
        _resumedCallbacks = null;
    }

    private void RunEpoch(DataLoader loader, Dataset? validation, int batchSize, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        if (_progress.Batch == 0)
        {
            foreach (Callback callback in _callbacks)
            {
                callback.OnEpochBegin(this, _progress.Epoch);
            }
        }

        RunBatches(loader, cancellation);
        Evaluation? evaluation = validation is null ? null : Evaluate(validation, Math.Max(batchSize, 256));
        var result = new EpochResult(
            _progress.Epoch, _progress.MeanLoss, _progress.Accuracy, evaluation?.Loss, evaluation?.Accuracy,
            watch.Elapsed.TotalSeconds, Optimizer.LearningRate);
        _progress.EndEpoch(result);
        foreach (Callback callback in _callbacks)
        {
            callback.OnEpochEnd(this, result);
            _progress.Stopped |= _stop;
        }
    }

    private void RunBatches(DataLoader loader, CancellationToken cancellation)
    {
        var counter = new ClassCounter(Loss);
        loader.StartEpoch(_progress.ShuffleEpoch, _progress.Batch, cancellation);
        while (loader.TryNext(out Batch batch))
        {
            float loss = StepCore(batch.Features, TargetBytes(batch), loader.Data.HasLabels);
            ReadOnlySpan<float> output = counter.Read(_device, _current!.Output);
            int correct = counter.Classes == 0 ? 0 : counter.Count(output, batch, null);
            _progress.Add(batch.Count, Loss.Reduction == Kernels.Reduction.Mean ? (double)loss * batch.Count : loss, correct, counter.Classes > 0);
            var result = new BatchResult(
                _progress.Epoch, batch.Index, loader.BatchesPerEpoch, batch.Count, StepCount, loss, _progress.MeanLoss, _progress.Accuracy ?? double.NaN);
            foreach (Callback callback in _callbacks)
            {
                callback.OnBatchEnd(this, result);
            }

            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>How far a run is: all that a resumed run needs besides parameters and optimizer state.</summary>
    private sealed partial class Progress
    {
        public int Epoch { get; set; }

        /// <summary>Batches of the present epoch that are done.</summary>
        public int Batch { get; set; }

        /// <summary>Counts epochs over all runs of the trainer, so that a second Fit sees other orders.</summary>
        public int ShuffleEpoch { get; set; }

        public long Seen { get; set; }

        public double LossSum { get; set; }

        public long Correct { get; set; }

        public bool HasClasses { get; set; }

        /// <summary>A callback has ended the run.</summary>
        public bool Stopped { get; set; }

        public History History { get; } = new();

        public double MeanLoss => LossSum / Seen;

        public double? Accuracy => HasClasses ? (double)Correct / Seen : null;

        public void Add(int count, double loss, int correct, bool hasClasses)
        {
            Batch++;
            Seen += count;
            LossSum += loss;
            Correct += correct;
            HasClasses = hasClasses;
        }

        public void EndEpoch(EpochResult result)
        {
            History.Add(result);
            Epoch++;
            ShuffleEpoch++;
            (Batch, Seen, LossSum, Correct) = (0, 0, 0, 0);
        }
    }
}
