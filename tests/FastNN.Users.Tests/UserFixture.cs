using System.Runtime.CompilerServices;

namespace FastNN.Users.Tests;

/// <summary>
/// Tests that run on the CPU and on a GPU: that of FASTNN_CUDA_PATH, else the software CUDA device that ./test.sh builds, else
/// the machine's.
/// </summary>
/// <param name="kind">"cpu" or "cuda".</param>
[TestFixture("cpu")]
[TestFixture("cuda")]
internal abstract class UserFixture(string kind)
{
    private const string PathVariable = "FASTNN_CUDA_PATH";

    private static readonly Lazy<string?> Missing = new(FindGpu);

    protected Device Device { get; private set; } = null!;

    [SetUp]
    public void OpenDevice()
    {
        if (kind == "cuda" && Missing.Value is { } reason)
        {
            Assert.Ignore($"There is no GPU to test on; ./test.sh builds a software CUDA device. {reason}");
        }

        Device = kind == "cpu" ? Device.Cpu(2) : Device.Cuda();
    }

    [TearDown]
    public void CloseDevice() => Device?.Dispose();

    protected static float[] ParametersOf(Layer model) => [.. model.Parameters.SelectMany(parameter =>
    {
        var values = new float[parameter.Count];
        parameter.Read(values);
        return values;
    })];

    /// <summary>Numbers between -1 and 1 that look random and are always the same.</summary>
    protected static float[] Numbers(int count, int seed) =>
        [.. Enumerable.Range(0, count).Select(i => MathF.Sin((i * 12.9898f) + (seed * 78.233f)))];

    private static string? FindGpu()
    {
        string built = Path.Combine(Root(), "build", "softcuda");
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(PathVariable))
            && File.Exists(Path.Combine(built, "libcuda.so.1")))
        {
            Environment.SetEnvironmentVariable(PathVariable, built);
        }

        CudaProbe probe = Device.ProbeCuda();
        return probe.Reason ?? probe.Devices[0].Unusable;
    }

    private static string Root([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", ".."));
}
