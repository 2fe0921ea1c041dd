using System.Text.Json;

namespace FastNN.Cli.Running;

/// <summary>A GPU on paper: what its maker publishes.</summary>
/// <param name="Bandwidth">Of its memory, in bytes per second.</param>
/// <param name="Peak">Single precision outside tensor cores, in operations per second.</param>
internal sealed record PaperGpu(string Name, double Bandwidth, double Peak)
{
    /// <summary>NVIDIA A100 Tensor Core GPU data sheet, SXM 80 GB.</summary>
    public static PaperGpu A100 { get; } = new("A100", 2039e9, 19.5e12);

    /// <summary>NVIDIA H100 Tensor Core GPU data sheet, SXM.</summary>
    public static PaperGpu H100 { get; } = new("H100", 3350e9, 67e12);

    public static IReadOnlyList<PaperGpu> All { get; } = [A100, H100];

    /// <summary>Seconds that a kernel needs at the least (Williams, Waterman and Patterson, 2009): its bytes or its operations take that long.</summary>
    public double Seconds(KernelCounts kernel) => Math.Max(kernel.IdealBytes / Bandwidth, kernel.Flops / Peak);
}

/// <summary>What one kernel did in all its launches.</summary>
/// <param name="Library">A call of cuBLAS or cuDNN: its bytes and operations follow from its sizes.</param>
/// <param name="MovedBytes">32-byte sectors that its requests asked for, caches aside.</param>
/// <param name="IdealBytes">Distinct sectors read and written: what remains where nothing is asked for twice.</param>
internal sealed record KernelCounts(
    string Name, bool Library, long Launches, long WarpInstructions, long Branches, long DivergentBranches, long GlobalLoads, long GlobalStores,
    double MovedBytes, double IdealBytes, double Flops, long SharedRequests, long BankConflicts, long Atomics, long LocalBytes)
{
    private const int SectorBytes = 32;

    public double MovedRatio => IdealBytes == 0 ? 1 : MovedBytes / IdealBytes;

    public static KernelCounts Read(JsonElement json)
    {
        long Count(string name) => json.GetProperty(name).GetInt64();
        bool library = json.GetProperty("library").GetBoolean();
        double moved = library ? Count("bytesLoaded") + Count("bytesStored") : SectorBytes * (double)(Count("sectorsLoaded") + Count("sectorsStored"));
        double ideal = library ? moved : SectorBytes * (double)(Count("footprintLoaded") + Count("footprintStored"));
        return new KernelCounts(
            json.GetProperty("name").GetString()!, library, Count("launches"), Count("warpInstructions"), Count("branches"), Count("divergentBranches"),
            Count("globalLoads"), Count("globalStores"), moved, ideal, json.GetProperty("flops").GetDouble(), Count("sharedRequests"),
            Count("bankConflicts"), Count("atomics"), Count("localBytes"));
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("name", Name);
        json.WriteBoolean("library", Library);
        json.WriteNumber("launches", Launches);
        json.WriteNumber("warpInstructions", WarpInstructions);
        json.WriteNumber("branches", Branches);
        json.WriteNumber("divergentBranches", DivergentBranches);
        json.WriteNumber("globalLoads", GlobalLoads);
        json.WriteNumber("globalStores", GlobalStores);
        json.WriteNumber("movedBytes", MovedBytes);
        json.WriteNumber("idealBytes", IdealBytes);
        json.WriteNumber("movedRatio", MovedRatio);
        json.WriteNumber("flops", Flops);
        json.WriteNumber("sharedRequests", SharedRequests);
        json.WriteNumber("bankConflicts", BankConflicts);
        json.WriteNumber("atomics", Atomics);
        json.WriteNumber("localBytes", LocalBytes);
        json.WriteStartObject("paperSeconds");
        foreach (PaperGpu gpu in PaperGpu.All)
        {
            json.WriteNumber(gpu.Name, gpu.Seconds(this));
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }
}

/// <summary>What the software CUDA device counted during one training step.</summary>
internal sealed record StepProfile(
    IReadOnlyList<KernelCounts> Kernels, long GraphLaunches, long Synchronisations, long Allocations, long HostToDeviceCopies, long HostToDeviceBytes,
    long DeviceToHostCopies, long DeviceToHostBytes, long DeviceToDeviceCopies, long DeviceToDeviceBytes)
{
    public long Launches => Kernels.Sum(kernel => kernel.Launches);

    /// <summary>Reads the device's own report.</summary>
    public static StepProfile Parse(string counters)
    {
        using var document = JsonDocument.Parse(counters);
        JsonElement root = document.RootElement;
        JsonElement copies = root.GetProperty("copies");
        long Copies(string way, string what) => copies.GetProperty(way).GetProperty(what).GetInt64();
        return new StepProfile(
            [.. root.GetProperty("kernels").EnumerateArray().Select(KernelCounts.Read)],
            root.GetProperty("graphLaunches").GetInt64(), root.GetProperty("synchronisations").GetInt64(), root.GetProperty("allocations").GetInt64(),
            Copies("hostToDevice", "count"), Copies("hostToDevice", "bytes"), Copies("deviceToHost", "count"), Copies("deviceToHost", "bytes"),
            Copies("deviceToDevice", "count"), Copies("deviceToDevice", "bytes"));
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartArray("kernels");
        foreach (KernelCounts kernel in Kernels)
        {
            kernel.Write(json);
        }

        json.WriteEndArray();
        json.WriteNumber("launches", Launches);
        json.WriteNumber("graphLaunches", GraphLaunches);
        json.WriteNumber("synchronisations", Synchronisations);
        json.WriteNumber("allocations", Allocations);
        json.WriteNumber("hostToDeviceCopies", HostToDeviceCopies);
        json.WriteNumber("hostToDeviceBytes", HostToDeviceBytes);
        json.WriteNumber("deviceToHostCopies", DeviceToHostCopies);
        json.WriteNumber("deviceToHostBytes", DeviceToHostBytes);
        json.WriteNumber("deviceToDeviceCopies", DeviceToDeviceCopies);
        json.WriteNumber("deviceToDeviceBytes", DeviceToDeviceBytes);
    }
}
