using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary><see cref="IAttention"/> in SIMD: products by the register tile, softmax of a block of scores in the cache.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CpuAttention(CpuCore core) : CpuFacet(core), IAttention;
