using FastNN.Graphs;

namespace FastNN;

/// <summary>What a session may keep.</summary>
public sealed record SessionOptions
{
    private readonly int _maxPlans = 16;
    private readonly int _maxConcurrency = Math.Clamp(Environment.ProcessorCount, 2, 64);

    /// <summary>
    /// Whether a model's <see cref="Model.Preprocessing"/> is applied to the inputs, which are then raw ones: bytes 0 to 255, a
    /// table's own numbers. Default true; false where the inputs went through it already. Models without one, and other layers,
    /// take their inputs as they are.
    /// </summary>
    public bool ApplyPreprocessing { get; init; } = true;

    /// <summary>
    /// Plans kept, one for each set of input shapes; where a call needs another, the one that was not used for the longest time
    /// goes. Default 16.
    /// </summary>
    public int MaxPlans
    {
        get => _maxPlans;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(MaxPlans));
            _maxPlans = value;
        }
    }

    /// <summary>
    /// Calls computed at once, each in memory of its own; further callers wait. Default one per logical processor, at least 2 and
    /// at most 64.
    /// </summary>
    public int MaxConcurrency
    {
        get => _maxConcurrency;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(MaxConcurrency));
            _maxConcurrency = value;
        }
    }

    /// <summary>What this session and others may hold together; null for no limit.</summary>
    internal ArenaBudget? Budget { get; init; }
}
