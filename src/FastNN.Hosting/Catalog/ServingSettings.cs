using System.Text.Json;

namespace FastNN.Hosting;

/// <summary>How one version of a model is served: what options, and the file beside it, come to.</summary>
internal sealed record ServingSettings
{
    /// <summary>How calls wait and are computed together.</summary>
    public required BatchingOptions Batching { get; init; }

    /// <summary>The most examples of one call.</summary>
    public required int MaxRows { get; init; }

    /// <summary>From a call's start to its deadline, where the caller sets none.</summary>
    public TimeSpan CallTimeout { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>
    /// What the file beside the model says of the data that it was trained on, as it stands there; null where it says nothing.
    /// </summary>
    public JsonElement? Statistics { get; init; }

    /// <summary>What code says of the same; null where it says nothing.</summary>
    public TrainingStatistics? TrainedOn { get; init; }

    /// <summary>Names of the classes; empty where nobody said.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Whether it computes zeros before it takes calls.</summary>
    public bool WarmUp { get; init; } = true;

    /// <summary>Extents for open axes in warm-up, by input.</summary>
    public IReadOnlyDictionary<string, int[]> WarmUpDimensions { get; init; } = new Dictionary<string, int[]>();
}
