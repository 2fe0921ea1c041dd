using FastNN.Kernels;

namespace FastNN.Cuda;

/// <summary><see cref="IRecurrence"/> by launches: one for each step.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CudaRecurrence(CudaCore core) : CudaFacet(core), IRecurrence;
