using System.Text.Json;

namespace FastNN.Cuda;

/// <summary>How often one kernel, or one function of a library, was launched.</summary>
internal sealed record LaunchCounts(string Name, bool Library, long Launches);

/// <summary>What the software CUDA device counted since the last reset; what is alive now counts from its start.</summary>
internal sealed record DeviceCounts
{
    public required IReadOnlyList<LaunchCounts> Kernels { get; init; }

    /// <summary>Calls by C name.</summary>
    public required IReadOnlyDictionary<string, long> Calls { get; init; }

    public required long GraphLaunches { get; init; }

    public required long Synchronisations { get; init; }

    public required long Allocations { get; init; }

    public required long LiveAllocations { get; init; }

    public required long LiveBytes { get; init; }

    public required long PeakBytes { get; init; }

    public required long LiveStreams { get; init; }

    public required long LiveEvents { get; init; }

    public required long LiveGraphs { get; init; }

    public required long LiveModules { get; init; }

    public required long PinnedBlocks { get; init; }

    public static DeviceCounts Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement root = document.RootElement;
        long Count(string name) => root.GetProperty(name).GetInt64();
        return new DeviceCounts
        {
            Kernels =
            [
                .. root.GetProperty("kernels").EnumerateArray().Select(kernel => new LaunchCounts(
                    kernel.GetProperty("name").GetString()!, kernel.GetProperty("library").GetBoolean(), kernel.GetProperty("launches").GetInt64())),
            ],
            Calls = root.GetProperty("calls").EnumerateObject().ToDictionary(call => call.Name, call => call.Value.GetInt64()),
            GraphLaunches = Count("graphLaunches"),
            Synchronisations = Count("synchronisations"),
            Allocations = Count("allocations"),
            LiveAllocations = Count("liveAllocations"),
            LiveBytes = Count("liveBytes"),
            PeakBytes = Count("peakBytes"),
            LiveStreams = Count("liveStreams"),
            LiveEvents = Count("liveEvents"),
            LiveGraphs = Count("liveGraphs"),
            LiveModules = Count("liveModules"),
            PinnedBlocks = Count("pinnedBlocks"),
        };
    }
}
