using FastNN.Kernels;

namespace FastNN.Cuda;

/// <summary><see cref="IAttention"/> by launches.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CudaAttention(CudaCore core) : CudaFacet(core), IAttention;
