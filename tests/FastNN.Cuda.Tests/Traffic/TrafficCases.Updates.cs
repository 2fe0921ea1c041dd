using FastNN.Cli;
using FastNN.Kernels;

namespace FastNN.Cuda.Tests;

/// <summary>What follows backward: every optimizer, clipping, the mean of weights, metrics.</summary>
internal static partial class TrafficCases
{
    private static IEnumerable<TrafficCase> Updates =>
    [
        .. OptimizerCase.All.Select(@case => new TrafficCase(@case.Name, device => Update(@case.Create(), device))),
        new("clipping by a norm", device => Update(new Sgd(0.1f) { ClipNorm = 0.5f }, device)),
        new(
            "clipping by the largest",
            device => Update(new Sgd(0.1f) { ClipNorm = 0.5f, ClipNormOrder = float.PositiveInfinity }, device)),
    ];

    private static KernelCounts[] Update(Optimizer optimizer, IDevice device)
    {
        using var run = new OptimizerRun(device, optimizer);
        run.Step(1);
        _ = run.Values;
        TestGpu.Software.ResetCounters();
        run.Step(2);
        _ = run.Values;
        return TrafficCase.Launched();
    }
}
