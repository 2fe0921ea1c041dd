using FastNN.Kernels;

namespace FastNN.Cuda;

/// <summary><see cref="IProducts"/> by launches: dense layers and batched products.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CudaProducts(CudaCore core) : CudaFacet(core), IProducts;
