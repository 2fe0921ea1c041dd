using FastNN.Kernels;

namespace FastNN.Cuda;

/// <summary><see cref="IIndexing"/> by launches: lookup by index, rearranging, joining.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CudaIndexing(CudaCore core) : CudaFacet(core), IIndexing;
