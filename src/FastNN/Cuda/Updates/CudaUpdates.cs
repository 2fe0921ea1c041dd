using FastNN.Kernels;

namespace FastNN.Cuda;

/// <summary><see cref="IUpdates"/> by launches: the optimizers and the guard.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CudaUpdates(CudaCore core) : CudaFacet(core), IUpdates;
