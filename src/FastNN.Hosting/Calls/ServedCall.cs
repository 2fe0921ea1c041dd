namespace FastNN.Hosting;

/// <summary>A call of a loaded model, from that model's pool.</summary>
internal sealed class ServedCall : QueuedCall
{
    // Pooled or disposed -> begun -> under way -> begun ... -> disposed; and under way -> abandoned, where it is disposed before
    // its answer has come: then what it has is given back when the answer comes.
    private const int Disposed = 0;
    private const int Begun = 1;
    private const int UnderWay = 2;
    private const int Abandoned = 3;

    private readonly LoadedModel _model;
    private readonly CallTensor[] _inputs;
    private readonly CallTensor[] _outputs;
    private int _state;
    private bool _succeeded;
    private bool _hasOwnDeadline;
    private CallTrace _trace;

    public ServedCall(LoadedModel model, BufferPool buffers)
    {
        _model = model;
        _inputs = [.. model.Engine.Inputs.Select(_ => new CallTensor(buffers))];
        _outputs = [.. model.Engine.Outputs.Select(_ => new CallTensor(buffers))];
    }

    /// <inheritdoc/>
    public override string Version => _model.Version;

    /// <inheritdoc/>
    public override int Rows => _model.Engine.IsBatchable ? _inputs[0].Dimensions[0] : 1;

    /// <summary>How long the stages of the execution that it was part of took.</summary>
    public StageTimes Stages { get; set; }

    /// <summary>The operators of that execution; null where nobody listens.</summary>
    public BatchTrace? BatchTrace { get; set; }

    /// <summary>Takes it out of the pool.</summary>
    public ServedCall Begin()
    {
        (Priority, Deadline, Stages, _succeeded) = (0, 0, default, false);
        Volatile.Write(ref _state, Begun);
        return this;
    }

    /// <summary>For engines: an input.</summary>
    public CallTensor Input(int index) => _inputs[index];

    /// <summary>For engines: an output, as far as it was computed.</summary>
    public CallTensor OutputTensor(int index) => _outputs[index];

    /// <summary>For engines: takes on the shape of an output and gives the memory for its elements.</summary>
    public Span<byte> SetOutput(int index, ReadOnlySpan<int> dimensions, int bytes) => _outputs[index].Set(dimensions, bytes);

    /// <inheritdoc/>
    public override bool Joins(QueuedCall other)
    {
        if (other is not ServedCall call || call._model != _model || !_model.Engine.IsBatchable)
        {
            return false;
        }

        for (int i = 0; i < _inputs.Length; i++)
        {
            if (!_inputs[i].Dimensions[1..].SequenceEqual(call._inputs[i].Dimensions[1..]))
            {
                return false;
            }
        }

        return _model.Invariant?.Allows(this) ?? true;
    }

    /// <inheritdoc/>
    public override Span<byte> SetInput(int index, ReadOnlySpan<int> dimensions, int bytes = -1)
    {
        RequireBegun();
        RequireIndex(index, _inputs.Length, "inputs");
        _succeeded = false;
        try
        {
            return _inputs[index].Set(dimensions, InputRules.RequireFits(_model, index, dimensions, bytes));
        }
        catch (InferenceException refusal)
        {
            CountRefused(refusal);
            throw;
        }
    }

    /// <inheritdoc/>
    public override ValueTask RunAsync(CancellationToken cancellationToken = default)
    {
        RequireBegun();
        try
        {
            InputRules.RequireComplete(_model, _inputs);
            if (_model.IsClosed)
            {
                throw _model.Unloaded();
            }
        }
        catch (InferenceException refusal)
        {
            CountRefused(refusal);
            throw;
        }

        (_succeeded, BatchTrace) = (false, null);
        _trace = _model.Telemetry?.CallStarted() ?? default;
        if (Deadline == 0)
        {
            // The model's own holds for this run alone.
            Deadline = _model.DefaultDeadline();
            _hasOwnDeadline = Deadline != 0;
        }

        Volatile.Write(ref _state, UnderWay);
        return RunIn(_model.Queue, cancellationToken);
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<int> OutputDimensions(int index) => RequireOutput(index).Dimensions;

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Output(int index) => RequireOutput(index).Bytes;

    /// <inheritdoc/>
    protected override void OnCompleted()
    {
        _succeeded = Failure is null;
        _model.Counters.Count(this);
        _model.Telemetry?.CallEnded(_trace, this, Failure, BatchTrace);
        (_trace, BatchTrace) = (default, null);
        (Deadline, _hasOwnDeadline) = (_hasOwnDeadline ? 0 : Deadline, false);
        if (Interlocked.CompareExchange(ref _state, Begun, UnderWay) == Abandoned)
        {
            // Not into the pool: the caller who abandoned it may still hold the task.
            _state = Disposed;
            ReleaseBuffers();
            _model.Release();
        }
    }

    /// <inheritdoc/>
    protected override void Return()
    {
        while (true)
        {
            switch (Volatile.Read(ref _state))
            {
                case Begun when Interlocked.CompareExchange(ref _state, Disposed, Begun) == Begun:
                    ReleaseBuffers();
                    _model.GiveBack(this);
                    return;
                case UnderWay when Interlocked.CompareExchange(ref _state, Abandoned, UnderWay) == UnderWay:
                case Disposed or Abandoned:
                    return;
            }
        }
    }

    /// <summary>A call that is refused before it runs is one that failed.</summary>
    private void CountRefused(InferenceException refusal) =>
        _model.Telemetry?.CallEnded(_model.Telemetry.CallStarted(), this, refusal);

    private void ReleaseBuffers()
    {
        foreach (CallTensor input in _inputs)
        {
            input.Release();
        }

        foreach (CallTensor output in _outputs)
        {
            output.Release();
        }
    }

    private CallTensor RequireOutput(int index)
    {
        RequireBegun();
        RequireIndex(index, _outputs.Length, "outputs");
        return _succeeded
            ? _outputs[index]
            : throw new InvalidOperationException(
                "ModelCall: there is no output before RunAsync has completed without an error.");
    }

    private void RequireBegun()
    {
        int state = Volatile.Read(ref _state);
        ObjectDisposedException.ThrowIf(state is Disposed or Abandoned, this);
        if (state == UnderWay)
        {
            throw new InvalidOperationException("ModelCall: the call is under way; await RunAsync before it is touched again.");
        }
    }

    private static void RequireIndex(int index, int count, string what)
    {
        if ((uint)index >= (uint)count)
        {
            throw new ArgumentOutOfRangeException(
                nameof(index), index, $"ModelCall: expected 0 to {count - 1}, since the model has {count} {what}.");
        }
    }
}
