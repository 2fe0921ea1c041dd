using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary><see cref="IWindows"/> in SIMD: convolution and pooling.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CpuWindows(CpuCore core) : CpuFacet(core), IWindows;
