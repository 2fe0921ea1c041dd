using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>
/// <see cref="IElements"/> in SIMD: functions of one number, operators of two with broadcasting, selection, conversion, dropout.
/// </summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CpuElements(CpuCore core) : CpuFacet(core), IElements;
