using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>An NVIDIA GPU: the kernels of kernels/*.cu, cuBLAS and cuDNN, one file per family.</summary>
internal sealed unsafe partial class CudaDevice : IDevice
{
    public string Kind => "cuda";

    public string Description => throw new NotImplementedException();

    public int Threads => 1;

    public nint Allocate(long bytes) => throw new NotImplementedException();

    public void Free(nint address) => throw new NotImplementedException();

    public void Upload(ReadOnlySpan<byte> source, Tensor destination) => throw new NotImplementedException();

    public void Download(Tensor source, Span<byte> destination) => throw new NotImplementedException();

    public IReadback CreateReadback(params ReadOnlySpan<Tensor> sources) => throw new NotImplementedException();

    public IFeed? CreateFeed(long bytes) => throw new NotImplementedException();

    public ILaunchGraph? Capture(Action work) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();

    /// <summary>Launches a kernel of kernels/{family}.cu, whose one parameter is the struct.</summary>
    private void Launch<TArguments>(string family, string kernel, Grid grid, in TArguments arguments)
        where TArguments : unmanaged => throw new NotImplementedException();
}
