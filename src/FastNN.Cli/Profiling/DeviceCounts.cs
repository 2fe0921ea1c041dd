using System.Text.Json;

namespace FastNN.Cli;

/// <summary>What the software CUDA device counted since the last reset; what is alive now counts from its start.</summary>
internal sealed record DeviceCounts
{
    public required IReadOnlyList<KernelCounts> Kernels { get; init; }

    /// <summary>Calls by C name.</summary>
    public required IReadOnlyDictionary<string, long> Calls { get; init; }

    public required CopyCounts HostToDevice { get; init; }

    public required CopyCounts DeviceToHost { get; init; }

    public required CopyCounts DeviceToDevice { get; init; }

    /// <summary>Kernels and calls of libraries that were launched, in graphs or alone.</summary>
    public long Launches => Kernels.Sum(kernel => kernel.Launches);

    public required long GraphLaunches { get; init; }

    public required long Synchronizations { get; init; }

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
        CopyCounts Copies(string way)
        {
            JsonElement copies = root.GetProperty("copies").GetProperty(way);
            return new CopyCounts(copies.GetProperty("count").GetInt64(), copies.GetProperty("bytes").GetInt64());
        }

        return new DeviceCounts
        {
            Kernels = [.. root.GetProperty("kernels").EnumerateArray().Select(KernelCounts.Read)],
            Calls = root.GetProperty("calls").EnumerateObject().ToDictionary(call => call.Name, call => call.Value.GetInt64()),
            HostToDevice = Copies("hostToDevice"),
            DeviceToHost = Copies("deviceToHost"),
            DeviceToDevice = Copies("deviceToDevice"),
            GraphLaunches = Count("graphLaunches"),
            Synchronizations = Count("synchronisations"),
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
