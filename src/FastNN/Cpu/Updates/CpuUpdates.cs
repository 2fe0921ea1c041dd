using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary><see cref="IUpdates"/> in SIMD: the optimizers and the guard.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CpuUpdates(CpuCore core) : CpuFacet(core), IUpdates;
