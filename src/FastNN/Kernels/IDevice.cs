namespace FastNN.Kernels;

/// <summary>
/// A place to compute: kernels and the memory they work on. Kernels and copies run in the order in which they are called, but on
/// a GPU behind the caller's back: only <see cref="ICustomKernels.Download"/> and <see cref="IReadback.Read"/> wait.
/// </summary>
internal interface IDevice : IDeviceCore, IKernels, IPlanning;
