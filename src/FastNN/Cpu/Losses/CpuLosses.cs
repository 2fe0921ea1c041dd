using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary><see cref="ILosses"/> in SIMD: cross-entropies and squared errors.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CpuLosses(CpuCore core) : CpuFacet(core), ILosses;
