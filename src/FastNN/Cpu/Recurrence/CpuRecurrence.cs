using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary><see cref="IRecurrence"/> in SIMD: sequences of products by tiles and of gates by rows.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CpuRecurrence(CpuCore core) : CpuFacet(core), IRecurrence;
