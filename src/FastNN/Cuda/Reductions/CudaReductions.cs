using FastNN.Kernels;

namespace FastNN.Cuda;

/// <summary><see cref="IReductions"/> by launches: folds along axes and their gradients, penalties.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CudaReductions(CudaCore core) : CudaFacet(core), IReductions;
