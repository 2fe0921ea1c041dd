using System.Runtime.CompilerServices;
using FastNN.Cuda;

namespace FastNN.Tests.Cuda;

/// <summary>
/// The software CUDA device that the tests run on: the one in FASTNN_CUDA_PATH, else the one that ./test.sh builds. Where there is none
/// the tests fail; none is skipped for want of a GPU.
/// </summary>
internal static class TestGpu
{
    public static CudaDevice Create(CudaOptions? options = null)
    {
        Locate();
        return new CudaDevice(0, options);
    }

    /// <summary>The same as users open it.</summary>
    public static Device Open(CudaOptions? options = null)
    {
        Locate();
        return Device.Cuda(0, options);
    }

    public static DeviceCounts Counts() => DeviceCounts.Parse(SoftwareDevice.Counters);

    /// <summary>Fails with what the device's checks found, and forgets it, so that the next test starts clean.</summary>
    public static void RequireNoFindings()
    {
        if (SoftwareDevice.Findings > 0)
        {
            string text = SoftwareDevice.FindingText;
            SoftwareDevice.ClearFindings();
            Assert.Fail(text);
        }
    }

    /// <summary>Fails where device memory, pinned memory, streams, events, graphs or modules are left.</summary>
    public static void RequireNothingAlive()
    {
        RequireNoFindings();
        Assert.That(Counts().Alive, Is.Empty);
    }

    /// <summary>Makes the software device the one that is loaded.</summary>
    public static void Locate()
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(CudaLibraries.PathVariable)))
        {
            Environment.SetEnvironmentVariable(CudaLibraries.PathVariable, Path.Combine(Root(), "build", "softcuda"));
        }

        string folder = Environment.GetEnvironmentVariable(CudaLibraries.PathVariable)!;
        Assert.That(
            File.Exists(Path.Combine(folder, "libcuda.so.1")),
            $"There is no software CUDA device in {folder}. ./test.sh builds it (cmake -S . -B build && cmake --build build).");
        Assert.That(SoftwareDevice.IsLoaded, $"{CudaLibraries.PathVariable} = {folder} is not the software CUDA device; the tests run on no other.");
    }

    private static string Root([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", ".."));
}
