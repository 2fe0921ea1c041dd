using ManagedCuda;
using ManagedCuda.BasicTypes;

namespace FastNN.Cuda;

/// <summary>Users' operators: kernels of their own PTX, or copies for passes on the host.</summary>
internal abstract unsafe partial class CudaCore
{
    private const int MaxCustomArguments = 32;

    /// <summary>
    /// Where the driver finds the addresses of a kernel's parameters. Reused, so that launches allocate nothing.
    /// </summary>
    [ThreadStatic]
    private static IntPtr[]? customAddresses;

    public bool TensorsAreOnHost => false;

    public void LaunchCustom(
        string ptx, string kernel, int blocks, int threads, int sharedBytes, ReadOnlySpan<long> values, ReadOnlySpan<int> sizes)
    {
        if (blocks < 0 || threads is < 1 or > 1024 || values.Length > MaxCustomArguments)
        {
            throw new DeviceException(
                $"cuda: kernel {kernel}: expected 0 or more blocks of 1 to 1024 threads and at most {MaxCustomArguments} arguments, got {blocks} blocks "
                + $"of {threads} threads and {values.Length} arguments.");
        }

        using Lock.Scope scope = Enter();
        CUfunction function = _kernels.GetCustom(ptx, kernel, sizes, sharedBytes);
        if (blocks == 0)
        {
            return;
        }

        IntPtr[] addresses = customAddresses ??= new IntPtr[MaxCustomArguments];
        fixed (long* first = values)
        {
            // The numbers stand in the low bytes of eight, and every GPU's host is little-endian.
            for (int i = 0; i < values.Length; i++)
            {
                addresses[i] = (IntPtr)(first + i);
            }

            CUResult result = DriverAPINativeMethods.Launch.cuLaunchKernel(
                function, (uint)blocks, 1, 1, (uint)threads, 1, 1, (uint)sharedBytes, _compute, addresses, null);
            if (result != CUResult.Success)
            {
                Fail(
                    result, nameof(DriverAPINativeMethods.Launch.cuLaunchKernel),
                    $"The kernel is {kernel}, {blocks} blocks of {threads} threads.");
            }
        }

        _launches++;
    }
}
