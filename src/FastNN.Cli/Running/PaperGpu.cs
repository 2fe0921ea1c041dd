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

    /// <summary>
    /// Seconds that a kernel needs at the least (the roofline of Williams, Waterman and Patterson, 2009): its bytes, each moved
    /// once, or its operations take that long.
    /// </summary>
    public double Seconds(KernelCounts kernel) => Math.Max(kernel.IdealBytes / Bandwidth, kernel.Flops / Peak);
}
