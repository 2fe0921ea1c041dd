using FastNN.Cpu;
using FastNN.Cuda;
using FastNN.Kernels;

namespace FastNN;

/// <summary>Where networks run. Create one, share it among trainers and predictors, dispose it last.</summary>
public sealed class Device : IDisposable
{
    private Device(IDevice implementation) => Implementation = implementation;

    /// <summary>"cpu" or "cuda".</summary>
    public string Kind => Implementation.Kind;

    /// <summary>One line for people: instruction set and threads, or the GPU's name, memory and driver.</summary>
    public string Description => Implementation.Description;

    /// <summary>
    /// What keeps the device from its full speed, one line each; empty where nothing does. A CPU warns where the process uses
    /// narrower vectors than the processor has, as code compiled ahead of time does unless its build was told otherwise.
    /// </summary>
    public IReadOnlyList<string> Warnings => Implementation.Warnings;

    /// <summary>Worker threads of a CPU.</summary>
    public int Threads => Implementation.Threads;

    /// <summary>
    /// Why <see cref="Best"/> took the CPU; null where it took a GPU, and for devices that were asked for by name.
    /// </summary>
    public string? FallbackReason { get; private init; }

    /// <summary>What trainers, predictors and plans hold of the device's memory now.</summary>
    public DeviceMemory Memory => Implementation.MemoryUse;

    internal IDevice Implementation { get; }

    /// <summary>The processor, with managed SIMD kernels.</summary>
    /// <param name="threads">Worker threads, the caller included; 0 (default) takes as many as there are logical
    /// processors.</param>
    /// <param name="options">How kernels may compute; null (default) for the defaults.</param>
    /// <returns>The device.</returns>
    /// <exception cref="DeviceException">The number is negative or above 128.</exception>
    public static Device Cpu(int threads = 0, CpuOptions? options = null) => new(new CpuDevice(threads, options));

    /// <summary>
    /// An NVIDIA GPU of compute capability 8.0 (Ampere) or newer, with nothing but its driver needed; cuBLAS and cuDNN are used
    /// where they are installed.</summary>
    /// <param name="index">Which GPU, as <see cref="ProbeCuda"/> numbers them. Default 0.</param>
    /// <param name="options">Memory limit and libraries; null (default) for the defaults.</param>
    /// <returns>The device.</returns>
    /// <exception cref="DeviceException">There is no driver, no such GPU, or FastNN or the program was built without
    /// kernels; the message says what to do.</exception>
    public static Device Cuda(int index = 0, CudaOptions? options = null) => CudaSupport.IsSupported
        ? new(new CudaDevice(index, options))
        : throw new DeviceException(CudaSupport.LeftOut);

    /// <summary>The first GPU where it can be used, else the CPU; <see cref="FallbackReason"/> tells why.</summary>
    /// <param name="threads">Worker threads should it be the CPU; 0 (default) for as many as there are logical
    /// processors.</param>
    /// <returns>The device.</returns>
    /// <exception cref="DeviceException">The number of threads is negative or above 128.</exception>
    public static Device Best(int threads = 0)
    {
        try
        {
            return Cuda();
        }
        catch (DeviceException exception)
        {
            return new Device(new CpuDevice(threads)) { FallbackReason = exception.Message };
        }
    }

    /// <summary>
    /// Looks what GPUs, driver and libraries there are. Throws nothing: where something is missing, the result says why.
    /// </summary>
    /// <returns>What there is.</returns>
    public static CudaProbe ProbeCuda() => CudaSupport.IsSupported
        ? CudaProbe.Look(KernelSource.Embedded)
        : new CudaProbe { Reason = CudaSupport.LeftOut, Cublas = CudaSupport.LeftOut, Cudnn = CudaSupport.LeftOut };

    /// <summary>
    /// Gives memory back that is kept for later: what sessions and predictors keep for their next calls, and on a GPU what was
    /// freed and is kept for the next caller, which waits for running work. The next calls take what they need again.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The device was disposed.</exception>
    public void Trim() => Implementation.Trim();

    /// <summary>
    /// Frees the device's threads and memory. Trainers and predictors that still use it fail with ObjectDisposedException.
    /// </summary>
    public void Dispose() => Implementation.Dispose();

    /// <summary>The <see cref="Description"/>.</summary>
    public override string ToString() => Description;
}
