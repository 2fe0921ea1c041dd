using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>Users' operators: their spans are the tensors themselves.</summary>
internal abstract unsafe partial class CpuCore
{
    public bool TensorsAreOnHost => true;

    void ICustomKernels.LaunchCustom(
        string ptx, string kernel, int blocks, int threads, int sharedBytes, ReadOnlySpan<long> values,
        ReadOnlySpan<int> sizes) =>
        throw new NotSupportedException($"cpu: kernel {kernel} is PTX, which GPUs run.");
}
