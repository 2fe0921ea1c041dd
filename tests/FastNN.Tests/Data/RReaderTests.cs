using System.Buffers.Binary;
using System.IO.Compression;
using FastNN.Data;

namespace FastNN.Tests.Data;

public sealed class RReaderTests : FolderFixture
{
    private const string Xz =
        "/Td6WFoAAAFpIt42AgAhARwAAAAQz1jM4ABIADddACkRB1RoEeRuUsqgM8UkXrtrnNeLUzcP1dKbshUqBwT4yAjz5XAYstpBJRZ8GzrOImvOsRDTeAAAALFBkIAA"
        + "AU9J1R9nWJBCmQ0BAAAAAAFZWg==";

    private const string BZip2 =
        "QlpoOTFBWSZTWXM4yewAAB5egP8xAAIIQMUAFkAAQEABIABUU0aANAD1BiQg2ppoG0lIa9N3m6EIi6AGlWdDhFTTEyRjpvZd6j7Gc8wLgfF3JFOFCQczjJ7A";

    // LZMA2 without a container, preset 6e, as R's databases hold it.
    private const string Lzma2 = "4AAuACRdACwCfBn5r/QdO56YNX7q0PQhTbNFUsTBADfJeQPcWVJwBwWxVwA=";

    // An xz stream whose header asks for a dictionary of 1 GiB.
    private const string LargeDictionary =
        "/Td6WFoAAATm1rRGAgAhASQAAABeH8f54ABSAEJdACqAPkjdIFyiWysKT9WuX2ioPBzEzHW/lrZ5pwmYiZBOKFg8uWZMG/a8diQ1XE9W77jybUuB2oPA1Y1YmPFw"
        + "F+NoAAAAAEkGBuMG27y0AAFeU7/F3PYftvN9AQAAAAAEWVo=";

    [Test]
    public void A_table_has_columns_of_numbers_texts_and_factors()
    {
        RTable table = RTable.From(Read(Example()), "x");
        Assert.That(table.Names, Is.EqualTo(new[] { "whole", "real", "text", "kind" }));
        Assert.That(table.Rows, Is.EqualTo(2));
        Assert.That(table.Numbers("whole"), Is.EqualTo(new[] { 3.0, double.NaN }));
        Assert.That(table.Cells("whole"), Is.EqualTo(new[] { "3", null }));
        Assert.That(table.Cells("real"), Is.EqualTo(new[] { "0.1", "1E+300" }));
        Assert.That(table.Cells("text"), Is.EqualTo(new[] { "žluť", null }));
        Assert.That(table.Cells("kind"), Is.EqualTo(new[] { "b", "a" }));
        Assert.That(() => table.Numbers("kind"), Throws.TypeOf<FileFormatException>());
        Assert.That(() => table.Cells("none"), Throws.TypeOf<FileFormatException>().With.Message.Contains("whole, real"));
        Assert.That(() => RTable.From(Read(RBytes.Value(bytes => bytes.Numbers(1))), "x"), Throws.TypeOf<FileFormatException>());
    }

    [Test]
    public void Texts_are_decoded_as_they_are_marked()
    {
        RValue latin = Read(RBytes.Value(bytes => bytes.Int(16).Int(2).Text("café", latin1: true).Text("café")));
        Assert.That(((RText)latin).Values, Is.EqualTo(new[] { "café", "café" }));
        byte[] wrong = RBytes.Value(bytes => bytes.Int(16).Int(1).Text("é"));
        wrong[^1] = (byte)'x';
        Assert.That(() => Read(wrong), Throws.TypeOf<FileFormatException>().With.Message.Contains("UTF-8"));
    }

    [Test]
    public void Both_versions_and_references_are_read()
    {
        byte[] old = RBytes.Value(bytes => bytes.Int(19).Int(2).Symbol("name").Int((1 << 8) | 255), version: 2);
        var list = (RList)Read(old);
        Assert.That(((RSymbol)list.Values[1]).Name, Is.EqualTo("name"));
        Assert.That(list.Values[1], Is.SameAs(list.Values[0]));
        Assert.That(
            () => Read(RBytes.Value(bytes => bytes.Int((7 << 8) | 255))),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("reference"));
    }

    [Test]
    public void Compact_vectors_become_vectors()
    {
        RValue sequence = Read(RBytes.Value(bytes => bytes.Compact("compact_intseq", state => state.Numbers(4, 7, -1))));
        Assert.That(((RIntegers)sequence).Values, Is.EqualTo(new[] { 7, 6, 5, 4 }));
        RValue real = Read(RBytes.Value(bytes => bytes.Compact("compact_realseq", state => state.Numbers(2, 1, 1))));
        Assert.That(((RNumbers)real).Values, Is.EqualTo(new[] { 1.0, 2 }));

        // The state is a pair, whose second half is no chain.
        RValue texts = Read(RBytes.Value(bytes => bytes.Compact(
            "deferred_string", state => state.Int(2).Integers(5, int.MinValue).Integers(0))));
        Assert.That(((RText)texts).Values, Is.EqualTo(new[] { "5", null }));
        RValue wrapped = Read(RBytes.Value(bytes => bytes.Compact(
            "wrap_real", state => state.Int(2).Numbers(2.5).Integers(0, 1))));
        Assert.That(((RNumbers)wrapped).Values, Is.EqualTo(new[] { 2.5 }));

        foreach (double[] state in (double[][])
            [[1e9, 1, 1], [-1, 1, 1], [3, 1, 2], [2, double.NaN, 1], [2, 1e10, 1], [65_537, 1, 1]])
        {
            Assert.That(
                () => Read(RBytes.Value(bytes => bytes.Compact("compact_intseq", inner => inner.Numbers(state)))),
                Throws.TypeOf<FileFormatException>().With.Message.Contains("sequence"));
        }

        Assert.That(
            () => Read(RBytes.Value(bytes => bytes.Compact("mmap_real", state => state.Numbers(1)))),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("mmap_real"));
    }

    [Test]
    public void A_small_file_cannot_ask_for_much()
    {
        // A hundred sequences, each within its limit.
        byte[] many = RBytes.Value(bytes =>
        {
            bytes.Int(19).Int(100);
            for (int i = 0; i < 100; i++)
            {
                bytes.Compact("compact_intseq", state => state.Numbers(1_000, 1, 1));
            }
        });
        Assert.That(() => Read(many), Throws.TypeOf<FileFormatException>().With.Message.Contains("compact form"));
        foreach (int type in (int[])[10, 13, 14, 15, 16, 19, 20, 24])
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.That(
                () => Read(RBytes.Value(bytes => bytes.Int(type).Int(int.MaxValue))),
                Throws.TypeOf<FileFormatException>().With.Message.Contains("elements"));
            Assert.That(
                () => Read(RBytes.Value(bytes => bytes.Int(type).Int(-3))), Throws.TypeOf<FileFormatException>());
            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 16));
        }

        byte[] deep = RBytes.Value(bytes =>
        {
            for (int i = 0; i < 100_000; i++)
            {
                bytes.Int(19).Int(1);
            }
        });
        Assert.That(() => Read(deep), Throws.TypeOf<FileFormatException>().With.Message.Contains("nested"));
    }

    [Test]
    public void What_is_cut_off_or_of_another_format_is_refused()
    {
        byte[] whole = Example();
        for (int length = 0; length < whole.Length; length++)
        {
            byte[] cut = whole[..length];
            Assert.That(() => Read(cut), Throws.TypeOf<FileFormatException>(), $"{length} bytes");
        }

        Assert.That(() => Read("A\n3\n"u8.ToArray()), Throws.TypeOf<FileFormatException>().With.Message.Contains("XDR"));
        Assert.That(() => Read(RBytes.Value(_ => { }, version: 4)), Throws.TypeOf<FileFormatException>());
        Assert.That(() => Read(RBytes.Value(bytes => bytes.Int(21))), Throws.TypeOf<FileFormatException>());
    }

    [TestCase("plain")]
    [TestCase("gzip")]
    [TestCase("bzip2")]
    [TestCase("xz")]
    public void Files_may_be_compressed(string compression)
    {
        byte[] plain = RBytes.File(("x", bytes => bytes.Numbers(1, 2)));
        byte[] file = compression switch
        {
            "gzip" => IdxTests.Gzip(plain),
            "bzip2" => Convert.FromBase64String(BZip2),
            "xz" => Convert.FromBase64String(Xz),
            _ => plain,
        };
        string path = Write("x.rda", file);
        Assert.That(((RNumbers)RFile.Read(path, "x")).Values, Is.EqualTo(new[] { 1.0, 2 }));
        Assert.That(() => RFile.Read(path, "y"), Throws.TypeOf<FileFormatException>().With.Message.Contains("'y'"));
        for (int length = 0; length < file.Length; length++)
        {
            Write("x.rda", file[..length]);
            Assert.That(() => RFile.Read(path, "x"), Throws.TypeOf<FileFormatException>(), $"{length} bytes");
        }
    }

    [Test]
    public void An_xz_stream_that_asks_for_much_memory_is_refused()
    {
        string path = Write("x.rda", Convert.FromBase64String(LargeDictionary));
        Assert.That(() => RFile.Read(path, "x"), Throws.TypeOf<FileFormatException>().With.Message.Contains("dictionary"));
    }

    [TestCase(1)]
    [TestCase(3)]
    public void A_database_gives_values_by_name(int compression)
    {
        byte[] value = RBytes.Value(bytes => bytes.Numbers(1, 2));
        byte[] packed = [.. compression == 1 ? Zlib(value) : [(byte)'Z', .. Convert.FromBase64String(Lzma2)]];
        var size = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(size, value.Length);
        Write("Rdata.rdb", [1, 2, 3, .. size, .. packed]);
        byte[] Index(int length) => RBytes.Value(bytes => bytes.Int(19 | (1 << 9)).Int(2)
            .Int(19 | (1 << 9)).Int(1).Integers(3, length).Pairs(("names", names => names.Texts("x")))
            .Integers(compression).Pairs(("names", names => names.Texts("variables", "compressed"))));
        Write("Rdata.rdx", IdxTests.Gzip(Index(4 + packed.Length)));
        string path = Path.Combine(Folder, "Rdata");
        Assert.That(((RNumbers)RDatabase.Read(path, "x")).Values, Is.EqualTo(new[] { 1.0, 2 }));
        Assert.That(() => RDatabase.Read(path, "y"), Throws.TypeOf<FileFormatException>().With.Message.Contains("'y'"));

        foreach (int length in (int[])[0, 4, 5, packed.Length, 5000, -1, int.MaxValue])
        {
            Write("Rdata.rdx", Index(length));
            Assert.That(() => RDatabase.Read(path, "x"), Throws.TypeOf<FileFormatException>(), $"{length} bytes");
        }
    }

    private static RValue Read(byte[] content) => new RReader(content, "x").Read();

    private static byte[] Example() => RBytes.Value(bytes => bytes.Table(
        ("whole", column => column.Integers(3, int.MinValue)),
        ("real", column => column.Numbers(0.1, 1e300)),
        ("text", column => column.Texts("žluť", null)),
        ("kind", column => column.Factor(["a", "b"], 2, 1))));

    private static byte[] Zlib(byte[] content)
    {
        using var bytes = new MemoryStream();
        using (var zlib = new ZLibStream(bytes, CompressionLevel.Fastest))
        {
            zlib.Write(content);
        }

        return bytes.ToArray();
    }

    private string Write(string name, byte[] content)
    {
        string path = Path.Combine(Folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
