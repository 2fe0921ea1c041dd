namespace FastNN.Tests.Cuda;

/// <summary>NVIDIA's own libraries, which a machine needs no GPU to hold: native/fetch-nvidia brings them.</summary>
internal static class NvidiaLibraries
{
    public const string Variable = "FASTNN_NVIDIA_LIBRARIES";

    /// <summary>The folder with libcuda.so.1; the test is skipped where there is none.</summary>
    public static string Require()
    {
        string? folder = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(folder) || !File.Exists(Path.Combine(folder, "libcuda.so.1")))
        {
            Assert.Ignore($"{Variable} names no folder with NVIDIA's libcuda.so.1; `native/fetch-nvidia` gets it and prints the folder.");
        }

        return folder;
    }
}
