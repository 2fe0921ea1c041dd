using System.Text;
using FastNN.Cuda;
using ManagedCuda.BasicTypes;
using static ManagedCuda.DriverAPINativeMethods;

namespace FastNN;

/// <summary>A GPU of this machine.</summary>
public sealed record CudaDeviceInfo
{
    /// <summary>What Device.Cuda takes.</summary>
    public required int Index { get; init; }

    /// <summary>The model.</summary>
    public required string Name { get; init; }

    /// <summary>The generation, such as 8.0 for an A100.</summary>
    public required Version ComputeCapability { get; init; }

    /// <summary>All of its memory, in bytes.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Why FastNN cannot use it; null where it can.</summary>
    public string? Unusable { get; init; }
}

/// <summary>What there is of CUDA on this machine, and why not more.</summary>
public sealed record CudaProbe
{
    /// <summary>The GPUs; empty where there is none or no driver.</summary>
    public IReadOnlyList<CudaDeviceInfo> Devices { get; init; } = [];

    /// <summary>Why there is no GPU to list; null where there is one.</summary>
    public string? Reason { get; init; }

    /// <summary>The newest CUDA that the driver knows; null without a driver.</summary>
    public Version? DriverVersion { get; init; }

    /// <summary>
    /// The PTX version and target of FastNN's kernels, such as "PTX 7.0 for sm_80"; null where it was built without.
    /// </summary>
    public string? Kernels { get; init; }

    /// <summary>cuBLAS's version, or why there is none.</summary>
    public string Cublas { get; init; } = "";

    /// <summary>cuDNN's version, or why there is none.</summary>
    public string Cudnn { get; init; } = "";

    /// <summary>Whether this is the software CUDA device, which runs on the CPU and is for tests.</summary>
    public bool IsSoftware { get; init; }

    /// <summary>Looks; nothing is thrown.</summary>
    internal static CudaProbe Look(KernelSource kernels)
    {
        string? family = kernels.Families.FirstOrDefault();
        string ptx = family is null ? "" : Encoding.UTF8.GetString(kernels.Read(family)!);
        string target = Ptx.Directive(ptx, ".target");
        // The driver first: libraries that need it find it by name alone where it is loaded.
        var probe = new CudaProbe
        {
            IsSoftware = CudaLibraries.IsSoftwareDriver,
            Kernels = family is null ? null : $"PTX {Ptx.Directive(ptx, ".version")} for {target}",
            Cublas = CudaLibraries.Version(CudaLibraries.Cublas),
            Cudnn = CudaLibraries.Version(CudaLibraries.Cudnn),
        };
        try
        {
            probe = probe with { DriverVersion = CudaDriver.Start() };
            var devices = new CudaDeviceInfo[CudaDriver.Count()];
            for (int i = 0; i < devices.Length; i++)
            {
                devices[i] = Look(i, target);
            }

            return probe with
            {
                Devices = devices,
                Reason = devices.Length > 0
                    ? null
                    : CudaErrors.Message(CUResult.ErrorNoDevice, nameof(DeviceManagement.cuDeviceGetCount)),
            };
        }
        catch (DeviceException exception)
        {
            return probe with { Reason = exception.Message };
        }
    }

    private static CudaDeviceInfo Look(int index, string target)
    {
        (CUdevice device, _) = CudaDriver.Open(index);
        Version capability = CudaDriver.ComputeCapability(device);
        return new CudaDeviceInfo
        {
            Index = index,
            Name = CudaDriver.Name(device),
            ComputeCapability = capability,
            MemoryBytes = CudaDriver.TotalMemory(device),
            Unusable = target.Length == 0 ? "this FastNN was built without kernels"
                : Ptx.Capability(target) is { } least && capability < least ? $"the kernels need compute capability {least}"
                : null,
        };
    }
}
