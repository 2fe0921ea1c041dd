using FastNN.Cpu;
using FastNN.Kernels;

namespace FastNN;

/// <summary>Where networks run. Create one, share it among trainers and predictors, dispose it last.</summary>
public sealed class Device : IDisposable
{
    private Device(IDevice implementation) => Implementation = implementation;

    /// <summary>"cpu" or "cuda".</summary>
    public string Kind => Implementation.Kind;

    /// <summary>One line for people: instruction set and threads.</summary>
    public string Description => Implementation.Description;

    /// <summary>Worker threads of a CPU.</summary>
    public int Threads => Implementation.Threads;

    internal IDevice Implementation { get; }

    /// <summary>The processor, with managed SIMD kernels.</summary>
    /// <param name="threads">Worker threads, the caller included; 0 (default) takes as many as there are logical
    /// processors.</param>
    /// <returns>The device.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative or above 1024.</exception>
    public static Device Cpu(int threads = 0) => new(new CpuDevice(threads));

    /// <summary>
    /// Frees the device's threads and memory. Trainers and predictors that still use it fail with ObjectDisposedException.
    /// </summary>
    public void Dispose() => Implementation.Dispose();
}
