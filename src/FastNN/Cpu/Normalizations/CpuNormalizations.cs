using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary><see cref="INormalizations"/> in SIMD: normalization and softmax.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CpuNormalizations(CpuCore core) : CpuFacet(core), INormalizations;
