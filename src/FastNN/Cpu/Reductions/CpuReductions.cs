using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary><see cref="IReductions"/> in SIMD: folds along axes and their gradients, penalties.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CpuReductions(CpuCore core) : CpuFacet(core), IReductions;
