using FastNN.Data;
using FastNN.Formats;
using FastNN.Tests.Formats;

namespace FastNN.Tests.Data;

/// <summary>Paths that name no regular files: no reader opens them, which for a named pipe would wait for ever.</summary>
[Platform("Linux", Reason = "kinds of files")]
public sealed class SpecialFileTests : FolderFixture
{
    private static readonly Dictionary<string, Action<string>> Readers = new()
    {
        ["safetensors"] = path => SafetensorsReader.Open(path).Dispose(),
        ["idx"] = path => IdxFile.Read(path),
        ["idx dataset"] = path => IdxDataset.Load(path, path, ["a"]),
        ["csv"] = path => CsvDataset.Load(path),
        ["cifar"] = path => Cifar10.LoadFiles(path),
        ["weights"] = path =>
        {
            var model = new Sequential(new Dense(1));
            model.Build(new Shape(1));
            model.LoadWeights(path);
        },
    };

    private static IEnumerable<string> Names => Readers.Keys;

    [TestCaseSource(nameof(Names))]
    public void A_reader_refuses_whatever_is_no_regular_file(string reader)
    {
        string link = Path.Combine(Folder, "link");
        string pipe = SpecialFile.Pipe(Folder);
        File.CreateSymbolicLink(link, pipe);
        foreach ((string path, string kind) in ((string, string)[])
            [
                (pipe, "a named pipe (FIFO)"), (link, "a named pipe (FIFO)"), ("/dev/zero", "a character device"),
                ("/dev/full", "a character device"), (Folder, "a folder")])
        {
            Task task = Task.Run(() => Readers[reader](path));
            Assert.That(Task.WhenAny(task, Task.Delay(TimeSpan.FromSeconds(20))).Result, Is.SameAs(task), $"{path} hangs");
            Assert.That(
                task.Exception?.InnerException,
                Is.InstanceOf<IOException>().With.Message.StartWith($"cannot read '{path}': it is {kind}"));
        }
    }
}
