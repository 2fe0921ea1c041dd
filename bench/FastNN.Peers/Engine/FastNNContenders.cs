namespace FastNN.Peers;

/// <summary>FastNN's side. A case that it cannot run yet has no contender, and its peer is timed alone.</summary>
internal static class FastNNContenders
{
    public static IContender? Create(Case @case, int threads) => @case switch
    {
#if HAS_GEMM
        GemmCase gemm => new GemmContender(gemm, threads),
#endif
#if HAS_CONVOLUTION
        ConvolutionCase convolution => new ConvolutionContender(convolution, threads),
#endif
#if HAS_TRAINING
        NetworkCase network => new NetworkContender(network, threads),
#endif
        _ => null,
    };
}
