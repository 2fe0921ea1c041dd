using FastNN.Kernels;

namespace FastNN.Graphs;

/// <summary>
/// Work that is run again and again on the same tensors. Its first two runs launch kernel after kernel and load what they need;
/// then it is captured, where the device gains by it, and each further run is one launch.
/// </summary>
/// <param name="device">Where it runs.</param>
/// <param name="work">What is run.</param>
/// <param name="captures">Whether it may be captured: it launches kernels and does nothing else.</param>
internal sealed class Replay(IDevice device, Action work, bool captures) : IDisposable
{
    private const int WarmUp = 2;

    private int _runs;

    /// <summary>What a run launches once it is captured; null before, and on a device that captures nothing.</summary>
    public ILaunchGraph? Graph { get; private set; }

    public void Run()
    {
        if (Graph is not null)
        {
            Graph.Launch();
            return;
        }

        work();
        if (captures && _runs < WarmUp && ++_runs == WarmUp)
        {
            Graph = device.Capture(work);
        }
    }

    public void Dispose() => Graph?.Dispose();
}
