using FastNN.Kernels;

namespace FastNN.Cuda;

/// <summary><see cref="IWindows"/> by launches: convolution and pooling.</summary>
/// <param name="core">The core of the device.</param>
internal sealed unsafe partial class CudaWindows(CudaCore core) : CudaFacet(core), IWindows;
