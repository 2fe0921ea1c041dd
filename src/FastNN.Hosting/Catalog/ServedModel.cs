namespace FastNN.Hosting;

/// <summary>
/// One version of a model as callers know it: the object stays while what computes is loaded, swapped and unloaded. Thread-safe;
/// all changes are its entry's, one at a time.
/// </summary>
internal sealed class ServedModel : IModel
{
    private LoadedModel? _current;
    private ModelStatus _status;
    private readonly ServingTelemetry _telemetry;
    private volatile bool _isStopping;

    public ServedModel(string name, long number, TimeProvider time, ServingTelemetry telemetry)
    {
        (Name, Number) = (name, number);
        Version = number.ToString(System.Globalization.CultureInfo.InvariantCulture);
        _status = new ModelStatus(name, Version, ModelState.Unloaded, "not loaded");
        Counters = new ModelCounters(time);
        (Time, _telemetry) = (time, telemetry);
        ModelTelemetry own = telemetry.Of(name, Version);
        (own.Waiting, own.Drift) = (() => Current?.Queue.Waiting ?? 0, () => Current?.Drift);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Version { get; }

    /// <summary>The version as a number.</summary>
    public long Number { get; }

    /// <inheritdoc/>
    public string Platform => Require().Engine.Platform;

    /// <inheritdoc/>
    public IReadOnlyList<ModelTensor> Inputs => Require().Engine.Inputs;

    /// <inheritdoc/>
    public IReadOnlyList<ModelTensor> Outputs => Require().Outputs;

    /// <inheritdoc/>
    public int MaxBatch => Require() is { Engine.IsBatchable: true } model ? model.MaxRows : 0;

    /// <summary>What it is doing.</summary>
    public ModelStatus Status => Volatile.Read(ref _status);

    /// <summary>Whether it answers calls.</summary>
    public bool IsReady => Status.State == ModelState.Ready;

    /// <summary>What computes; null where nothing does.</summary>
    public LoadedModel? Current => Volatile.Read(ref _current);

    /// <summary>What calls came to since it was loaded; a reload keeps it.</summary>
    public ModelCounters Counters { get; private set; }

    /// <summary>What the files looked like that the present model, or the last failed one, came from.</summary>
    public string Stamp { get; set; } = "";

    /// <summary>Whether it was unloaded on demand, so that files that change do not load it.</summary>
    public bool IsHeldBack { get; set; }

    private TimeProvider Time { get; }

    /// <inheritdoc/>
    public ModelCall Begin()
    {
        if (_isStopping)
        {
            throw Counted(ModelCatalog.ShuttingDown());
        }

        LoadedModel? seen = null;
        while (Current is { } current && current != seen)
        {
            if (current.TryHold())
            {
                return current.BeginCall();
            }

            // Retired between the two: its successor, if there is one, is there already.
            seen = current;
        }

        throw Counted(NotReady());
    }

    /// <summary>Says what it is doing.</summary>
    public void Set(ModelState state, string reason = "") =>
        Volatile.Write(ref _status, new ModelStatus(Name, Version, state, reason));

    /// <summary>Puts another model in the place of the present one, which is given back; null for none.</summary>
    public LoadedModel? Swap(LoadedModel? next) => Interlocked.Exchange(ref _current, next);

    /// <summary>Refuses new calls from now on, because the service ends.</summary>
    public void Stop() => _isStopping = true;

    /// <summary>Begins to count from 0.</summary>
    public void ResetCounters() => Counters = new ModelCounters(Time);

    /// <summary>Why it cannot be called.</summary>
    public InferenceException NotReady()
    {
        ModelStatus status = Status;
        string what = status.State switch
        {
            ModelState.Loading => "is being loaded; try again later",
            ModelState.Unloading => "is being unloaded",
            ModelState.Failed => $"could not be loaded: {status.Reason}",
            _ => "is not loaded",
        };
        return new InferenceException(InferenceFailure.NotReady, $"Model '{Name}', version {Version}, {what}.");
    }

    private InferenceException Counted(InferenceException refusal)
    {
        _telemetry.CallRefused(refusal.Failure);
        return refusal;
    }

    private LoadedModel Require() => Current ?? throw NotReady();
}
