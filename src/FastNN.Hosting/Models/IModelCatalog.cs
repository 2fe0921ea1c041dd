namespace FastNN.Hosting;

/// <summary>What a model is doing.</summary>
public enum ModelState
{
    /// <summary>In the folder, and not loaded.</summary>
    Unloaded,

    /// <summary>Being read and warmed up.</summary>
    Loading,

    /// <summary>Answers calls.</summary>
    Ready,

    /// <summary>Finishes its last calls.</summary>
    Unloading,

    /// <summary>Could not be loaded; the reason says why.</summary>
    Failed,
}

/// <summary>One version of a model.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Version">A positive number in decimal digits.</param>
/// <param name="State">What it is doing.</param>
/// <param name="Reason">Why it is not ready; empty where it is. It names no file or folder.</param>
public sealed record ModelStatus(string Name, string Version, ModelState State, string Reason);

/// <summary>
/// What calls of one version of a model came to since it was loaded; times in nanoseconds, as Triton's statistics have them.
/// </summary>
public sealed record ModelStatistics(
    string Name,
    string Version,
    DateTimeOffset LastInference,
    long Inferences,
    long Executions,
    DurationStatistic Success,
    DurationStatistic Fail,
    DurationStatistic Queue,
    DurationStatistic ComputeInput,
    DurationStatistic ComputeInfer,
    DurationStatistic ComputeOutput,
    IReadOnlyList<BatchStatistic> Batches);

/// <summary>How often something happened, and how long it took in all.</summary>
public readonly record struct DurationStatistic(long Count, long Nanoseconds);

/// <summary>What batches of one size came to.</summary>
public sealed record BatchStatistic(
    long BatchSize, DurationStatistic ComputeInput, DurationStatistic ComputeInfer, DurationStatistic ComputeOutput);

/// <summary>All models of a service: those that were registered, and those of its model folder. Thread-safe.</summary>
public interface IModelCatalog
{
    /// <summary>Whether every model that is to be loaded is loaded and warm.</summary>
    bool IsReady { get; }

    /// <summary>All versions of all models, by name and version.</summary>
    IReadOnlyList<ModelStatus> List();

    /// <summary>Finds a model that is ready.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="version">One version; null or empty for the highest that is ready.</param>
    /// <param name="model">The model.</param>
    /// <returns>False where there is none, or it is not ready: <see cref="Find"/> says which.</returns>
    bool TryGet(string name, string? version, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IModel? model);

    /// <summary>As <see cref="TryGet"/>, with the reason.</summary>
    /// <exception cref="InferenceException">There is no such model or version, or it is not ready.</exception>
    IModel Find(string name, string? version);

    /// <summary>Loads a model of the folder, or reloads it: the present one answers until the new one is warm.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="version">One version; null for those of its policy.</param>
    /// <param name="cancellationToken">Gives up; what was ready stays.</param>
    /// <exception cref="InferenceException">There is no such model, or it cannot be loaded.</exception>
    Task LoadAsync(string name, string? version = null, CancellationToken cancellationToken = default);

    /// <summary>Unloads a model when its last calls are done.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="version">One version; null for all.</param>
    /// <param name="cancellationToken">Stops waiting for the calls; they are still finished.</param>
    /// <exception cref="InferenceException">There is no such model.</exception>
    Task UnloadAsync(string name, string? version = null, CancellationToken cancellationToken = default);

    /// <summary>What calls came to.</summary>
    /// <param name="name">One model; null for all.</param>
    /// <param name="version">One version; null for all.</param>
    /// <exception cref="InferenceException">There is no such model or version.</exception>
    IReadOnlyList<ModelStatistics> Statistics(string? name = null, string? version = null);
}
