using FastNN.Kernels;

namespace FastNN.Cuda;

/// <summary>
/// <see cref="IElements"/> by launches: functions of one number, operators of two with broadcasting, selection, conversion,
/// dropout.
/// </summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CudaElements(CudaCore core) : CudaFacet(core), IElements;
