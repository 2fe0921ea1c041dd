using System.Text.Json;

namespace FastNN.Cli;

/// <summary>
/// What one kernel, or one function of a library, did in all its launches, as the software CUDA device counted it.
/// </summary>
/// <param name="Library">A function of cuBLAS or cuDNN: its bytes and operations follow from its sizes, the rest is 0.</param>
/// <param name="MovedBytes">32-byte sectors that its requests asked for, caches aside.</param>
/// <param name="IdealBytes">Distinct sectors read and written: what remains where nothing is asked for twice.</param>
/// <param name="StoredBytes">Sectors that its stores asked for, a part of what it moved.</param>
internal sealed record KernelCounts(
    string Name, bool Library, long Launches, long WarpInstructions, long Branches, long DivergentBranches, long GlobalLoads,
    long GlobalStores,
    double MovedBytes, double IdealBytes, double Flops, long SharedRequests, long BankConflicts, long Atomics, long LocalBytes,
    double StoredBytes)
{
    private const double SectorBytes = 32;

    public double MovedRatio => IdealBytes == 0 ? 1 : MovedBytes / IdealBytes;

    public static KernelCounts Read(JsonElement json)
    {
        long Count(string name) => json.GetProperty(name).GetInt64();
        bool library = json.GetProperty("library").GetBoolean();
        double moved = library
            ? Count("bytesLoaded") + Count("bytesStored")
            : SectorBytes * (Count("sectorsLoaded") + Count("sectorsStored"));
        double ideal = library ? moved : SectorBytes * (Count("footprintLoaded") + Count("footprintStored"));
        return new KernelCounts(
            json.GetProperty("name").GetString()!, library, Count("launches"), Count("warpInstructions"), Count("branches"),
            Count("divergentBranches"),
            Count("globalLoads"), Count("globalStores"), moved, ideal, json.GetProperty("flops").GetDouble(),
            Count("sharedRequests"),
            Count("bankConflicts"), Count("atomics"), Count("localBytes"),
            library ? Count("bytesStored") : SectorBytes * Count("sectorsStored"));
    }
}

/// <summary>Copies of one kind.</summary>
internal readonly record struct CopyCounts(long Count, long Bytes);
