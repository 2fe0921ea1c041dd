namespace FastNN.Cuda.Tests;

/// <summary>NVIDIA's own libraries, which a machine needs no GPU to hold: native/fetch-nvidia brings them.</summary>
internal static class NvidiaLibraries
{
    public const string Variable = "FASTNN_NVIDIA_LIBRARIES";

    /// <summary>The folder with a library of NVIDIA's; the test is skipped where there is none.</summary>
    public static string Require(string file = "libcuda.so.1")
    {
        string? folder = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(folder) || !File.Exists(Path.Combine(folder, file)))
        {
            Assert.Ignore(
                $"{Variable} names no folder with NVIDIA's {file}; `native/fetch-nvidia` gets libcuda.so.1 and libcublas.so.12 and prints the folder.");
        }

        return folder;
    }
}
