namespace FastNN.Testing;

/// <summary>
/// PyTorch's numbers: one test per file of the folder that FASTNN_GOLDEN names, by default the cases beside these tests.
/// A case whose operator the engine lacks is skipped, by name.
/// </summary>
internal abstract class GoldenFixture
{
    private Device _device = null!;

    private static IEnumerable<TestCaseData> Files =>
        GoldenFolder.Files.Select(file => new TestCaseData(file).SetArgDisplayNames(Path.GetFileNameWithoutExtension(file)));

    protected abstract Device Open();

    [OneTimeSetUp]
    public void OpenDevice() => _device = Open();

    [OneTimeTearDown]
    public void DisposeDevice() => _device.Dispose();

    [Test]
    public void The_folder_holds_cases() =>
        Assert.That(
            Files, Is.Not.Empty, $"no *.safetensors in {GoldenFolder.Path}; {GoldenFolder.Variable} names another folder");

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
