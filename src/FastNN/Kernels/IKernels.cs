namespace FastNN.Kernels;

/// <summary>
/// What a device must be able to compute: one partial file per family, named as its row in Cpu/, Cuda/, kernels/ and Ops/.
/// Conventions: tensors are dense and row-major, images NHWC; where a method takes <c>accumulate</c>, it adds to the
/// gradient (+=), otherwise it overwrites it (=). Kernels allocate nothing, trust the shapes that the operators checked,
/// and give the same bits for any number of threads.
/// </summary>
internal partial interface IKernels : ICustomKernels;
