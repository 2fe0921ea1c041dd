using FastNN.Cli;
using FastNN.Kernels;

namespace FastNN.Cuda.Tests;

/// <summary>Launches whose traffic is counted.</summary>
/// <param name="Measure">Runs them on a device and gives what each kernel did.</param>
internal sealed record TrafficCase(string Name, Func<IDevice, IEnumerable<KernelCounts>> Measure)
{
    /// <summary>An operator, forward and backward.</summary>
    public TrafficCase(
        string name, OpInput[] inputs, Func<Value[], Value> build, params (string Kernels, double Most)[] most)
        : this(name, [new OpCase(name, inputs, build, _ => [])], most)
    {
    }

    /// <summary>Several operators, each counted alone.</summary>
    public TrafficCase(string name, IEnumerable<OpCase> operators, params (string Kernels, double Most)[] most)
        : this(name, device => operators.SelectMany(@case => Count(@case, device))) => Most = most;

    /// <summary>
    /// Kernels, by how their names begin, that move more by design, such as those whose blocks read an operand again: what they
    /// move at most, as a ratio.
    /// </summary>
    private IReadOnlyList<(string Kernels, double Most)> Most { get; } = [];

    /// <summary>Whether FastNN's own kernels take the place of cuDNN's.</summary>
    public bool IsWithoutCudnn { get; init; }

    /// <summary>Bank conflicts per request at most, where what a block reads once for its threads is not free of them.</summary>
    public double MostConflicts { get; init; }

    public override string ToString() => Name;

    /// <summary>What a kernel may move in this case, as a ratio.</summary>
    public double MostOf(string kernel, double otherwise) =>
        Most.FirstOrDefault(row => kernel.StartsWith(row.Kernels, StringComparison.Ordinal)).Most is > 0 and double most
            ? most
            : otherwise;

    /// <summary>What kernels of the library did since the counters were reset.</summary>
    public static KernelCounts[] Launched() =>
        [.. TestGpu.Software.Counts().Kernels.Where(kernel => !kernel.Library && kernel.Launches > 0)];

    private static KernelCounts[] Count(OpCase @case, IDevice device)
    {
        using OpRun run = @case.Compile(device);
        run.Graph.Upload();
        run.Graph.Forward();
        TestGpu.Software.ResetCounters();
        run.Graph.Forward();
        run.Graph.Backward();
        // Counted is what has run, so it is waited for.
        _ = run.Output;
        return Launched();
    }
}
