using FastNN.Kernels;

namespace FastNN.Graphs;

/// <summary>
/// Work that is run again and again on the same tensors. Its first two runs launch kernel after kernel and load what they need; then it
/// is captured, where the device gains by it, and each further run is one launch.
/// </summary>
internal sealed class Replay(IDevice device, Action work) : IDisposable
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
        if (_runs < WarmUp && ++_runs == WarmUp)
        {
            Graph = device.Capture(work);
        }
    }

    public void Dispose() => Graph?.Dispose();
}
