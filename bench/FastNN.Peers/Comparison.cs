namespace FastNN.Peers;

/// <summary>Sets up both sides of a case, has them timed in turns, and keeps the faster of the peer's variants.</summary>
internal sealed class Comparison(Interleaved clock, double peakPerCore, bool withPeer)
{
    public Result Run(Case @case, int threads)
    {
        var contenders = new List<IContender>();
        try
        {
            contenders.Add(FastNNContenders.Create(@case, threads));
            if (@case is OnnxCase onnx && withPeer)
            {
                var ours = (FastNNOnnx)contenders[0];
                var theirs = new OnnxRuntimeContender(onnx, threads, ours.Outputs);
                contenders.Add(theirs);
                ours.Step();
                theirs.Compare(onnx.Name, ours.Outputs);
            }
            else if (withPeer)
            {
                TorchBackend.UseThreads(threads);
                contenders.AddRange(TorchContenders.Create(@case));
            }

            var times = Time(contenders);
            if (contenders.Count == 1)
            {
                var peer = @case is OnnxCase ? "onnxruntime" : "torchsharp";
                return new Result(@case, threads, times[0], peer, null, peakPerCore * threads);
            }

            var best = Enumerable.Range(1, contenders.Count - 1).MinBy(i => times[i]);
            return new Result(@case, threads, times[0], contenders[best].Name, times[best], peakPerCore * threads);
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
        using var muted = withPeer ? new MutedStandardError() : null;
        return clock.Time(contenders);
    }
}
