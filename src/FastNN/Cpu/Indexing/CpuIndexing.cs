using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary><see cref="IIndexing"/> in SIMD: lookup by index, rearranging, joining.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CpuIndexing(CpuCore core) : CpuFacet(core), IIndexing;
