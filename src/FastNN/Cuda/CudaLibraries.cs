using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Text;

namespace FastNN.Cuda;

/// <summary>
/// Finds NVIDIA's libraries. The bindings import them under one name each; here that name becomes the files that carry it: versioned
/// sonames first, for the unversioned ones come with toolkits only. <c>FASTNN_CUDA_PATH</c> names a folder that alone is searched, so
/// that what is found is what was meant.
/// </summary>
internal static class CudaLibraries
{
    public const string PathVariable = "FASTNN_CUDA_PATH";

    public const string Driver = "nvcuda";
    public const string Cublas = "cublas64_12";
    public const string Cudnn = "cudnn64_9";

    /// <summary>Where drivers and toolkits put libraries that the system's loader may not know of.</summary>
    private static readonly string[] UsualFolders = OperatingSystem.IsWindows()
        ? []
        : ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib/wsl/lib", "/usr/local/cuda/lib64", "/usr/local/cuda/targets/x86_64-linux/lib"];

    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, nint> Loaded = [];

    static CudaLibraries()
    {
        NativeLibrary.SetDllImportResolver(typeof(CudaLibraries).Assembly, (name, _, _) => TryLoad(name, out nint library, out string _) ? library : 0);
        // The packages of -p:CudaBindings=ManagedCuda import the same names from assemblies of their own.
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) => TryLoad(name, out nint library, out string _) ? library : 0;
    }

    /// <summary>Loads a library, or says where it was looked for.</summary>
    /// <param name="import">The name that the bindings import.</param>
    /// <param name="what">What people call it, for the message.</param>
    /// <exception cref="DeviceException">It is not to be found; the message lists every path tried.</exception>
    public static nint Load(string import, string what) => TryLoad(import, out nint library, out string report)
        ? library
        : throw new DeviceException($"cuda: {what} is not to be found. {report}");

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
        _ => [],
    };

    private static bool Search(string[] files, out nint library, out string report)
    {
        var tried = new StringBuilder();
        string? folder = Environment.GetEnvironmentVariable(PathVariable);
        bool named = !string.IsNullOrEmpty(folder);
        tried.Append(named ? $"{PathVariable} is set, so only its folder was searched:" : $"Set {PathVariable} to the folder that holds it, or install NVIDIA's package. Tried:");
        foreach (string path in named ? files.Select(file => Path.Combine(Path.GetFullPath(folder!), file)) : Places(files))
        {
            // Whole paths that do not exist are said to be missing in fewer words than the loader's.
            if (Path.IsPathRooted(path) && !File.Exists(path))
            {
                tried.Append($" {path} (no such file);");
                continue;
            }

            try
            {
                library = NativeLibrary.Load(path);
                report = "";
                return true;
            }
            catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
            {
                tried.Append($" {path} ({LoaderMessage(exception)});");
            }
        }

        library = 0;
        report = tried.ToString().TrimEnd(';') + ".";
        return false;
    }

    private static IEnumerable<string> Places(string[] files) =>
        files.Concat(from folder in UsualFolders from file in files select Path.Combine(folder, file));

    /// <summary>The line of the runtime's message that says why; the others are advice on how to debug the loader.</summary>
    private static string LoaderMessage(Exception exception)
    {
        string[] lines = exception.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Length > 1 ? lines[1] : lines[0];
    }
}
