using System.Runtime.CompilerServices;
using FastNN.Cuda;

namespace FastNN.Testing;

/// <summary>
/// The software CUDA device that the tests run on: the one in FASTNN_CUDA_PATH, else the one that ./test.sh builds. Where there is none
/// the tests fail; none is skipped for want of a GPU.
/// </summary>
internal static class TestGpu
{
    private static SoftwareDevice? software;

    /// <summary>The instrument behind the driver interface.</summary>
    public static SoftwareDevice Software => software ??= Locate();

    public static CudaDevice Create(CudaOptions? options = null)
    {
        _ = Software;
        return new CudaDevice(0, options);
    }

    /// <summary>The same as users open it.</summary>
    public static Device Open(CudaOptions? options = null)
    {
        _ = Software;
        return Device.Cuda(0, options);
    }

    /// <summary>Fails with what the device's checks found, and forgets it, so that the next test starts clean.</summary>
    public static void RequireNoFindings()
    {
        if (Software.Findings > 0)
        {
            string text = Software.FindingText();
            Software.ClearFindings();
            Assert.Fail(text);
        }
    }

    /// <summary>Fails where device memory, pinned memory, streams, events, graphs or modules are left.</summary>
    public static void RequireNothingAlive()
    {
        RequireNoFindings();
        DeviceCounts counts = Software.Counts();
        Assert.That(
            (counts.LiveAllocations, counts.PinnedBlocks, counts.LiveStreams, counts.LiveEvents, counts.LiveGraphs, counts.LiveModules),
            Is.EqualTo((0L, 0L, 0L, 0L, 0L, 0L)), "allocations, pinned blocks, streams, events, graphs, modules are left");
    }

    private static SoftwareDevice Locate()
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(CudaLibraries.PathVariable)))
        {
            Environment.SetEnvironmentVariable(CudaLibraries.PathVariable, Path.Combine(Root(), "build", "softcuda"));
        }

        string folder = Environment.GetEnvironmentVariable(CudaLibraries.PathVariable)!;
        Assert.That(
            File.Exists(Path.Combine(folder, "libcuda.so.1")),
            $"There is no software CUDA device in {folder}. ./test.sh builds it (cmake -S . -B build && cmake --build build).");
        SoftwareDevice? found = SoftwareDevice.Find();
        Assert.That(found, Is.Not.Null, $"{CudaLibraries.PathVariable} = {folder} holds no software CUDA device; the tests run on no other.");
        return found!;
    }

    private static string Root([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", ".."));
}
