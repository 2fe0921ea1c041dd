using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastNN.Cli.Checks;
using FastNN.Cuda;

namespace FastNN.Cli.Commands;

/// <summary>
/// `fastnn doctor`: what there is on this machine, where it was looked for, what each part turns on, and what to do next.
/// </summary>
internal static class DoctorCommand
{
    /// <summary>What changes what the driver or the runtime does.</summary>
    private static readonly string[] Variables =
    [
        CudaLibraries.PathVariable, "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_DISABLE_PTX_JIT", "CUDA_FORCE_PTX_JIT",
        "CUDA_CACHE_DISABLE", "CUDA_CACHE_PATH", "NVIDIA_TF32_OVERRIDE", "CUBLAS_WORKSPACE_CONFIG", "DOTNET_EnableAVX512F",
        "DOTNET_EnableAVX2", "DOTNET_PreferredVectorBitWidth",
    ];

    public static Command Create(CommandContext context)
    {
        var command = new Command(
            "doctor", "Tell what this machine offers, what of it is used, every path tried, and what is missing.");
        command.SetAction(_ =>
        {
            Say(context.Output);
            return 0;
        });
        return command;
    }

    private static void Say(TextWriter output)
    {
        string version =
            typeof(DoctorCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
                ?? "";
        string system = $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}";
        Line(output, "fastnn", $"{version} on {RuntimeInformation.FrameworkDescription}, {system}");
        string[] set = [.. Variables.Where(name => Environment.GetEnvironmentVariable(name) is not null)
            .Select(name => $"{name}={Environment.GetEnvironmentVariable(name)}")];
        Line(output, "variables", set.Length == 0 ? "none that matter are set" : string.Join(", ", set));
        SayProcessor(output);
        SayCuda(output);
    }

    private static void SayProcessor(TextWriter output)
    {
        using Device device = Device.Cpu();
        output.WriteLine();
        output.WriteLine($"cpu         {device.Description}");
        Line(output, "processor", ProcessorFeatures.Name());
        Line(output, "code", RuntimeFeature.IsDynamicCodeCompiled
            ? "compiled while it runs, for this processor"
            : "compiled ahead of time, for the instruction sets that the build named");
        foreach (string warning in device.Warnings)
        {
            Line(output, "warning", warning);
        }

        foreach (InstructionSet set in ProcessorFeatures.All())
        {
            string state = (set.InProcessor, set.InUse) switch
            {
                (false, _) => "not in this processor",
                (_, true) => "used",
                _ =>
                    "in this processor, but not used: the build or a variable leaves it out, or the runtime prefers narrower vectors",
            };
            Line(output, set.Name, $"{state} ({set.For})");
        }
    }

    private static void SayCuda(TextWriter output)
    {
        CudaProbe probe = Device.ProbeCuda();
        output.WriteLine();
        string count = $"{probe.Devices.Count} {(probe.Devices.Count == 1 ? "GPU" : "GPUs")}";
        output.WriteLine($"cuda        {(probe.Reason is null && probe.Kernels is not null ? count : "not available")}");
        Line(output, "kernels", probe.Kernels is null
            ? "none: this build found no cmake with clang 16 or newer"
            : $"{probe.Kernels}: {KernelSource.Embedded.Families.Count()} families, for everything but large matrix products");
        string driver = probe.DriverVersion is null ? "loaded, but without a GPU" : $"for CUDA {probe.DriverVersion}";
        SayLibrary(output, "driver", CudaLibraries.Driver, probe.IsSoftware ? $"{driver}; the software CUDA device" : driver);
        SayLibrary(output, "cuBLAS", CudaLibraries.Cublas, $"{probe.Cublas}: large matrix products, which need it");
        SayLibrary(
            output, "cuDNN", CudaLibraries.Cudnn, $"{probe.Cudnn}: convolutions, which FastNN's own kernels compute without it");
        Line(
            output, "TF32",
            "off, unless a program sets CudaOptions.AllowTF32: products of cuBLAS and cuDNN are float32 like all others");
        if (probe.Reason is { } reason)
        {
            Line(output, "reason", reason);
            output.WriteLine();
            output.WriteLine("next        fastnn selftest --device cpu");
            return;
        }

        bool usable = false;
        foreach (CudaDeviceInfo gpu in probe.Devices)
        {
            usable |= SayGpu(output, gpu);
        }

        output.WriteLine();
        output.WriteLine($"next        fastnn selftest --device {(usable ? "cuda" : "cpu")}");
    }

    private static bool SayGpu(TextWriter output, CudaDeviceInfo gpu)
    {
        output.WriteLine();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"GPU {gpu.Index}       {gpu.Name}, compute capability {gpu.ComputeCapability}, {Gibibytes(gpu.MemoryBytes)}"));
        if (gpu.Unusable is { } why)
        {
            Line(output, "NOT usable", why);
            return false;
        }

        try
        {
            using var device = new CudaDevice(gpu.Index);
            Line(output, "memory", $"{Gibibytes(device.FreeMemory())} of {Gibibytes(device.TotalMemory)} free");
            var clock = Stopwatch.StartNew();
            int families = device.LoadKernels();
            string time = clock.Elapsed.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture);
            Line(
                output, "PTX JIT",
                $"{families} families compiled for this GPU in {time} ms (the driver keeps them: again costs less)");
            return true;
        }
        catch (DeviceException exception)
        {
            Line(output, "NOT usable", exception.Message);
            return false;
        }
    }

    private static void SayLibrary(TextWriter output, string name, string import, string what)
    {
        IReadOnlyList<LibraryAttempt> attempts = CudaLibraries.Attempts(import);
        bool loaded = attempts is [.., { Result: LibraryAttempt.Loaded }];
        Line(output, name, loaded ? what : "NOT found");
        foreach (LibraryAttempt attempt in attempts)
        {
            bool isName = attempt.Result == LibraryAttempt.Loaded && !Path.IsPathRooted(attempt.Path);
            string path = isName ? $"{attempt.Path} = {Mapped(attempt.Path)}" : attempt.Path;
            output.WriteLine($"    {"",-18}{path}: {attempt.Result}");
        }
    }

    /// <summary>The file behind a name that the loader found by itself.</summary>
    private static string Mapped(string name)
    {
        try
        {
            // A name without a version, or with one, is the beginning of the file's.
            return File.ReadLines("/proc/self/maps").Select(line => line[(line.LastIndexOf(' ') + 1)..])
                .FirstOrDefault(path => Path.GetFileName(path).StartsWith(name, StringComparison.Ordinal))
                ?? "found by the loader";
        }
        catch (IOException)
        {
            return "found by the loader";
        }
    }

    private static void Line(TextWriter output, string name, string text) => output.WriteLine($"  {name,-20}{text}");

    private static string Gibibytes(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):F1} GiB");
}
