namespace FastNN.Cli.Running;

/// <summary>What `profile` writes as JSON.</summary>
internal sealed record ProfileResult(
    string Recipe, int Batch, string Device, long GraphLaunches, long Launches, long Allocations, long Synchronizations,
    CopyResult HostToDevice,
    CopyResult DeviceToHost, CopyResult DeviceToDevice, IReadOnlyList<KernelResult> Kernels)
{
    public static ProfileResult Of(string recipe, int batch, string device, DeviceCounts counts) => new(
        recipe, batch, device, counts.GraphLaunches, counts.Launches, counts.Allocations, counts.Synchronizations,
        CopyResult.Of(counts.HostToDevice),
        CopyResult.Of(counts.DeviceToHost), CopyResult.Of(counts.DeviceToDevice), [.. counts.Kernels.Select(KernelResult.Of)]);
}

/// <summary>Copies in one direction.</summary>
internal sealed record CopyResult(long Count, long Bytes)
{
    public static CopyResult Of(CopyCounts copies) => new(copies.Count, copies.Bytes);
}

/// <summary>What one kernel did in all its launches.</summary>
/// <param name="PaperSeconds">By the name of a GPU: the least time of the kernel there, computed from what its maker
/// publishes.</param>
internal sealed record KernelResult(
    string Name, bool Library, long Launches, long WarpInstructions, long Branches, long DivergentBranches, long GlobalLoads,
    long GlobalStores,
    double MovedBytes, double IdealBytes, double MovedRatio, double Flops, long SharedRequests, long BankConflicts, long Atomics,
    long LocalBytes,
    IReadOnlyDictionary<string, double> PaperSeconds)
{
    public static KernelResult Of(KernelCounts kernel) => new(
        kernel.Name, kernel.Library, kernel.Launches, kernel.WarpInstructions, kernel.Branches, kernel.DivergentBranches,
        kernel.GlobalLoads,
        kernel.GlobalStores, kernel.MovedBytes, kernel.IdealBytes, kernel.MovedRatio, kernel.Flops, kernel.SharedRequests,
        kernel.BankConflicts,
        kernel.Atomics, kernel.LocalBytes, PaperGpu.All.ToDictionary(gpu => gpu.Name, gpu => gpu.Seconds(kernel)));
}
