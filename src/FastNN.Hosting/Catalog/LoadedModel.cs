using FastNN.Cpu;
using FastNN.Onnx;

namespace FastNN.Hosting;

/// <summary>
/// A model in memory: engine, queue, and calls. It lives as long as somebody holds it: its owner until it is retired, and every
/// call that was begun and not disposed.
/// </summary>
internal sealed class LoadedModel : IBatchExecutor
{
    /// <summary>How many short batches the processors compute beside another.</summary>
    public static readonly int MostShortBatches = Math.Max(1, Environment.ProcessorCount - 1);

    private readonly CallPool _pool;
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly KnownShapes _shapes = new();
    private int _holds = 1;
    private int _closed;

    /// <param name="name">The model's name.</param>
    /// <param name="version">Its version.</param>
    /// <param name="engine">What computes; the model's own from now on.</param>
    /// <param name="settings">How it is served.</param>
    /// <param name="counters">What calls are counted in.</param>
    /// <param name="buffers">Where calls' tensors come from.</param>
    /// <param name="time">The clock.</param>
    /// <param name="telemetry">Is told of calls and batches; null for nobody.</param>
    public LoadedModel(
        string name, string version, IModelEngine engine, ServingSettings settings, ModelCounters counters, BufferPool buffers,
        TimeProvider time, ModelTelemetry? telemetry = null)
    {
        (Name, Version, Engine, Counters, Settings) = (name, version, engine, counters, settings);
        MaxRows = settings.MaxRows;
        Outputs = WithClassNames(engine.Outputs, settings.Labels.Count > 0 ? settings.Labels : engine.ClassNames);
        (_time, Telemetry) = (time, telemetry);
        _pool = new CallPool(() => new ServedCall(this, buffers));
        BatchingOptions batching = settings.Batching;
        if (batching.BatchInvariant && engine.IsBatchable)
        {
            batching = ServingRules.Copy(batching);
            batching.MaxBatch = Math.Min(batching.MaxBatch, InvariantRows.MostRows);
            Invariant = new InvariantRows(engine, Math.Min(batching.MaxBatch, MaxRows), BeginPart, time);
        }

        Queue = new BatchQueue($"{name}, version {version}", this, batching, time);
    }

    /// <summary>The model's name.</summary>
    public string Name { get; }

    /// <summary>Its version.</summary>
    public string Version { get; }

    /// <summary>What computes.</summary>
    public IModelEngine Engine { get; }

    /// <summary>How it is served.</summary>
    public ServingSettings Settings { get; }

    /// <summary>Where calls wait.</summary>
    public BatchQueue Queue { get; }

    /// <summary>What calls came to.</summary>
    public ModelCounters Counters { get; }

    /// <summary>Is told of calls and batches; null for nobody.</summary>
    public ModelTelemetry? Telemetry { get; }

    /// <summary>Compares inputs with those of training; null where nothing is known of these.</summary>
    public DriftMonitor? Drift { get; init; }

    /// <inheritdoc/>
    public int MaxRows { get; }

    /// <summary>Computes where answers must not depend on what is computed with them; null where they may, or cannot.</summary>
    public InvariantRows? Invariant { get; }

    /// <summary>Whether it was closed under its calls, so that none can run any more.</summary>
    public bool IsClosed => Volatile.Read(ref _closed) != 0;

    /// <summary>What comes out, the first with its classes where they are known.</summary>
    public IReadOnlyList<ModelTensor> Outputs { get; }

    /// <summary>The sets of input shapes that it computed last.</summary>
    public IReadOnlyList<int[][]> RecentShapes => _shapes.Read();

    /// <summary>The deadline of a call that begins now and whose caller sets none; 0 for none.</summary>
    public long DefaultDeadline() => Settings.CallTimeout == Timeout.InfiniteTimeSpan
        ? 0
        : _time.GetTimestamp() + (long)(Settings.CallTimeout.TotalSeconds * _time.TimestampFrequency);

    /// <summary>Begins a call, for a caller who got true of <see cref="TryHold"/>.</summary>
    public ServedCall BeginCall() => _pool.Take().Begin();

    /// <summary>Keeps it alive; false where it has been retired and is gone.</summary>
    public bool TryHold()
    {
        int holds = Volatile.Read(ref _holds);
        while (holds > 0)
        {
            int seen = Interlocked.CompareExchange(ref _holds, holds + 1, holds);
            if (seen == holds)
            {
                return true;
            }

            holds = seen;
        }

        return false;
    }

    /// <summary>Lets go of it; the last one frees it.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holds) == 0)
        {
            Close();
        }
    }

    /// <summary>Takes a disposed call back.</summary>
    public void GiveBack(ServedCall call)
    {
        _pool.Give(call);
        Release();
    }

    /// <summary>Lets go of it as its owner; completes when its last call is disposed and its memory is free.</summary>
    public Task RetireAsync()
    {
        Release();
        return _ended.Task;
    }

    /// <summary>
    /// Frees it though calls are begun: those that wait are refused, those that are being computed are finished, and later ones
    /// fail.
    /// </summary>
    public async Task CloseAsync()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
        {
            await Queue.DrainAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
            Free();
        }

        await _ended.Task.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public int ShortBatches => Engine.Processor is null ? 0 : MostShortBatches;

    /// <inheritdoc/>
    public void Execute(ReadOnlySpan<QueuedCall> batch, bool isShort)
    {
        int rows = 0;
        foreach (QueuedCall call in batch)
        {
            rows += call.Rows;
        }

        BatchTrace? trace = Telemetry?.BatchStarted(Engine.FindSession(batch, rows));
        try
        {
            using WorkerPool.Seat alone = isShort && Engine.Processor is { } processor ? processor.Pool.EnterAlone() : default;
            var clock = new StageClock(_time);
            if (Invariant is { } invariant)
            {
                invariant.Execute(batch, rows, ref clock);
            }
            else
            {
                Engine.Execute(batch, rows, ref clock);
            }

            StageTimes stages = clock.Finish();
            Telemetry?.BatchRun(rows, stages.Total, trace);
            Drift?.Offer(batch, stages.Infer);
            foreach (QueuedCall call in batch)
            {
                var served = (ServedCall)call;
                (served.Stages, served.BatchTrace) = (stages, trace);
            }

            Counters.Count(rows, stages);
            _shapes.Add(batch, Engine.Inputs.Count, rows);
        }
        catch (Exception exception) when (exception is not InferenceException)
        {
            throw Translate(exception);
        }
        finally
        {
            trace?.Stop();
        }
    }

    /// <summary>
    /// Computes zeros of certain shapes, so that calls of these shapes find all plans and memory ready.
    /// </summary>
    /// <exception cref="InferenceException">The model does not compute them.</exception>
    public void WarmUp(int[][] shapes)
    {
        using ServedCall call = BeginPart();
        int rows = Engine.IsBatchable ? shapes[0][0] : 1;
        for (int i = 0; i < shapes.Length; i++)
        {
            // Zeros are empty texts too, each with a length of 0.
            bool isText = Engine.Inputs[i].DataType == TensorDataType.Bytes;
            call.SetInput(i, shapes[i], isText ? checked(OnnxTensor.CountOf(shapes[i]) * sizeof(uint)) : -1).Clear();
        }

        try
        {
            var clock = new StageClock(_time);
            Engine.Execute([call], rows, ref clock);
            _shapes.Add([call], Engine.Inputs.Count, rows);
        }
        catch (Exception exception) when (exception is not InferenceException)
        {
            throw Translate(exception);
        }
    }

    /// <summary>Begins a call that is not a caller's: a part of one, or one that tries the model.</summary>
    /// <exception cref="InferenceException">It was unloaded.</exception>
    private ServedCall BeginPart() => TryHold() ? BeginCall() : throw Unloaded();

    /// <summary>What a call is told that comes too late.</summary>
    public InferenceException Unloaded(Exception? inner = null) => new(
        InferenceFailure.NotReady, $"Model '{Name}', version {Version}, has been unloaded; begin another call.", inner);

    /// <summary>What a caller is told.</summary>
    private InferenceException Translate(Exception exception) => exception switch
    {
        ShapeException or InvalidDatasetException or OnnxException => new InferenceException(
            InferenceFailure.InvalidInput, $"Model '{Name}': {exception.Message}", exception),
        ObjectDisposedException => Unloaded(exception),
        DeviceException or OutOfMemoryException => new InferenceException(
            InferenceFailure.Failed,
            $"Model '{Name}': the device could not compute the call; a smaller one may succeed.", exception),
        _ => new InferenceException(
            InferenceFailure.Failed, $"Model '{Name}', version {Version}, failed; the service's log has the reason.", exception),
    };

    private static IReadOnlyList<ModelTensor> WithClassNames(IReadOnlyList<ModelTensor> outputs, IReadOnlyList<string> names)
    {
        if (names.Count == 0 || outputs.Count == 0)
        {
            return outputs;
        }

        int classes = outputs[0].Dimensions.Count > 0 ? outputs[0].Dimensions[^1] : 1;
        return classes < 0 || classes == names.Count
            ? [outputs[0] with { ClassNames = names }, .. outputs.Skip(1)]
            : throw new InvalidOperationException(
                $"expected a label for each of the {classes} classes of output '{outputs[0].Name}', got {names.Count} labels");
    }

    private void Close()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
        {
            Free();
        }
    }

    private void Free()
    {
        // Nothing waits in it any more: a caller who waits holds the model.
        _ = Queue.DrainAsync();
        Engine.Dispose();
        _ended.TrySetResult();
    }
}
