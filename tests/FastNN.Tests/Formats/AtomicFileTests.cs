using System.Diagnostics.CodeAnalysis;
using FastNN.Formats;

namespace FastNN.Tests.Formats;

public sealed class AtomicFileTests : FolderFixture
{
    [Test]
    public void A_failure_in_the_midst_leaves_the_old_file_and_nothing_else()
    {
        string path = Path.Combine(Folder, "a.bin");
        AtomicFile.Write(path, stream => stream.Write("old"u8));
        Assert.That(
            () => AtomicFile.Write(path, stream =>
            {
                stream.Write("half"u8);
                throw new InvalidOperationException("stop");
            }),
            Throws.InvalidOperationException.With.Message.EqualTo("stop"));
        Assert.That(File.ReadAllText(path), Is.EqualTo("old"));
        Assert.That(Directory.GetFileSystemEntries(Folder), Is.EqualTo(new[] { path }));
    }

    [Test]
    public void A_complete_file_replaces_the_old_one()
    {
        string path = Path.Combine(Folder, "a.bin");
        AtomicFile.Write(path, stream => stream.Write("a long old content"u8));
        AtomicFile.Write(path, stream => stream.Write("new"u8));
        Assert.That(File.ReadAllText(path), Is.EqualTo("new"));
        Assert.That(Directory.GetFileSystemEntries(Folder), Is.EqualTo(new[] { path }));
    }

    [Test]
    public void A_place_that_cannot_be_written_is_named()
    {
        string file = Path.Combine(Folder, "file");
        File.WriteAllText(file, "");
        foreach (string path in (string[])[Path.Combine(Folder, "none", "a.bin"), Folder, Path.Combine(file, "a.bin")])
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
        File.SetUnixFileMode(Folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            Assert.That(
                () => AtomicFile.Write(Path.Combine(Folder, "a.bin"), _ => { }),
                Throws.InstanceOf<IOException>().With.Message.Contains("no permission"));
        }
        finally
        {
            File.SetUnixFileMode(Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Test]
    [SuppressMessage("Interoperability", "CA1416", Justification = "Left out on Windows.")]
    [Platform(Exclude = "Win", Reason = "Unix permissions")]
    public void A_replaced_file_keeps_its_mode()
    {
        string path = Path.Combine(Folder, "secret.bin");
        File.WriteAllText(path, "old");
        foreach (UnixFileMode mode in (UnixFileMode[])[
            UnixFileMode.UserRead | UnixFileMode.UserWrite, (UnixFileMode)0b110_110_100])
        {
            File.SetUnixFileMode(path, mode);
            AtomicFile.Write(path, stream => stream.Write("new"u8));
            Assert.That(File.GetUnixFileMode(path), Is.EqualTo(mode));
        }
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "symbolic links need a privilege there")]
    public void A_symbolic_link_stays_and_what_it_leads_to_is_replaced()
    {
        string elsewhere = Directory.CreateDirectory(Path.Combine(Folder, "elsewhere")).FullName;
        string target = Path.Combine(elsewhere, "target.bin");
        string link = Path.Combine(Folder, "link.bin");
        File.CreateSymbolicLink(link, Path.Combine("elsewhere", "target.bin"));
        foreach (string content in (string[])["first", "second"])
        {
            AtomicFile.Write(link, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(content)));
            Assert.That(File.ReadAllText(target), Is.EqualTo(content));
            Assert.That(new FileInfo(link).LinkTarget, Is.EqualTo(Path.Combine("elsewhere", "target.bin")));
        }

        Assert.That(Directory.GetFileSystemEntries(elsewhere), Is.EqualTo(new[] { target }));
        Assert.That(Directory.GetFiles(Folder), Is.EqualTo(new[] { link }));
    }

    [Test]
    [Platform("Linux", Reason = "kinds of files")]
    public void A_pipe_a_device_and_a_loop_of_links_are_refused_by_name_and_stay()
    {
        string pipe = SpecialFile.Pipe(Folder);
        string loop = Path.Combine(Folder, "loop");
        File.CreateSymbolicLink(loop, loop);
        foreach ((string path, string reason) in ((string, string)[])[
            (pipe, "named pipe"), ("/dev/null", "character device"), (loop, "loop")])
        {
            Assert.That(
                () => AtomicFile.Write(path, _ => Assert.Fail("the body must not run")),
                Throws.InstanceOf<IOException>().With.Message.Contains($"cannot write '{path}'"), reason);
        }

        Assert.That(FileKind.Obstacle(pipe), Is.EqualTo("a named pipe (FIFO)"));
        Assert.That(FileKind.Obstacle("/dev/null"), Is.EqualTo("a character device"));
    }

    [Test]
    public void Temporary_files_of_killed_writers_go_and_those_of_living_ones_stay()
    {
        string orphan = Path.Combine(Folder, $".{Guid.NewGuid():N}.fastnn-tmp");
        string fresh = Path.Combine(Folder, $".{Guid.NewGuid():N}.fastnn-tmp");
        string foreign = Path.Combine(Folder, ".foreign.tmp");
        foreach (string file in (string[])[orphan, foreign, fresh])
        {
            File.WriteAllText(file, "half");
        }

        foreach (string file in (string[])[orphan, foreign])
        {
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours(-1));
        }

        string other = Path.Combine(Folder, "other.bin");
        AtomicFile.Write(other, stream =>
        {
            stream.Write("slow"u8);
            stream.Flush();
            string own = Directory.GetFiles(Folder, ".*.fastnn-tmp").Single(file => file != fresh);
            File.SetLastWriteTimeUtc(own, DateTime.UtcNow.AddHours(-1));
            AtomicFile.Write(Path.Combine(Folder, "a.bin"), inner => inner.Write("quick"u8));
            Assert.That(own, Does.Exist, "its writer is alive");
        });
        Assert.That(File.ReadAllText(other), Is.EqualTo("slow"));
        Assert.That(orphan, Does.Not.Exist);
        Assert.That(foreign, Does.Exist);
        Assert.That(fresh, Does.Exist);
    }

    [Test]
    [Platform("Linux", Reason = "folders cannot be synchronized elsewhere")]
    public void A_folder_is_synchronized_and_a_missing_one_named()
    {
        Assert.That(() => Posix.SynchronizeFolder(Folder), Throws.Nothing);
        string missing = Path.Combine(Folder, "none");
        Assert.That(() => Posix.SynchronizeFolder(missing), Throws.InstanceOf<IOException>().With.Message.Contains(missing));
    }
}
