using FastNN.Kernels;

namespace FastNN.Cuda;

/// <summary><see cref="INormalizations"/> by launches: normalization and softmax.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CudaNormalizations(CudaCore core) : CudaFacet(core), INormalizations;
