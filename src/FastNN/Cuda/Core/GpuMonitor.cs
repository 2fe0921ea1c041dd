using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using ManagedCuda.BasicTypes;

namespace FastNN.Cuda;

/// <summary>What a GPU does at a moment, for all processes together; a member is null where the GPU has no such sensor.</summary>
/// <param name="Utilization">The share of the last sixth of a second to second in which a kernel ran, 0 to 1.</param>
/// <param name="Temperature">Of the chip, in degrees Celsius.</param>
/// <param name="Power">What the board draws, in watts.</param>
internal readonly record struct GpuState(double? Utilization, double? Temperature, double? Power);

/// <summary>
/// Reads a GPU's sensors by NVIDIA's management library (NVML), which knows GPUs by their place on the PCI bus. Thread-safe, as
/// the library is.
/// </summary>
internal sealed unsafe class GpuMonitor
{
    private const int Success = 0;
    private const int ChipSensor = 0;
    private const CUDeviceAttribute PciDomain = (CUDeviceAttribute)50;
    private const double Percent = 100;
    private const double Milliwatts = 1000;

    // Initialized once and never shut down: the library counts users, and goes with the process.
    private static readonly Lazy<nint> Library = new(Start);

    private readonly nint _gpu;
    private readonly delegate* unmanaged<nint, uint*, int> _utilization;
    private readonly delegate* unmanaged<nint, int, uint*, int> _temperature;
    private readonly delegate* unmanaged<nint, uint*, int> _power;

    private GpuMonitor(nint library, nint gpu)
    {
        _gpu = gpu;
        _utilization = (delegate* unmanaged<nint, uint*, int>)Export(library, "nvmlDeviceGetUtilizationRates");
        _temperature = (delegate* unmanaged<nint, int, uint*, int>)Export(library, "nvmlDeviceGetTemperature");
        _power = (delegate* unmanaged<nint, uint*, int>)Export(library, "nvmlDeviceGetPowerUsage");
    }

    /// <summary>A GPU's monitor; null where there is no management library, or it does not know the GPU.</summary>
    public static GpuMonitor? Open(CUdevice device)
    {
        nint library = Library.Value;
        if (library == 0 || Export(library, "nvmlDeviceGetHandleByPciBusId_v2") is var find && find == 0)
        {
            return null;
        }

        int domain = CudaDriver.Attribute(device, PciDomain);
        int bus = CudaDriver.Attribute(device, CUDeviceAttribute.PCIBusID);
        int slot = CudaDriver.Attribute(device, CUDeviceAttribute.PCIDeviceID);
        byte[] place = Encoding.ASCII.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{domain:X8}:{bus:X2}:{slot:X2}.0\0"));
        nint gpu = 0;
        fixed (byte* text = place)
        {
            return ((delegate* unmanaged<byte*, nint*, int>)find)(text, &gpu) == Success ? new GpuMonitor(library, gpu) : null;
        }
    }

    /// <summary>Asks for everything.</summary>
    public GpuState Read()
    {
        // Shares of time in which kernels ran and in which memory was read or written, in percent.
        uint* shares = stackalloc uint[2];
        uint degrees = 0, milliwatts = 0;
        bool hasShares = _utilization != null && _utilization(_gpu, shares) == Success;
        bool hasTemperature = _temperature != null && _temperature(_gpu, ChipSensor, &degrees) == Success;
        bool hasPower = _power != null && _power(_gpu, &milliwatts) == Success;
        return new GpuState(
            hasShares ? shares[0] / Percent : null, hasTemperature ? degrees : null, hasPower ? milliwatts / Milliwatts : null);
    }

    private static nint Start() =>
        CudaLibraries.TryLoad(CudaLibraries.Management, out nint library, out _)
        && Export(library, "nvmlInit_v2") is var start && start != 0 && ((delegate* unmanaged<int>)start)() == Success
            ? library
            : 0;

    private static nint Export(nint library, string name) =>
        NativeLibrary.TryGetExport(library, name, out nint address) ? address : 0;
}
