namespace FastNN.Testing;

/// <summary>
/// PyTorch's numbers: one test per file of the folder that FASTNN_GOLDEN names, by default the cases beside these tests.
/// A case whose operator the engine lacks is skipped, by name.
/// </summary>
internal abstract class GoldenFixture
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

    protected abstract Device Open();

    [OneTimeSetUp]
    public void OpenDevice() => _device = Open();

    [OneTimeTearDown]
    public void DisposeDevice() => _device.Dispose();

    [Test]
    public void The_folder_holds_cases() =>
        Assert.That(Files, Is.Not.Empty, $"no *.safetensors in {Folder}; {Variable} names another folder");

    [TestCaseSource(nameof(Files))]
    public void Output_gradients_and_state_are_PyTorchs(string file)
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
