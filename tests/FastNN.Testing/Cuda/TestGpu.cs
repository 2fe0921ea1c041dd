using System.Runtime.CompilerServices;
using FastNN.Cli;
using FastNN.Cuda;

namespace FastNN.Testing;

/// <summary>
/// The GPU that the tests run on: the one of FASTNN_CUDA_PATH, else the software CUDA device that ./test.sh builds, else the
/// machine's own. Where there is none the tests fail. What only the software device can tell or do (counts, failures on demand)
/// is skipped on others.
/// </summary>
internal static class TestGpu
{
    private static readonly Lazy<CudaDeviceInfo> Found = new(Locate);

    /// <summary>
    /// Checks and counts, for teardowns: also behind a disguise, where tests see a GPU as any other; null on NVIDIA's driver.
    /// </summary>
    private static SoftwareDevice? Instrument => Require() is null ? null : SoftwareDevice.FindInstrument();

    /// <summary>Whether <see cref="Software"/> is there.</summary>
    public static bool IsSoftware => Require() is not null && SoftwareDevice.Find() is not null;

    /// <summary>The instrument behind the driver interface; a test that asks for it is skipped on any other device.</summary>
    public static SoftwareDevice Software
    {
        get
        {
            string name = Require().Name;
            if (SoftwareDevice.Find() is not { } software)
            {
                Assert.Ignore($"Only the software CUDA device counts, checks and fails on demand; this is {name}.");
                throw new InvalidOperationException();
            }

            return software;
        }
    }

    /// <summary>
    /// The folder with the software device's libraries; a test that asks for it is skipped on any other device.
    /// </summary>
    public static string Folder
    {
        get
        {
            _ = Software;
            return Environment.GetEnvironmentVariable(CudaLibraries.PathVariable)!;
        }
    }

    /// <summary>Fails where there is no GPU, of whatever kind.</summary>
    public static CudaDeviceInfo Require() => Found.Value;

    /// <summary>
    /// After a fault CUDA wants a new process. On the software device this is one, so that a test of faults harms no other.
    /// </summary>
    public static void StartAnew()
    {
        if (Instrument is { } software)
        {
            _ = software.Set("SOFTCUDA_RESTART", "1");
            CudaErrors.ForgetFault();
        }
    }

    /// <summary>Whether a test can go on after a fault.</summary>
    public static bool CanStartAnew => Instrument is not null;

    /// <summary>What a test did wrong on purpose is found, where there is someone to find it, and forgotten.</summary>
    public static void ExpectFinding(params string[] words)
    {
        if (Instrument is { } software)
        {
            string text = software.FindingText();
            software.ClearFindings();
            Assert.That(words.Where(word => !text.Contains(word, StringComparison.Ordinal)), Is.Empty, text);
        }
    }

    /// <summary>Skips a test of what only newer software devices do.</summary>
    public static void RequireVersion(int version)
    {
        if (Software.Version < version)
        {
            Assert.Ignore(
                $"The software CUDA device in {Folder} is of version {Software.Version}, this test needs {version}: ./test.sh builds it.");
        }
    }

    public static CudaDevice Create(CudaOptions? options = null)
    {
        StartAnew();
        return new CudaDevice(0, options);
    }

    /// <summary>The same as users open it.</summary>
    public static Device Open(CudaOptions? options = null)
    {
        StartAnew();
        return Device.Cuda(0, options);
    }

    /// <summary>Fails with what the device's checks found, and forgets it, so that the next test starts clean.</summary>
    public static void RequireNoFindings()
    {
        if (Instrument is { Findings: > 0 } software)
        {
            string text = software.FindingText();
            software.ClearFindings();
            Assert.Fail(text);
        }
    }

    /// <summary>Fails where device memory, pinned memory, streams, events, graphs or modules are left.</summary>
    public static void RequireNothingAlive()
    {
        RequireNoFindings();
        if (Instrument?.Counts() is { } counts)
        {
            Assert.That(
                (
                    counts.LiveAllocations, counts.PinnedBlocks, counts.LiveStreams, counts.LiveEvents, counts.LiveGraphs,
                    counts.LiveModules),
                Is.EqualTo((0L, 0L, 0L, 0L, 0L, 0L)), "allocations, pinned blocks, streams, events, graphs, modules are left");
        }
    }

    private static CudaDeviceInfo Locate()
    {
        string built = Path.Combine(Root(), "build", "softcuda");
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(CudaLibraries.PathVariable))
            && File.Exists(Path.Combine(built, "libcuda.so.1")))
        {
            Environment.SetEnvironmentVariable(CudaLibraries.PathVariable, built);
        }

        CudaProbe probe = Device.ProbeCuda();
        string? reason = probe.Reason ?? probe.Devices[0].Unusable;
        Assert.That(
            reason, Is.Null,
            $"There is no GPU to test on, and no software CUDA device in {built}. ./test.sh builds it (cmake -S . -B build && cmake --build build). {reason}");
        TestContext.Progress.WriteLine($"The CUDA tests run on {probe.Devices[0].Name}.");
        return probe.Devices[0];
    }

    private static string Root([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", ".."));
}
