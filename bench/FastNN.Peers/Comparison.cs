namespace FastNN.Peers;

/// <summary>Sets up both sides of a case, has them timed in turns, and keeps the faster of the peer's variants.</summary>
internal sealed class Comparison(Interleaved clock, double peakPerCore, bool withTorch)
{
    private const string PeerName = "torchsharp";

    public Result Run(Case @case, int threads)
    {
        var contenders = new List<IContender>();
        try
        {
            if (FastNNContenders.Create(@case, threads) is { } ours)
            {
                contenders.Add(ours);
            }

            var first = contenders.Count;
            if (withTorch)
            {
                TorchBackend.UseThreads(threads);
                contenders.AddRange(TorchContenders.Create(@case));
            }

            var times = Time(contenders);
            double? fastnn = first > 0 ? times[0] : null;
            var best = Enumerable.Range(first, contenders.Count - first).OrderBy(i => times[i]).Cast<int?>().FirstOrDefault();
            return best is { } peer
                ? new Result(@case, threads, fastnn, contenders[peer].Name, times[peer], peakPerCore * threads)
                : new Result(@case, threads, fastnn, PeerName, null, peakPerCore * threads);
        }
        finally
        {
            foreach (var contender in contenders)
            {
                contender.Dispose();
            }
        }
    }

    private double[] Time(IReadOnlyList<IContender> contenders)
    {
        using var muted = withTorch ? new MutedStandardError() : null;
        return clock.Time(contenders);
    }
}
