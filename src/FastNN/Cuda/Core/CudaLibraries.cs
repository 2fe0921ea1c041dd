using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace FastNN.Cuda;

/// <summary>
/// Finds NVIDIA's libraries. The bindings import them under one name each; here that name becomes the files that carry it:
/// versioned sonames first, for the unversioned ones come with toolkits only. <c>FASTNN_CUDA_PATH</c> lists the folders that
/// alone are searched, so that what is found is what was meant; an empty entry stands for the usual places. Below each listed
/// folder those of NVIDIA's Python wheels are searched too, so that the site-packages of a PyTorch are a place for cuBLAS and
/// cuDNN.
/// </summary>
internal static class CudaLibraries
{
    public const string PathVariable = "FASTNN_CUDA_PATH";

    public const string Driver = "nvcuda";
    public const string Cublas = "cublas64_12";
    public const string Cudnn = "cudnn64_9";

    /// <summary>NVIDIA's management library, which comes with the driver.</summary>
    public const string Management = "nvml";

    /// <summary>Where drivers and toolkits put libraries that the system's loader may not know of.</summary>
    private static readonly string[] UsualFolders = OperatingSystem.IsWindows()
        ? []
        : [
            "/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib/wsl/lib", "/usr/local/cuda/lib64",
            "/usr/local/cuda/targets/x86_64-linux/lib"];

    /// <summary>
    /// Where NVIDIA's wheels (nvidia-cublas, nvidia-cublas-cu12, nvidia-cudnn-cu12 and -cu13) keep libraries below site-packages
    /// or its nvidia.
    /// </summary>
    private static readonly string[] WheelFolders = OperatingSystem.IsWindows()
        ? ["cu13/bin/x86_64", "cublas/bin", "cudnn/bin"]
        : ["cu13/lib", "cublas/lib", "cudnn/lib"];

    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, nint> Loaded = [];

    static CudaLibraries()
    {
        NativeLibrary.SetDllImportResolver(
            typeof(CudaLibraries).Assembly, (name, _, _) => TryLoad(name, out nint library, out string _) ? library : 0);
        // The packages of -p:CudaBindings=ManagedCuda import the same names from assemblies of their own.
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) => TryLoad(name, out nint library, out string _)
            ? library
            : 0;
    }

    /// <summary>Loads a library, or says where it was looked for.</summary>
    /// <param name="import">The name that the bindings import.</param>
    /// <param name="what">What people call it, for the message.</param>
    /// <exception cref="DeviceException">It was not found; the message lists every path tried.</exception>
    public static nint Load(string import, string what) => TryLoad(import, out nint library, out string report)
        ? library
        : throw new DeviceException($"cuda: {what} was not found. {report}") { IsLack = true };

    /// <param name="report">Every path tried, and what the loader said of each.</param>
    public static bool TryLoad(string import, out nint library, out string report)
    {
        report = "";
        lock (Gate)
        {
            if (Loaded.TryGetValue(import, out library))
            {
                return true;
            }

            string[] files = Files(import);
            if (files.Length == 0 || !Search(files, out library, out report))
            {
                return false;
            }

            Loaded.Add(import, library);
            return true;
        }
    }

    /// <summary>
    /// Whether the driver is the software CUDA device (native/softcuda), which has symbols of its own, and does not want to be
    /// taken for a GPU.
    /// </summary>
    public static unsafe bool IsSoftwareDriver =>
        TryLoad(Driver, out nint library, out _) && NativeLibrary.TryGetExport(library, "softcudaSet", out _)
        && !(NativeLibrary.TryGetExport(library, "softcudaDisguised", out nint disguised)
            && ((delegate* unmanaged<int>)disguised)() != 0);

    /// <summary>Every path at which a library is looked for, in that order up to the first that can be loaded.</summary>
    public static IReadOnlyList<LibraryAttempt> Attempts(string import)
    {
        string? list = Environment.GetEnvironmentVariable(PathVariable);
        string[] files = Files(import);
        return Attempt(string.IsNullOrEmpty(list) ? Usual(files) : Listed(list, files), out _);
    }

    /// <summary>cuBLAS's or cuDNN's version, or why there is none.</summary>
    public static unsafe string Version(string import)
    {
        if (!TryLoad(import, out nint library, out string report))
        {
            return $"not available: {report}";
        }

        if (NativeLibrary.TryGetExport(library, "cudnnGetVersion", out nint cudnn))
        {
            nuint version = ((delegate* unmanaged<nuint>)cudnn)();
            return $"{version / 10000}.{version / 100 % 100}.{version % 100}";
        }

        if (NativeLibrary.TryGetExport(library, "cublasGetProperty", out nint cublas))
        {
            int* part = stackalloc int[3];
            for (int i = 0; i < 3; i++)
            {
                _ = ((delegate* unmanaged<int, int*, int>)cublas)(i, part + i);
            }

            return $"{part[0]}.{part[1]}.{part[2]}";
        }

        return "of unknown version";
    }

    private static string[] Files(string import) => (import, OperatingSystem.IsWindows()) switch
    {
        (Driver, false) => ["libcuda.so.1", "libcuda.so"],
        (Driver, true) => ["nvcuda.dll"],
        (Cublas, false) => ["libcublas.so.12", "libcublas.so.13", "libcublas.so"],
        (Cublas, true) => ["cublas64_12.dll", "cublas64_13.dll"],
        // No unversioned name: where 9 is missing, that is cuDNN 8, which means other things by its codes.
        (Cudnn, false) => ["libcudnn.so.9"],
        (Cudnn, true) => ["cudnn64_9.dll"],
        (Management, false) => ["libnvidia-ml.so.1"],
        (Management, true) => ["nvml.dll"],
        _ => [],
    };

    private static bool Search(string[] files, out nint library, out string report)
    {
        string? list = Environment.GetEnvironmentVariable(PathVariable);
        bool named = !string.IsNullOrEmpty(list);
        List<LibraryAttempt> attempts = Attempt(named ? Listed(list!, files) : Usual(files), out library);
        string where = named
            ? $"{PathVariable} is set, so only what it lists was searched:"
            : $"Set {PathVariable} to the folder that holds it, or install NVIDIA's package. Tried:";
        report = library != 0
            ? ""
            : $"{where} {string.Join("; ", attempts.Select(attempt => $"{attempt.Path} ({attempt.Result})"))}.";
        return library != 0;
    }

    /// <summary>Loads the first path that can be loaded; what came of each is told, the one that was loaded last.</summary>
    private static List<LibraryAttempt> Attempt(IEnumerable<string> paths, out nint library)
    {
        var attempts = new List<LibraryAttempt>();
        library = 0;
        foreach (string path in paths)
        {
            // Whole paths that do not exist are said to be missing in fewer words than the loader's.
            if (Path.IsPathRooted(path) && !File.Exists(path))
            {
                attempts.Add(new LibraryAttempt(path, "no such file"));
                continue;
            }

            try
            {
                library = NativeLibrary.Load(path);
                attempts.Add(new LibraryAttempt(path, LibraryAttempt.Loaded));
                break;
            }
            catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
            {
                attempts.Add(new LibraryAttempt(path, LoaderMessage(exception)));
            }
        }

        return attempts;
    }

    private static IEnumerable<string> Usual(string[] files) =>
        files.Concat(from folder in UsualFolders from file in files select Path.Combine(folder, file));

    /// <summary>
    /// The places of a list like PATH. A wheel's folder counts only where it exists: few folders are site-packages.
    /// </summary>
    private static IEnumerable<string> Listed(string list, string[] files)
    {
        foreach (string entry in list.Split(Path.PathSeparator))
        {
            if (entry.Length == 0)
            {
                foreach (string path in Usual(files))
                {
                    yield return path;
                }

                continue;
            }

            string folder = Path.GetFullPath(entry);
            IEnumerable<string> wheels = WheelFolders.SelectMany(
                wheel => new[] { Path.Combine(folder, "nvidia", wheel), Path.Combine(folder, wheel) });
            foreach (string place in wheels.Where(Directory.Exists).Prepend(folder))
            {
                foreach (string file in files)
                {
                    yield return Path.Combine(place, file);
                }
            }
        }
    }

    /// <summary>The line of the runtime's message that says why; the others are advice on how to debug the loader.</summary>
    private static string LoaderMessage(Exception exception)
    {
        string[] lines = exception.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Length > 1 ? lines[1] : lines[0];
    }
}

/// <summary>A path at which a library was looked for, and what came of it.</summary>
internal readonly record struct LibraryAttempt(string Path, string Result)
{
    public const string Loaded = "loaded";
}
