namespace FastNN.Peers;

/// <summary>FastNN's side. A case that it cannot run yet has no contender, and its peer is timed alone.</summary>
internal static class FastNNContenders
{
    public static IContender? Create(Case @case, int threads) => null;
}
