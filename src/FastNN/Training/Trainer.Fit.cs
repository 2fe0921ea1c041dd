using System.Diagnostics;
using System.Runtime.InteropServices;
using FastNN.Data;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Training;

namespace FastNN;

public sealed partial class Trainer
{
    private Progress _progress = new();
    private IReadOnlyList<Callback> _callbacks = [];
    private Dictionary<string, CallbackState>? _resumedCallbacks;
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
    /// <param name="transform">Changes the training batches, not those of validation, on the loader's threads: augmentation.
    /// Default none. Where it changes the shape of examples, the model is built for the new one.</param>
    /// <param name="accumulate">
    /// Batches per update; default 1. Their gradients are averaged by the examples in each (added up where the loss is a sum), so
    /// that an update is that of one batch as large as all of them, in the memory of one. The last update of an epoch takes what
    /// is left.
    /// </param>
    /// <param name="metrics">Computed on the device and reported for each epoch, on the training and on the validation data;
    /// default none.</param>
    /// <param name="loaderThreads">Threads that prepare batches; default 1. The trained bits do not depend on it.</param>
    /// <param name="cancellationToken">Ends training after the step it comes in; the trainer can then still be saved.</param>
    /// <returns>The epochs' numbers.</returns>
    /// <exception cref="ShapeException">The data does not fit the model.</exception>
    /// <exception cref="InvalidDatasetException">There are no examples, or a label is out of range.</exception>
    /// <exception cref="NonFiniteLossException">The loss is NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled.</exception>
    /// <exception cref="ConcurrentUseException">Another thread is using this trainer.</exception>
    public History Fit(
        Dataset train, int epochs = 1, int batchSize = 32, Dataset? validation = null, double validationSplit = 0,
        IReadOnlyList<Callback>? callbacks = null, IBatchTransform? transform = null, int accumulate = 1,
        IReadOnlyList<Metric>? metrics = null, int loaderThreads = 1,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(train);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epochs);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(accumulate);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(loaderThreads);
        Metric[] used = CheckMetrics(metrics);
        if (!(validationSplit >= 0 && validationSplit < 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(validationSplit), $"The validation split {validationSplit} must be in [0, 1).");
        }

        using Occupancy.Stay stay = Enter(nameof(Fit));
        if (validation is null && validationSplit > 0)
        {
            (train, validation) = train.Split(validationSplit, _seed);
        }

        if (train.Count == 0)
        {
            throw new InvalidDatasetException("Trainer.Fit: the training data holds no example.");
        }

        BuildFor(transform?.OutputShape(train.ExampleShape) ?? train.ExampleShape, nameof(Fit));
        if (validation is not null)
        {
            BuildFor(validation.ExampleShape, nameof(Fit));
        }

        UseMetrics(GraphMode.Training, used);
        Begin(callbacks ?? [], accumulate);
        using var loader = new DataLoader(train, batchSize, shuffle: true, _seed, transform: transform, threads: loaderThreads);
        while (_progress.Epoch < epochs && !_stop)
        {
            RunEpoch(loader, validation, new Batching(batchSize, accumulate), cancellationToken);
        }

        History history = _progress.History;
        history.StoppedEarly = _stop && _progress.Epoch < epochs;
        foreach (Callback callback in _callbacks)
        {
            callback.OnTrainEnd(this, history);
            ThrowIfDisposed();
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
    /// <param name="metrics">Computed on the device; default none.</param>
    /// <param name="cancellationToken">Ends the evaluation between two batches.</param>
    /// <returns>The numbers; the confusion matrix has the dataset's class names where there is one for each class.</returns>
    /// <exception cref="ShapeException">The data does not fit the model.</exception>
    /// <exception cref="InvalidDatasetException">There are no examples, or a label is out of range.</exception>
    /// <exception cref="OperationCanceledException">The evaluation was cancelled.</exception>
    public Evaluation Evaluate(
        Dataset data, int batchSize = 256, IReadOnlyList<Metric>? metrics = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        using Occupancy.Stay stay = Enter(nameof(Evaluate));
        if (data.Count == 0)
        {
            throw new InvalidDatasetException("Trainer.Evaluate: the data holds no example.");
        }

        Metric[] used = CheckMetrics(metrics);
        BuildFor(data.ExampleShape, nameof(Evaluate));
        UseMetrics(GraphMode.Inference, used);
        var counter = new ClassCounter(Loss);
        ConfusionMatrix? confusion = null;
        double total = 0;
        using var loader = new DataLoader(data, batchSize, shuffle: false);
        loader.StartEpoch(1, cancellationToken: cancellationToken);
        while (loader.TryNext(out Batch batch))
        {
            using DeviceUse use = _device.Life.Enter();
            TrainingProgram program = Load(batch.Features, TargetBytes(batch), data.HasLabels, GraphMode.Inference);
            bool counts = counter.Counts(program.Output.Shape) && !_step!.CountsPairs;
            program.Begin(withOutput: counts);
            float loss = program.ReadResults().Loss;
            total += Loss.Reduction == Reduction.Mean ? (double)loss * batch.Count : loss;
            if (counts)
            {
                counter.Count(program.ReadOutput(), batch, confusion ??= NewMatrix());
            }
        }

        if (_step!.CountsPairs)
        {
            confusion = ReadConfusion(NewMatrix());
        }

        return new Evaluation
        {
            Loss = total / data.Count,
            Accuracy = confusion?.Accuracy,
            Confusion = confusion,
            Metrics = ReadMetrics(GraphMode.Inference, used),
        };

        ConfusionMatrix NewMatrix() => data.ClassNames.Count == counter.Classes
            ? new ConfusionMatrix(data.ClassNames)
            : new ConfusionMatrix(counter.Classes);
    }

    /// <summary>The network's outputs for all examples, with the present parameters.</summary>
    /// <param name="data">The examples; targets are not looked at.</param>
    /// <param name="batchSize">Examples computed at once; default 256.</param>
    /// <param name="cancellationToken">Ends the computation between two batches.</param>
    /// <returns>The outputs, one example after the other.</returns>
    /// <exception cref="ShapeException">The data does not fit the model.</exception>
    /// <exception cref="OperationCanceledException">The computation was cancelled.</exception>
    public float[] Predict(Dataset data, int batchSize = 256, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        using Occupancy.Stay stay = Enter(nameof(Predict));
        BuildFor(data.ExampleShape, nameof(Predict));
        using var predictor = new Predictor(Model, _device, batchSize, applyPreprocessing: false);
        var outputs = new float[checked((int)(predictor.OutputShape.Count * data.Count))];
        int size = (int)predictor.OutputShape.Count;
        using var loader = new DataLoader(data, batchSize, shuffle: false);
        loader.StartEpoch(1, cancellationToken: cancellationToken);
        for (int at = 0; loader.TryNext(out Batch batch); at += batch.Count)
        {
            predictor.Predict(batch.Features, outputs.AsSpan(at * size, batch.Count * size));
        }

        return outputs;
    }

    /// <summary>Numbers in a snapshot.</summary>
    internal long SnapshotLength => Model.NamedParameters.Sum(named => named.Parameter.Count);

    /// <summary>
    /// All parameters and buffers at once, to go back to with <see cref="Restore"/>: in the model's order, which does not depend
    /// on what is frozen.
    /// </summary>
    internal float[] Snapshot()
    {
        using DeviceUse use = _device.Life.Enter();
        var values = new float[SnapshotLength];
        int at = 0;
        foreach (NamedParameter named in Model.NamedParameters)
        {
            Span<float> part = values.AsSpan(at, (int)named.Parameter.Count);
            _device.Download(_weights!.Store.Value(named.Parameter), MemoryMarshal.AsBytes(part));
            at += part.Length;
        }

        return values;
    }

    /// <summary>Numbers of all parameters and buffers as they lie on the device, padding included.</summary>
    internal long DeviceLength => _weights!.Store.All.Count;

    /// <summary>A snapshot from one in the order of the device.</summary>
    internal float[] FromDeviceOrder(float[] values) => values.Length == DeviceLength
        ? [.. Model.NamedParameters.SelectMany(named =>
            values.AsSpan((int)(_weights!.Store.OffsetOf(named.Parameter) / sizeof(float)), (int)named.Parameter.Count)
                .ToArray())]
        : values;

    internal void Restore(float[] snapshot)
    {
        using DeviceUse use = _device.Life.Enter();
        if (snapshot.Length != SnapshotLength)
        {
            throw new InvalidOperationException(
                $"Trainer: expected {SnapshotLength} numbers of all parameters and buffers to restore, got {snapshot.Length}; they are of another model.");
        }

        int at = 0;
        foreach (NamedParameter named in Model.NamedParameters)
        {
            ReadOnlySpan<float> part = snapshot.AsSpan(at, (int)named.Parameter.Count);
            _device.Upload(MemoryMarshal.AsBytes(part), _weights!.Store.Value(named.Parameter));
            at += part.Length;
        }
    }

    /// <summary>Builds the model for a dataset's examples; one that is built must have been built for this shape.</summary>
    private void BuildFor(Shape example, string operation)
    {
        if (Model.ExampleShape is { } built && built != example)
        {
            // As many elements would be taken for the model's shape without a word: [14, 14, 4] for [28, 28, 1].
            throw new ShapeException(
                $"Trainer.{operation}: the model was built for examples of shape {built}, the dataset has examples of shape {example}.");
        }

        Model.Build(example, _seed);
    }

    private static ReadOnlySpan<byte> TargetBytes(in Batch batch) =>
        batch.Labels.IsEmpty ? MemoryMarshal.AsBytes(batch.Targets) : MemoryMarshal.AsBytes(batch.Labels);

    private void Begin(IReadOnlyList<Callback> callbacks, int accumulate)
    {
        using (_device.Life.Enter())
        {
            Prepare();
        }

        if (!IsResuming)
        {
            _step!.DropGradients();
        }
        else if (_step!.Pending >= accumulate)
        {
            throw new InvalidOperationException(
                $"Trainer.Fit: the checkpoint was saved behind {_step.Pending} batches whose gradients wait for more; expected the run's own accumulate, got {accumulate}.");
        }

        (_callbacks, _stop) = (callbacks, false);
        if (!IsResuming)
        {
            _progress = new Progress { ShuffleEpoch = _progress.ShuffleEpoch };
        }

        foreach ((string key, Callback callback) in Keys(callbacks))
        {
            callback.OnTrainBegin(this);
            ThrowIfDisposed();
            if (_resumedCallbacks?.GetValueOrDefault(key) is { } state)
            {
                callback.LoadState(state);
            }
        }

        _stop = _progress.Stopped;
        _resumedCallbacks = null;
    }

    private void RunEpoch(DataLoader loader, Dataset? validation, Batching batching, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        if (_progress.Batch == 0)
        {
            foreach (Callback callback in _callbacks)
            {
                callback.OnEpochBegin(this, _progress.Epoch + 1);
                ThrowIfDisposed();
            }
        }

        BeginMetrics();
        RunBatches(loader, batching, cancellationToken);
        MetricValues metrics = ReadMetrics(GraphMode.Training, _fitMetrics);
        Evaluation? evaluation = null;
        if (validation is not null)
        {
            using IDisposable? average = EvaluatesAverage ? UseAverage() : null;
            evaluation = Evaluate(validation, Math.Max(batching.Size, 256), _fitMetrics, cancellationToken);
        }

        var result = new EpochResult
        {
            Epoch = _progress.Epoch + 1,
            Loss = _progress.MeanLoss,
            Accuracy = _progress.Accuracy,
            Metrics = metrics,
            ValidationMetrics = evaluation?.Metrics ?? MetricValues.Empty,
            ValidationLoss = evaluation?.Loss,
            ValidationAccuracy = evaluation?.Accuracy,
            Duration = watch.Elapsed,
            LearningRate = Optimizer.LearningRate,
        };
        _progress.EndEpoch(result);
        foreach (Callback callback in _callbacks)
        {
            callback.OnEpochEnd(this, result);
            ThrowIfDisposed();
            _progress.Stopped |= _stop;
        }
    }

    private void RunBatches(DataLoader loader, Batching batching, CancellationToken cancellationToken)
    {
        var counter = new ClassCounter(Loss);
        loader.StartEpoch(_progress.ShuffleEpoch + 1, _progress.Batch, cancellationToken);
        int pushed = -1;
        while (loader.TryNext(out Batch batch))
        {
            float loss = RunBatch(loader, batch, batching, counter, ref pushed);
            var result = new BatchResult
            {
                Epoch = _progress.Epoch + 1,
                Batch = batch.Index,
                Batches = loader.BatchesPerEpoch,
                Count = batch.Count,
                Step = StepCount,
                Loss = loss,
                MeanLoss = _progress.MeanLoss,
                Accuracy = _progress.Accuracy ?? double.NaN,
            };
            foreach (Callback callback in _callbacks)
            {
                callback.OnBatchEnd(this, result);
                ThrowIfDisposed();
            }

            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>One step, inside the device; callbacks run outside of it.</summary>
    private float RunBatch(DataLoader loader, in Batch batch, Batching batching, ClassCounter counter, ref int pushed)
    {
        using DeviceUse use = _device.Life.Enter();
        if (batching.Accumulate == 1
            && SliceOf(batch.Features, TargetBytes(batch), loader.Data.HasLabels) is var slice && slice < batch.Count)
        {
            return RunBatchInSlices(loader, batch, counter, slice);
        }

        TrainingProgram program = Place(batch, loader.Data.HasLabels, pushed == batch.Index);
        bool counts = counter.Counts(program.Output.Shape), averages = Loss.Reduction == Reduction.Mean;
        if (batching.Accumulate == 1)
        {
            _step!.BeginStep(program, withOutput: counts);
        }
        else
        {
            _step!.BeginAccumulating(program, averages ? (float)batch.Count / batching.Size : 1, withOutput: counts);
        }

        pushed = PushNext(loader, program);
        float loss = EndStep(batch.Features, TargetBytes(batch), loader.Data.HasLabels, adds: batching.Accumulate > 1);
        (int correct, int counted) = counts ? counter.Count(program.ReadOutput(), batch, null) : default;
        if (batching.Accumulate > 1 && (_step.Pending == batching.Accumulate || batch.Index == loader.BatchesPerEpoch - 1))
        {
            _step.UpdateAccumulated(Loss.Name, averages);
        }

        _progress.Add(batch.Count, averages ? (double)loss * batch.Count : loss, correct, counted, counts);
        return loss;
    }

    /// <summary>
    /// Puts a batch where the step reads it: from the feed, where it is on its way already, or by copying it now.
    /// </summary>
    private TrainingProgram Place(in Batch batch, bool classIndices, bool pushed)
    {
        if (pushed)
        {
            // Not the program it was pushed to where a callback froze a layer meanwhile.
            TrainingProgram program = _step!.Program([BatchShape(batch.Count)], GraphMode.Training);
            _step.Invalidate();
            ThrowIfDisposed();
            if (program.Feed?.TryPull() == true)
            {
                return program;
            }
        }

        return Load(batch.Features, TargetBytes(batch), classIndices, GraphMode.Training);
    }

    /// <summary>
    /// Sends the next batch ahead while a step runs, if it is ready, valid and as large as this one; its number, or -1.
    /// </summary>
    private int PushNext(DataLoader loader, TrainingProgram program)
    {
        if (program.Feed is not { } feed || !loader.TryPeek(out Batch next) || next.Count != program.X.Shape[0]
            || FindBadLabel(next.Labels, program.Output.Shape[-1]) >= 0)
        {
            return -1;
        }

        // What a step that failed left behind.
        while (feed.TryPull())
        {
        }

        feed.Push(MemoryMarshal.AsBytes(next.Features), TargetBytes(next));
        return next.Index;
    }

    /// <summary>How a run cuts its data.</summary>
    /// <param name="Size">Examples per batch.</param>
    /// <param name="Accumulate">Batches per update.</param>
    private readonly record struct Batching(int Size, int Accumulate);

    /// <summary>How far a run is: all that a resumed run needs besides parameters and optimizer state.</summary>
    private sealed partial class Progress
    {
        /// <summary>Epochs that are done.</summary>
        public int Epoch { get; set; }

        /// <summary>Batches of the present epoch that are done.</summary>
        public int Batch { get; set; }

        /// <summary>Counts epochs over all runs of the trainer, so that a second Fit sees other orders.</summary>
        public int ShuffleEpoch { get; set; }

        public long Seen { get; set; }

        public double LossSum { get; set; }

        public long Correct { get; set; }

        /// <summary>
        /// Rows of outputs that <see cref="Correct"/> is a part of: one for each example, or for each place of a sequence that is
        /// not ignored.
        /// </summary>
        public long Counted { get; set; }

        public bool HasClasses { get; set; }

        /// <summary>A callback has ended the run.</summary>
        public bool Stopped { get; set; }

        public History History { get; } = new();

        public double MeanLoss => LossSum / Seen;

        public double? Accuracy => HasClasses ? Counted == 0 ? 0 : (double)Correct / Counted : null;

        public void Add(int count, double loss, int correct, int counted, bool hasClasses)
        {
            Batch++;
            Seen += count;
            LossSum += loss;
            Correct += correct;
            Counted += counted;
            HasClasses = hasClasses;
        }

        public void EndEpoch(EpochResult result)
        {
            History.Add(result);
            Epoch++;
            ShuffleEpoch++;
            (Batch, Seen, LossSum, Correct, Counted) = (0, 0, 0, 0, 0);
            MetricSums.Clear();
        }
    }
}
