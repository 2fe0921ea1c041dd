using System.Text;
using ManagedCuda.BasicTypes;
using static ManagedCuda.DriverAPINativeMethods;

namespace FastNN.Cuda;

/// <summary>What can be asked of the driver before there is a context.</summary>
internal static class CudaDriver
{
    /// <summary>The device with an index, and the newest CUDA that the driver knows.</summary>
    /// <exception cref="DeviceException">There is no driver, no GPU, or none with that index.</exception>
    public static (CUdevice Device, Version Driver) Open(int ordinal)
    {
        Version driver = Start();
        int count = Count();
        if (ordinal < 0 || ordinal >= count)
        {
            throw new DeviceException(
                count == 0 ? CudaErrors.Message(CUResult.ErrorNoDevice, nameof(DeviceManagement.cuDeviceGetCount))
                : $"cuda: there is no GPU {ordinal}; there {(count == 1 ? "is one, with index 0" : $"are {count}, with indices 0 to {count - 1}")}.");
        }

        CUdevice device = default;
        CudaErrors.Check(DeviceManagement.cuDeviceGet(ref device, ordinal));
        return (device, driver);
    }

    /// <summary>Loads and initializes the driver; again costs little.</summary>
    public static Version Start()
    {
        CudaLibraries.Load(CudaLibraries.Driver, "the NVIDIA driver's library");
        CudaErrors.Check(cuInit(CUInitializationFlags.None));
        int version = 0;
        CudaErrors.Check(cuDriverGetVersion(ref version));
        return new Version(version / 1000, version % 1000 / 10);
    }

    public static int Count()
    {
        int count = 0;
        CudaErrors.Check(DeviceManagement.cuDeviceGetCount(ref count));
        return count;
    }

    public static Version ComputeCapability(CUdevice device) =>
        new(
            Attribute(device, CUDeviceAttribute.ComputeCapabilityMajor),
            Attribute(device, CUDeviceAttribute.ComputeCapabilityMinor));

    public static int Attribute(CUdevice device, CUDeviceAttribute attribute)
    {
        int value = 0;
        CudaErrors.Check(DeviceManagement.cuDeviceGetAttribute(ref value, attribute, device));
        return value;
    }

    public static string Name(CUdevice device)
    {
        byte[] name = new byte[256];
        CudaErrors.Check(DeviceManagement.cuDeviceGetName(name, name.Length, device));
        return Encoding.UTF8.GetString(name, 0, Math.Max(0, Array.IndexOf(name, (byte)0)));
    }

    public static long TotalMemory(CUdevice device)
    {
        SizeT bytes = default;
        CudaErrors.Check(DeviceManagement.cuDeviceTotalMem_v2(ref bytes, device));
        return (long)bytes;
    }

    /// <summary>
    /// Refuses a build without kernels, a driver too old for their PTX, and a GPU older than they are compiled for.
    /// </summary>
    public static void RequireKernels(KernelSource kernels, Version driver, Version capability)
    {
        string text = Encoding.UTF8.GetString(kernels.Read(FirstFamily(kernels))!);
        if (Ptx.LeastCuda(Ptx.Directive(text, ".version")) is { } cuda && driver < cuda)
        {
            throw new DeviceException(
                $"cuda: the driver knows CUDA up to {driver}, the kernels (PTX {Ptx.Directive(text, ".version")}) need {cuda}. Install a newer NVIDIA driver.");
        }

        if (Ptx.Capability(Ptx.Directive(text, ".target")) is { } least && capability < least)
        {
            throw new DeviceException($"cuda: the GPU has compute capability {capability}, the kernels need {least} or newer.");
        }
    }

    /// <summary>A family of the kernels that were built in.</summary>
    /// <exception cref="DeviceException">There are none; no driver is needed to say so.</exception>
    public static string FirstFamily(KernelSource kernels) => kernels.Families.FirstOrDefault() ?? throw new DeviceException(
        "cuda: this FastNN was built without kernels, since the build found no clang 16 or newer with CMake. Build it where they are.");
}
