namespace FastNN.Peers;

/// <summary>
/// FastNN's side: kernels by themselves, as a device calls them, and networks through the public API.
/// </summary>
internal static class FastNNContenders
{
    public static IContender Create(Case @case, int threads) => @case switch
    {
        GemmCase gemm => new GemmContender(gemm, threads),
        ConvolutionCase convolution => new ConvolutionContender(convolution, threads),
        NetworkCase network => new NetworkContender(network, threads),
        LargeNetworkCase network => new LargeNetworkContender(network, threads),
        OnnxCase onnx => new FastNNOnnx(onnx, threads),
        GraphKernelCase kernel => new GraphKernelContender(kernel, threads),
        _ => throw new ArgumentOutOfRangeException(nameof(@case), @case.Name, "No FastNN contender."),
    };
}
