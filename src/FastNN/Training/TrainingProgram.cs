using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Training;

/// <summary>
/// A recorded step, planned for certain input shapes and one mode: a training step, or a forward pass, that can be launched as
/// one, with ways for batches to come in and results to go out.
/// </summary>
internal sealed class TrainingProgram : IDisposable
{
    private readonly IDevice _device;
    private readonly StepState _state;
    private readonly (Tensor Values, int Columns, Tensor Sums)[] _metrics;
    private readonly Replay _replay;
    private Replay? _first;
    private Replay? _next;
    private IReadback? _results;
    private IReadback? _resultsAndOutput;
    private IReadback? _begun;
    private BatchFeed? _feed;
    private TimedParts? _timed;
    private TimedParts? _timedGradients;

    /// <param name="device">Where it runs.</param>
    /// <param name="recording">What it runs.</param>
    /// <param name="shapes">The shapes of the first inputs.</param>
    /// <param name="state">What the step keeps on the device.</param>
    /// <param name="arena">What it runs in.</param>
    /// <param name="isTraining">A whole step rather than a forward pass.</param>
    /// <param name="metrics">What it adds to for each of the recording's metrics; null where there are none.</param>
    public TrainingProgram(
        IDevice device, StepRecording recording, ReadOnlySpan<Shape> shapes, StepState state, Arena arena, bool isTraining,
        MetricStore? metrics = null)
    {
        (_device, _state, Shapes) = (device, state, shapes.ToArray());
        IsTraining = isTraining;
        Plan plan = recording.Compile(device, shapes, IsTraining ? state.IsTrained : null);
        Executor = new Executor(
            device, plan, state.Store, state.StepCounter, arena, gradients: state.Gradients, rootGradient: state.RootGradient);
        Inputs = Array.ConvertAll(recording.Inputs, value => Executor[value]);
        IndexRanges = Array.ConvertAll(recording.Inputs, value => plan.IndexRanges[value].ToArray());
        Outputs = Array.ConvertAll(recording.Outputs, value => Executor[value]);
        Losses = Array.ConvertAll(recording.Losses, value => Executor[value]);
        Loss = Executor[recording.Root];
        _metrics = [.. recording.Metrics.Select((value, i) => (Executor[value], recording.MetricColumns[i], metrics!.Sums[i]))];
        _replay = new Replay(device, IsTraining ? Step : Predict, plan.IsCapturable && (!IsTraining || state.IsCapturable));
    }

    public Shape[] Shapes { get; }

    public bool IsTraining { get; }

    public Executor Executor { get; }

    public Tensor[] Inputs { get; }

    /// <summary>What each input may hold that operators index with.</summary>
    public IndexRange[][] IndexRanges { get; }

    public Tensor[] Outputs { get; }

    public Tensor[] Losses { get; }

    /// <summary>The weighted sum of the losses, with penalties.</summary>
    public Tensor Loss { get; }

    /// <summary>For a step with one input, one target and one output.</summary>
    public Tensor X => Inputs[0];

    public Tensor Target => Inputs[1];

    public Tensor Output => Outputs[0];

    /// <summary>When it was used last.</summary>
    public long LastUse { get; set; }

    /// <summary>What one run launches once it is captured; null before and on a CPU.</summary>
    public ILaunchGraph? Graph => _replay.Graph;

    /// <summary>Batches that come in while the one before is computed; null where that gains nothing.</summary>
    public BatchFeed? Feed => _feed ??= BatchFeed.Create(_device, X, Target);

    /// <summary>
    /// Records and plans a model with its loss for one batch size, without touching device memory; errors of shape name the
    /// layer.
    /// </summary>
    public static (Plan Plan, StepRecording Recording) Compile(
        IPlanning device, Layer model, Loss loss, Shape example, int batch, GraphMode mode, ulong seed)
    {
        var recording = StepRecording.Of(step => Record(step, model, loss, example, batch: batch), mode, seed, _ => true);
        Plan plan = recording.Compile(
            device, [example.Prepend(batch)], mode == GraphMode.Training ? parameter => parameter.IsTrainable : null);
        return (plan, recording);
    }

    /// <summary>
    /// Records a model with one input and one output, and its loss; in an evaluation also the counts for a confusion matrix,
    /// behind the metrics, where the device is to count them.
    /// </summary>
    public static void Record(
        StepBuilder step, Layer model, Loss loss, Shape example, bool wantsGradient = false, int? batch = null,
        IReadOnlyList<Metric>? metrics = null)
    {
        Value output = model.Apply(step.Input("input", example.Prepend(batch ?? Dim.Batch), wantsGradient: wantsGradient));
        Value target = step.Input("target", loss.TargetShape(output.Shape), loss.ClassIndices ? DType.Int32 : DType.Float32);
        step.Loss(loss.Name, loss.Apply(output, target));
        step.Output("output", output);
        foreach (Metric metric in metrics ?? [])
        {
            step.Metric(metric.Name, metric, output, target, loss);
        }

        if (metrics is not null && step.Graph.Mode == GraphMode.Inference
            && ConfusionMetric.Suits(output, target, loss.ClassCount(output.Shape)))
        {
            step.Metric(ConfusionMetric.Instance.Name, ConfusionMetric.Instance, output, target, loss);
        }
    }

    /// <summary>
    /// Launches a whole step in training mode, a forward pass in inference, and begins to read the results, and where asked for
    /// the first output.
    /// </summary>
    public void Begin(bool withOutput)
    {
        _replay.Run();
        BeginReading(withOutput);
    }

    /// <summary>
    /// Launches a step that only adds its gradients to those of the batches before it, or writes them, and begins to read its
    /// results.
    /// </summary>
    public void BeginAccumulating(bool first, bool withOutput)
    {
        (first
            ? _first ??= new Replay(_device, WriteGradients, Executor.Plan.IsCapturable)
            : _next ??= new Replay(_device, AddGradients, Executor.Plan.IsCapturable)).Run();
        BeginReading(withOutput);
    }

    /// <summary>Begins to read what was computed last.</summary>
    public void BeginReading(bool withOutput)
    {
        Tensor results = IsTraining ? _state.Results : Loss;
        _begun = withOutput
            ? _resultsAndOutput ??= _device.CreateReadback(results, Output)
            : _results ??= _device.CreateReadback(results);
        _begun.Begin();
    }

    /// <summary>The loss, once it has arrived, and the norm of the gradients, which is 0 in inference.</summary>
    public (float Loss, float Norm) ReadResults()
    {
        ReadOnlySpan<float> results = MemoryMarshal.Cast<byte, float>(_begun!.Read(0));
        return (results[0], results.Length > 1 ? results[1] : 0);
    }

    /// <summary>The output that came with the loss; valid until the next run.</summary>
    public ReadOnlySpan<float> ReadOutput() => MemoryMarshal.Cast<byte, float>(_begun!.Read(1));

    public void Dispose()
    {
        _feed?.Dispose();
        _results?.Dispose();
        _resultsAndOutput?.Dispose();
        _replay.Dispose();
        _first?.Dispose();
        _next?.Dispose();
        Executor.Dispose();
    }

    private void Step()
    {
        if (_state.Observer is { } observer)
        {
            Executor.Forward(observer);
            Executor.Backward(observer, accumulate: false);
            (_timed ??= Parts(updates: true)).Run(observer);
            return;
        }

        Executor.Forward();
        Executor.Backward();
        _state.Update(Loss);
        _state.WriteBack(Executor.WriteBacks);
        AddMetrics(_state.Results);
    }

    private void Predict()
    {
        Executor.Forward();
        AddMetrics(null);
    }

    /// <summary>Adds this batch to the metrics, unless the guard forbids it.</summary>
    internal void AddMetrics(Tensor? guard)
    {
        foreach ((Tensor values, int columns, Tensor sums) in _metrics)
        {
            _device.Updates.AddMoments(values, columns, sums, guard);
        }
    }

    private void WriteGradients() => Differentiate(accumulate: false);

    private void AddGradients() => Differentiate(accumulate: true);

    private void Differentiate(bool accumulate)
    {
        if (_state.Observer is { } observer)
        {
            Executor.Forward(observer);
            Executor.Backward(observer, accumulate);
            (_timedGradients ??= Parts(updates: false)).Run(observer);
            return;
        }

        Executor.Forward();
        Executor.Backward(accumulate);
        _state.Guard(Loss);
        _state.WriteBack(Executor.WriteBacks);
        AddMetrics(_state.Results);
    }

    /// <summary>What follows the backward pass, part by part as profiles show it.</summary>
    private TimedParts Parts(bool updates)
    {
        List<(StepDescription, Action)> parts = [(_state.DescribeGuard(), () => _state.Guard(Loss))];
        if (updates)
        {
            parts.Add((_state.DescribeUpdate(), () => _state.Apply()));
        }

        long copied = 0;
        foreach ((Tensor from, _) in Executor.WriteBacks)
        {
            copied += 2 * from.Bytes;
        }

        if (copied > 0)
        {
            parts.Add((_state.Describe("buffers", copied, flops: 0), () => _state.WriteBack(Executor.WriteBacks)));
        }

        if (_metrics.Length > 0)
        {
            parts.Add((
                _state.Describe("metrics", _metrics.Sum(metric => metric.Values.Bytes), flops: 0),
                () => AddMetrics(_state.Results)));
        }

        return new TimedParts([.. parts]);
    }
}
