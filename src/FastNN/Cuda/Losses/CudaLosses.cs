using FastNN.Kernels;

namespace FastNN.Cuda;

/// <summary><see cref="ILosses"/> by launches: cross-entropies and squared errors.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CudaLosses(CudaCore core) : CudaFacet(core), ILosses;
