using System.Diagnostics.CodeAnalysis;
using FastNN.Formats;

namespace FastNN.Tests.Formats;

public sealed class AtomicFileTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("fastnn-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void A_failure_in_the_midst_leaves_the_old_file_and_nothing_else()
    {
        string path = Path.Combine(_folder, "a.bin");
        AtomicFile.Write(path, stream => stream.Write("old"u8));
        Assert.That(
            () => AtomicFile.Write(path, stream =>
            {
                stream.Write("half"u8);
                throw new InvalidOperationException("stop");
            }),
            Throws.InvalidOperationException.With.Message.EqualTo("stop"));
        Assert.That(File.ReadAllText(path), Is.EqualTo("old"));
        Assert.That(Directory.GetFileSystemEntries(_folder), Is.EqualTo(new[] { path }));
    }

    [Test]
    public void A_complete_file_replaces_the_old_one()
    {
        string path = Path.Combine(_folder, "a.bin");
        AtomicFile.Write(path, stream => stream.Write("a long old content"u8));
        AtomicFile.Write(path, stream => stream.Write("new"u8));
        Assert.That(File.ReadAllText(path), Is.EqualTo("new"));
        Assert.That(Directory.GetFileSystemEntries(_folder), Is.EqualTo(new[] { path }));
    }

    [Test]
    public void A_place_that_cannot_be_written_is_named()
    {
        string file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        foreach (string path in (string[])[Path.Combine(_folder, "none", "a.bin"), _folder, Path.Combine(file, "a.bin")])
        {
            Assert.That(
                () => AtomicFile.Write(path, _ => Assert.Fail("the body must not run")),
                Throws.InstanceOf<IOException>().With.Message.Contains($"cannot write '{path}'"));
        }
    }

    [Test]
    [SuppressMessage("Interoperability", "CA1416", Justification = "Left out on Windows.")]
    [Platform(Exclude = "Win", Reason = "Unix permissions")]
    public void A_folder_without_permission_is_named()
    {
        if (Environment.IsPrivilegedProcess)
            Assert.Ignore("permissions do not bind a privileged process");
        File.SetUnixFileMode(_folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            Assert.That(
                () => AtomicFile.Write(Path.Combine(_folder, "a.bin"), _ => { }),
                Throws.InstanceOf<IOException>().With.Message.Contains("no permission"));
        }
        finally
        {
            File.SetUnixFileMode(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
