using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>What a facet of the CPU has to work with. Facets know the core and not each other.</summary>
/// <param name="core">The core of the device.</param>
internal abstract unsafe class CpuFacet(CpuCore core)
{
    /// <summary>The workers, for a kernel that is about to run.</summary>
    protected WorkerPool Pool => core.Pool;

    /// <summary>Threads that work, the caller included.</summary>
    protected int Threads => core.Threads;

    /// <summary>How kernels may compute.</summary>
    protected CpuOptions Options => core.Options;

    protected void Fill(Tensor x, float value) => core.Fill(x, value);

    protected void Copy(Tensor x, Tensor y, bool accumulate) => core.Copy(x, y, accumulate);

    protected static float* Floats(Tensor? tensor) => CpuCore.Floats(tensor);

    protected static byte* Bytes(Tensor? tensor) => CpuCore.Bytes(tensor);
}
