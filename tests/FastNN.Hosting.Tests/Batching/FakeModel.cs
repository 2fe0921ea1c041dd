namespace FastNN.Hosting.Tests.Batching;

/// <summary>A call of a model that squares a number: joins those of the same shape.</summary>
internal sealed class FakeCall(BatchQueue queue, int rows = 1, int shape = 0) : QueuedCall
{
    /// <summary>1 while it is computed, where the executor says so.</summary>
    public int Computing;

    public override int Rows => rows;

    public int Shape => shape;

    public long Input { get; set; }

    public long Square { get; set; }

    /// <summary>How often the call was completed.</summary>
    public int Completions { get; private set; }

    public override string Version => "1";

    public Exception? LastFailure => Failure;

    public override bool Joins(QueuedCall other) => other is FakeCall call && call.Shape == Shape;

    public override ValueTask RunAsync(CancellationToken cancellationToken = default) => RunIn(queue, cancellationToken);

    public override Span<byte> SetInput(int index, ReadOnlySpan<int> dimensions, int bytes = -1) =>
        throw new NotSupportedException();

    public override ReadOnlySpan<int> OutputDimensions(int index) => throw new NotSupportedException();

    public override ReadOnlySpan<byte> Output(int index) => throw new NotSupportedException();

    protected override void OnCompleted() => Completions++;

    protected override void Return()
    {
    }
}

/// <summary>Records its batches; what a test wants to happen while one is computed, it does then.</summary>
internal sealed class FakeExecutor : IBatchExecutor
{
    private readonly Lock _gate = new();
    private readonly List<long[]> _batches = [];

    public int MaxRows { get; set; } = 1_000_000;

    public int ShortBatches { get; init; }

    /// <summary>Whether the last batch was said to be short.</summary>
    public bool WasShort { get; private set; }

    /// <summary>Runs in every batch, before it is computed.</summary>
    public Action<FakeCall[]>? During { get; set; }

    /// <summary>The inputs of the batches that were begun, in order.</summary>
    public long[][] Batches
    {
        get
        {
            lock (_gate)
            {
                return [.. _batches];
            }
        }
    }

    public void Execute(ReadOnlySpan<QueuedCall> batch, bool isShort)
    {
        var calls = new FakeCall[batch.Length];
        for (int i = 0; i < calls.Length; i++)
        {
            calls[i] = (FakeCall)batch[i];
        }

        lock (_gate)
        {
            _batches.Add([.. calls.Select(call => call.Input)]);
            WasShort = isShort;
        }

        During?.Invoke(calls);
        foreach (FakeCall call in calls)
        {
            call.Square = call.Input * call.Input;
        }
    }
}
