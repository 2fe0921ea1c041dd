using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary><see cref="IProducts"/> in SIMD: dense layers and batched products, all through <see cref="Gemm{TLanes}"/>.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CpuProducts(CpuCore core) : CpuFacet(core), IProducts;
