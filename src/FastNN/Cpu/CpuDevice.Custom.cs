using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Users' operators: their spans are the tensors themselves.</summary>
internal sealed unsafe partial class CpuDevice
{
    public bool TensorsAreOnHost => true;

    public void CopyToHost(Tensor source, Span<byte> destination) => Download(source, destination);

    public void CopyFromHost(ReadOnlySpan<byte> source, Tensor destination) => Upload(source, destination);

    void ICustomKernels.LaunchCustom(
        string ptx, string kernel, int blocks, int threads, int sharedBytes, ReadOnlySpan<long> values, ReadOnlySpan<int> sizes) =>
        throw new NotSupportedException($"cpu: kernel {kernel} is PTX, which GPUs run.");
}
