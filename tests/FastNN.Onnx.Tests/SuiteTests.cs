using FastNN.Cli.Onnx;

namespace FastNN.Onnx.Tests;

/// <summary>The standard's own cases; tests/fetch-onnx-testdata brings them, and FASTNN_ONNX_TESTDATA says where they
/// are.</summary>
public sealed class SuiteTests
{
    // Cases of the suite of version 1.17 that pass, by folder: fewer is a step back.
    private static readonly (string Folder, int Passed)[] Wanted =
        [("light", 9), ("node", 1262), ("pytorch-converted", 82), ("pytorch-operator", 35), ("simple", 21)];

    private static string Data => Environment.GetEnvironmentVariable("FASTNN_ONNX_TESTDATA") is { Length: > 0 } folder
        ? folder
        : throw new IgnoreException("the ONNX standard's cases are not here; tests/fetch-onnx-testdata fetches them");

    [TestCaseSource(nameof(Folders))]
    public void Cases_of_the_standard_pass(string folder, int wanted)
    {
        IReadOnlyList<OnnxCase> cases = OnnxCase.In(Path.Combine(Data, folder));
        OnnxCaseResult[] results = [.. cases.Select(one => one.Run())];
        Assert.Multiple(() =>
        {
            Assert.That(results.Where(result => result.Status == "failed"), Is.Empty);
            Assert.That(results.Count(result => result.Status == "passed"), Is.GreaterThanOrEqualTo(wanted));
        });
    }

    private static IEnumerable<TestCaseData> Folders() => Wanted.Select(entry => new TestCaseData(entry.Folder, entry.Passed));

    [Test]
    public void Every_model_of_the_suite_is_written_as_it_was_read()
    {
        foreach (OnnxCase one in OnnxCase.In(Path.Combine(Data, "node")))
        {
            using OnnxModel model = OnnxModel.Load(one.Model);
            ReadOnlyMemory<byte> written = Model.ModelWriter.Write(model.Definition);
            using OnnxModel again = OnnxModel.Load(written, one.Name);
            Assert.That(Model.ModelWriter.Write(again.Definition).Span.SequenceEqual(written.Span), one.Name);
            Assert.That(again.Inputs.Select(input => input.ToString()),
                Is.EqualTo(model.Inputs.Select(input => input.ToString())), one.Name);
            Assert.That(again.NodeCount, Is.EqualTo(model.NodeCount), one.Name);
        }
    }

    [Test]
    public void A_case_whose_output_differs_fails()
    {
        string folder = Directory.CreateTempSubdirectory("fastnn-onnx-").FullName;
        try
        {
            string from = Path.Combine(Data, "node", "test_add");
            Directory.CreateDirectory(Path.Combine(folder, "test_add", "test_data_set_0"));
            foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
            {
                File.Copy(file, Path.Combine(folder, "test_add", Path.GetRelativePath(from, file)));
            }

            string data = Path.Combine(folder, "test_add", "test_data_set_0");
            Assert.That(OnnxCase.In(folder).Single().Run().Status, Is.EqualTo("passed"));
            File.Copy(Path.Combine(data, "input_0.pb"), Path.Combine(data, "output_0.pb"), overwrite: true);
            OnnxCaseResult result = OnnxCase.In(folder).Single().Run();
            Assert.That(result.Status, Is.EqualTo("failed"));
            Assert.That(result.Reason, Does.Contain("output 0 'sum': expected").And.Contain(", got "));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
