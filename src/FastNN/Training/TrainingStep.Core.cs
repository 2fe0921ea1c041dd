using FastNN.Tensors;
using FastNN.Training;

namespace FastNN;

/// <summary>What trainers and public calls share; the caller is inside the occupancy and the device.</summary>
public sealed partial class TrainingStep
{
    /// <summary>The program for these shapes, after what was frozen or unfrozen since the last step was planned anew.</summary>
    internal TrainingProgram Program(ReadOnlySpan<Shape> shapes, GraphMode mode)
    {
        if (mode == GraphMode.Training)
        {
            Refresh();
        }

        foreach (TrainingProgram program in _programs)
        {
            if (program.IsTraining == (mode == GraphMode.Training) && shapes.SequenceEqual(program.Shapes))
            {
                program.LastUse = ++_clock;
                return program;
            }
        }

        return Add(shapes, mode);
    }

    /// <summary>Plans anew what was frozen or unfrozen since the last step.</summary>
    internal void Refresh()
    {
        if (_state.IsStale())
        {
            Forget(program => program.IsTraining);
            (_current, _phase, _pending) = (null, Phase.Empty, 0);
            _state.Replan();
        }
    }

    /// <summary>Launches a step on the batch that the program holds; its loss is on its way when this returns.</summary>
    internal void BeginStep(TrainingProgram program, bool withOutput)
    {
        _state.Upload(StepCount + 1, RandomStep = StepCount);
        program.Begin(withOutput);
        (_current, _phase, _pending) = (program, Phase.Empty, 0);
    }

    /// <summary>What dropout drew from in the step that was begun last.</summary>
    internal long RandomStep { get; private set; }

    /// <summary>Batches whose gradients are added up for an update to come.</summary>
    internal int Pending => _pending;

    /// <summary>The sum of their weights.</summary>
    internal double PendingWeight => _pendingWeight;

    /// <summary>As <see cref="BeginStep"/>, for one of several batches whose gradients are added up before an update.</summary>
    /// <param name="program">Holds the batch.</param>
    /// <param name="weight">What the gradients of the batch are multiplied with.</param>
    /// <param name="withOutput">Whether the first output is read, too.</param>
    internal void BeginAccumulating(TrainingProgram program, float weight, bool withOutput)
    {
        _state.Upload(StepCount + 1, RandomStep = StepCount + ((long)_pending << 40), weight);
        program.BeginAccumulating(first: _pending == 0, withOutput);
        _pendingWeight = _pending == 0 ? weight : _pendingWeight + weight;
        (_current, _phase) = (program, Phase.Empty);
        _pending++;
    }

    /// <summary>Takes back what was added up when a checkpoint was saved; the gradients themselves are in their place.</summary>
    internal void ResumeAccumulating(int pending, double weight) =>
        (_phase, _pending, _pendingWeight) = (Phase.Empty, pending, weight);

    /// <summary>Waits for the loss of the step that was begun.</summary>
    internal float EndStep(string what)
    {
        float loss = RequireFinite(what);
        StepCount++;
        return loss;
    }

    /// <summary>Waits for the loss of a batch whose gradients are added up.</summary>
    internal float EndAccumulating(string what)
    {
        try
        {
            return RequireFinite(what);
        }
        catch
        {
            _pending = 0;
            throw;
        }
    }

    /// <summary>Updates with the gradients that were added up since the last update.</summary>
    /// <param name="what">Named in errors.</param>
    /// <param name="mean">Whether with their mean by the batches' weights, else with their sum.</param>
    internal void UpdateAccumulated(string what, bool mean)
    {
        if (_pending > 0)
        {
            _state.Upload(StepCount + 1, StepCount, factor: mean ? (float)(1 / _pendingWeight) : 1);
            _state.RunUpdate();
            _pending = 0;
            _current!.BeginReading(withOutput: false);
            RequireFinite(what);
            StepCount++;
        }
    }

    internal float ForwardCore(TrainingProgram program)
    {
        _state.Upload(StepCount + 1, StepCount + ((long)_pending << 40));
        program.Executor.Forward();
        _device.Memory.Copy(program.Loss, new Tensor(_state.Results.Address, DType.Float32, default(Shape)), accumulate: false);
        program.BeginReading(withOutput: false);
        (_current, _phase) = (program, Phase.Forwarded);
        return program.ReadResults().Loss;
    }

    internal void BackwardCore(bool accumulate)
    {
        if (_phase != Phase.Forwarded)
        {
            throw new InvalidOperationException("Trainer: Backward needs a Forward before it.");
        }

        _current!.Executor.Backward(accumulate && _pending > 0);
        _state.Guard(_current.Loss);
        _state.WriteBack(_current.Executor.WriteBacks);
        _current.AddMetrics(_state.Results);
        _phase = Phase.Differentiated;
        _pending = accumulate ? _pending + 1 : 1;
        _pendingWeight = _pending;
    }

    internal void UpdateCore(string what)
    {
        if (_phase != Phase.Differentiated)
        {
            throw new InvalidOperationException("Trainer: Update needs a Backward before it.");
        }

        (_phase, _pending) = (Phase.Empty, 0);
        _state.Upload(StepCount + 1, StepCount);
        _state.Update(_current!.Loss);
        _current.BeginReading(withOutput: false);
        RequireFinite(what);
        StepCount++;
    }

    /// <summary>Records a mode anew before its next step, since what is asked of it has changed.</summary>
    internal void Rerecord(GraphMode mode)
    {
        Forget(program => program.IsTraining == (mode == GraphMode.Training));
        _recordings[(int)mode] = null;
        _metrics[(int)mode]?.Dispose();
        _metrics[(int)mode] = null;
    }

    internal void ResetMetrics(GraphMode mode) => Store(mode)?.Reset();

    /// <summary>Whether an evaluation counts pairs of classes on the device, behind all metrics.</summary>
    internal bool CountsPairs => Recording(GraphMode.Inference).MetricKinds is [.., ConfusionMetric];

    internal double ReadMetric(GraphMode mode, int index) =>
        Recording(mode).MetricKinds[index].Compute(new MetricSums(ReadMetricSums(mode, index)));

    internal double[] ReadMetricSums(GraphMode mode, int index) => Store(mode)!.Read(index);

    internal void WriteMetricSums(GraphMode mode, int index, ReadOnlySpan<double> sums) => Store(mode)!.Write(index, sums);

    /// <summary>What an earlier pass left in the arena is gone.</summary>
    internal void Invalidate() => (_current, _phase) = (null, Phase.Empty);

    /// <summary>Forgets gradients that were added up for an update to come.</summary>
    internal void DropGradients() => (_phase, _pending) = (Phase.Empty, 0);

    private float RequireFinite(string what)
    {
        (float loss, float norm) = _current!.ReadResults();
        return float.IsFinite(loss) && float.IsFinite(norm) ? loss : throw NonFinite(what, loss, norm);
    }

    private NonFiniteLossException NonFinite(string what, float loss, float norm)
    {
        string rate = LossScale > 1
            ? $"A smaller loss scale than {LossScale} or a smaller learning rate than {_optimizers[0].Optimizer.LearningRate} may help"
            : $"A smaller learning rate than {_optimizers[0].Optimizer.LearningRate} may help";
        if (!float.IsFinite(loss))
        {
            return new NonFiniteLossException(
                $"{what}: the loss is {loss} at step {StepCount + 1}; the parameters are left as they were. {rate}, or the inputs hold NaN.");
        }

        string which = _state.FirstNonFinite() is var (parameter, at, value)
            ? $"the gradient of {_weights.NameOf(parameter)} is {value} at element {at}"
            : $"the norm of the gradients is {norm}";
        return new NonFiniteLossException(
            $"{what}: {which} at step {StepCount + 1}, the loss is {loss}; the parameters are left as they were. {rate}, or the inputs or targets are too large.");
    }

    private StepRecording Recording(GraphMode mode) =>
        _recordings[(int)mode] ??= StepRecording.Of(
            _record, mode == GraphMode.Training ? _mode : mode, _seed,
            parameter => Array.Exists(_optimizers, pair => pair.Parameters.Contains(parameter)));

    /// <summary>The sums of a recording's metrics, where it has any.</summary>
    private MetricStore? Store(GraphMode mode) => Recording(mode) is { MetricColumns: { Length: > 0 } columns }
        ? _metrics[(int)mode] ??= new MetricStore(_device, columns)
        : null;

    private TrainingProgram Add(ReadOnlySpan<Shape> shapes, GraphMode mode)
    {
        if (_programs.Count == MaxPrograms)
        {
            TrainingProgram oldest = _programs.MinBy(program => program.LastUse)!;
            Forget(program => program == oldest);
        }

        int version = _arena.Version;
        var made = new TrainingProgram(
            _device, Recording(mode), shapes, _state, _arena, mode == GraphMode.Training, Store(mode))
        { LastUse = ++_clock };
        if (_arena.Version != version)
        {
            // The arena grew, and with it moved.
            Forget(_ => true);
            (_current, _phase) = (null, Phase.Empty);
        }

        _programs.Add(made);
        return made;
    }

    private void Forget(Predicate<TrainingProgram> which)
    {
        foreach (TrainingProgram program in _programs.FindAll(which))
        {
            program.Dispose();
            _programs.Remove(program);
            if (_current == program)
            {
                (_current, _phase) = (null, Phase.Empty);
            }
        }
    }
}
