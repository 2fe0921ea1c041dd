using FastNN.Tests.Cuda;

namespace FastNN.Tests.Golden;

/// <summary>
/// PyTorch's numbers: one test per file of the folder that FASTNN_GOLDEN names, by default the cases beside these tests.
/// A case whose operator the engine lacks is skipped, by name.
/// </summary>
[TestFixture("cpu")]
[TestFixture("cuda")]
[TestFixture("cuda without cuDNN")]
internal sealed class GoldenTests(string kind)
{
    private const string Variable = "FASTNN_GOLDEN";

    private Device _device = null!;

    private static string Folder =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder ? folder : Path.Combine(AppContext.BaseDirectory, "Golden", "cases");

    private static IEnumerable<TestCaseData> Files
    {
        get
        {
            string[] files = Directory.Exists(Folder) ? Directory.GetFiles(Folder, "*.safetensors") : [];
            Array.Sort(files, StringComparer.Ordinal);
            return files.Select(file => new TestCaseData(file).SetArgDisplayNames(Path.GetFileNameWithoutExtension(file)));
        }
    }

    [OneTimeSetUp]
    public void CreateDevice() => _device = kind == "cpu" ? Device.Cpu(2) : TestGpu.Open(new CudaOptions { UseCudnn = kind == "cuda" });

    [TearDown]
    public void NoFindings()
    {
        if (kind != "cpu")
        {
            TestGpu.RequireNoFindings();
        }
    }

    [OneTimeTearDown]
    public void DisposeDevice() => _device.Dispose();

    [Test]
    public void The_folder_holds_cases() =>
        Assert.That(Files, Is.Not.Empty, $"no *.safetensors in {Folder}; {Variable} names another folder");

    [TestCaseSource(nameof(Files))]
    public void Case(string file)
    {
        GoldenCase golden = GoldenCase.Open(file);
        try
        {
            GoldenRunner.Run(golden, _device);
        }
        catch (UnsupportedCaseException e)
        {
            Assert.Ignore($"{golden.Name}: the engine has no {golden.Op} as this case wants it: {e.Message}");
        }
    }
}
