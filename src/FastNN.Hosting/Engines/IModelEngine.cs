using FastNN.Cpu;

namespace FastNN.Hosting;

/// <summary>
/// What computes a model's calls. Thread-safe. It knows inputs and outputs as bytes alone; calls that are computed together have
/// the same shapes but for the first extent, which becomes the sum of theirs.
/// </summary>
internal interface IModelEngine : IDisposable
{
    /// <summary>What the model was read from.</summary>
    string Platform { get; }

    /// <summary>The processor that computes the model; null where a GPU does.</summary>
    CpuCore? Processor => null;

    /// <summary>How many numbers the model was trained to; 0 where nobody counted.</summary>
    long ParameterCount => 0;

    /// <summary>What goes in.</summary>
    IReadOnlyList<ModelTensor> Inputs { get; }

    /// <summary>What comes out.</summary>
    IReadOnlyList<ModelTensor> Outputs { get; }

    /// <summary>
    /// Whether rows of several calls may be computed together: the first extent of all inputs and outputs is open, and the same.
    /// </summary>
    bool IsBatchable { get; }

    /// <summary>Whether an extent may be 0.</summary>
    bool AllowsEmpty { get; }

    /// <summary>The names of the classes that the first output tells apart; empty where the file has none.</summary>
    IReadOnlyList<string> ClassNames { get; }

    /// <summary>Computes calls and writes their outputs. With shapes that it knows it allocates nothing.</summary>
    /// <param name="batch">The calls, one or more <see cref="ServedCall"/>.</param>
    /// <param name="rows">Their rows together.</param>
    /// <param name="clock">Is told when inputs are in their place, and when outputs are computed.</param>
    void Execute(ReadOnlySpan<QueuedCall> batch, int rows, ref StageClock clock);

    /// <summary>What runs a batch, so that its operators can be observed; null where that cannot be told.</summary>
    Session? FindSession(ReadOnlySpan<QueuedCall> batch, int rows) => null;
}

/// <summary>When the stages of an execution ended.</summary>
/// <param name="time">The clock.</param>
internal struct StageClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();
    private long _inputs;
    private long _computed;
    private long _end;

    /// <summary>The inputs are in their place.</summary>
    public void InputsReady() => _inputs = time.GetTimestamp();

    /// <summary>The outputs are computed.</summary>
    public void Computed() => _computed = time.GetTimestamp();

    /// <summary>The outputs are in the calls; gives the times of the three stages.</summary>
    public StageTimes Finish()
    {
        _end = time.GetTimestamp();
        return new StageTimes(
            time.GetElapsedTime(_start, _inputs), time.GetElapsedTime(_inputs, _computed), time.GetElapsedTime(_computed, _end));
    }
}

/// <summary>How long the stages of an execution took.</summary>
internal readonly record struct StageTimes(TimeSpan Input, TimeSpan Infer, TimeSpan Output)
{
    /// <summary>All three.</summary>
    public TimeSpan Total => Input + Infer + Output;
}
