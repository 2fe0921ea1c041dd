using System.Text.Json;

namespace FastNN.Tests.Cuda;

/// <summary>What the software CUDA device counted, of its JSON what tests ask for.</summary>
internal sealed class DeviceCounts(JsonElement json)
{
    public long Allocations => Number("allocations");

    public long GraphLaunches => Number("graphLaunches");

    public long Synchronisations => Number("synchronisations");

    public long Launches => Kernels.Sum(kernel => kernel.GetProperty("launches").GetInt64());

    /// <summary>Everything a program has to give back, by its name, where any is left.</summary>
    public IEnumerable<string> Alive =>
        from name in (string[])["liveAllocations", "liveStreams", "liveEvents", "liveGraphs", "liveModules", "pinnedBlocks"]
        where Number(name) != 0
        select $"{name} {Number(name)}";

    public IEnumerable<JsonElement> Kernels => json.GetProperty("kernels").EnumerateArray();

    public static DeviceCounts Parse(string text)
    {
        using var document = JsonDocument.Parse(text);
        return new DeviceCounts(document.RootElement.Clone());
    }

    /// <summary>How often a function of the driver or a library was called.</summary>
    public long Calls(string function) => json.GetProperty("calls").TryGetProperty(function, out JsonElement calls) ? calls.GetInt64() : 0;

    private long Number(string name) => json.GetProperty(name).GetInt64();
}
