using System.Buffers.Binary;
using System.IO.Compression;
using FastNN.Data;
using FastNN.Tests.Formats;

namespace FastNN.Tests.Data;

public sealed class IdxTests
{
    [Test]
    public void Bytes_come_back_plain_and_compressed([Values] bool compressed)
    {
        byte[] file = Idx(IdxType.UInt8, [2, 2, 3], [.. Enumerable.Range(0, 12).Select(i => (byte)(i * 20))]);
        IdxFile idx = Read(compressed ? Gzip(file) : file);
        Assert.That(idx.Type, Is.EqualTo(IdxType.UInt8));
        Assert.That(idx.Shape.ToArray(), Is.EqualTo(new[] { 2, 2, 3 }));
        Assert.That(idx.Elements<byte>().ToArray(), Is.EqualTo(file[16..]));
        Assert.That(() => idx.Elements<float>(), Throws.InvalidOperationException);
    }

    [Test]
    public void Every_type_is_read_in_host_order()
    {
        Assert.That(Read(Idx(IdxType.Int8, [2], [0xFF, 5])).Elements<sbyte>().ToArray(), Is.EqualTo(new sbyte[] { -1, 5 }));
        Assert.That(Read(Idx(IdxType.Int16, [1], [0xFF, 0xFE])).Elements<short>().ToArray(), Is.EqualTo(new short[] { -2 }));
        Assert.That(Read(Idx(IdxType.Int32, [1], [0, 1, 0, 0])).Elements<int>().ToArray(), Is.EqualTo(new[] { 65536 }));
        Assert.That(
            Read(Idx(IdxType.Float32, [1], [0x40, 0x49, 0x0F, 0xDB])).Elements<float>().ToArray(),
            Is.EqualTo(new[] { MathF.PI }));
        IdxFile doubles = Read(Idx(IdxType.Float64, [1], [0x40, 0x09, 0x21, 0xFB, 0x54, 0x44, 0x2D, 0x18]));
        Assert.That(doubles.Elements<double>().ToArray(), Is.EqualTo(new[] { Math.PI }));
        var singles = new float[1];
        doubles.CopyTo(singles);
        Assert.That(singles[0], Is.EqualTo(MathF.PI));
    }

    [TestCase("01000803", 0, "IDX magic number")]
    [TestCase("00000703", 2, "IDX type")]
    [TestCase("00000800", 3, "rank")]
    [TestCase("000008FF", 3, "rank")]
    [TestCase("0000", 2, "the end of the file")]
    [TestCase("00000801", 4, "size 1 of 1")]
    [TestCase("0000080100000000", 4, "got 0")]
    [TestCase("0000080180000000", 4, "got 2147483648")]
    [TestCase("000008010000000402", 9, "4 bytes of UInt8[4] from offset 8, got the end")]
    [TestCase("0000080100000001020304", 9, "got more bytes")]
    [TestCase("000008037FFFFFFF7FFFFFFF7FFFFFFF00", 4, "declared sizes")]
    [TestCase("000008017FFFFFC700", 9, "the end of the file")]
    [TestCase("00000D010000000100000000", -1, "")]
    [TestCase("00000D01000000023F8000007FC00000", 12, "got NaN")]
    [TestCase("00000E01000000017FF0000000000000", 8, "a finite number")]
    public void A_malformed_file_is_refused_at_its_fault(string hex, int offset, string message)
    {
        byte[] file = Convert.FromHexString(hex);
        if (offset < 0)
        {
            Assert.That(() => Read(file), Throws.Nothing);
            return;
        }

        Assert.That(() => Read(file), Throws.TypeOf<FileFormatException>()
            .With.Property(nameof(FileFormatException.Offset)).EqualTo(offset).And.Message.Contains(message));
        Assert.That(
            () => Read(Gzip(file)),
            Throws.TypeOf<FileFormatException>().With.Message.Contains(message).Or.Message.Contains("maxBytes"));
        Assert.That(Mutations.ReadsOrRefuses(file, Load, 64 << 10), Is.False);
        Assert.That(Mutations.ReadsOrRefuses(Gzip(file), Load, 64 << 10), Is.False);
    }

    [Test]
    public void A_bomb_is_refused_without_its_memory()
    {
        // 16 MB of zeros in 16 KB of gzip, and a header that declares a little less or more than there is.
        foreach (int declared in (int[])[1000, (16 << 20) - 1, (16 << 20) + 1, 2_000_000_000])
        {
            byte[] header = Idx(IdxType.UInt8, [declared], []);
            Assert.That(Mutations.ReadsOrRefuses(Gzip([.. header, .. new byte[16 << 20]]), Load, 128 << 10), Is.False);
        }
    }

    [Test]
    public void A_consistent_gzip_file_expands_as_far_as_is_allowed()
    {
        const int Size = 80_000_000;
        byte[] file = Gzip([.. Idx(IdxType.UInt8, [Size], []), .. new byte[Size]]);
        Assert.That(Mutations.ReadsOrRefuses(file, Load, 128 << 10), Is.False, "a thousand times its size");
        Assert.That(
            () => IdxFile.Read(new MemoryStream(file), maxBytes: Size),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("maxBytes"));
        Assert.That(IdxFile.Read(new MemoryStream(file), maxBytes: Size + 8).Count, Is.EqualTo(Size));
    }

    [Test]
    public void A_stream_that_cannot_seek_is_read()
    {
        byte[] file = Idx(IdxType.UInt8, [5000], new byte[5000]);
        Assert.That(IdxFile.Read(new PipeStream(file)).Count, Is.EqualTo(5000));
        Assert.That(IdxFile.Read(new PipeStream(Gzip(file))).Count, Is.EqualTo(5000));
        Assert.That(() => IdxFile.Read(new PipeStream(file[..^1]), "pipe"), Refused("pipe: "));
    }

    [Test]
    public void A_damaged_gzip_stream_is_refused()
    {
        byte[] file = Gzip(Idx(IdxType.UInt8, [5000], [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * i))]));
        file[file.Length / 2] ^= 0x55;
        Assert.That(() => Read(file), Throws.TypeOf<FileFormatException>());
        Assert.That(() => Read([0x1F, 0x8B]), Throws.TypeOf<FileFormatException>());
    }

    [Test]
    public void Any_damage_is_read_or_refused()
    {
        Mutations.Check(Idx(IdxType.UInt8, [10, 5, 4], new byte[200]), Load, 2000, length => (64 << 10) + (2 * length));
        Mutations.Check(
            Idx(IdxType.Float32, [5, 2], [.. Enumerable.Repeat((byte)0x3F, 40)]), Load, 2000,
            length => (64 << 10) + (2 * length));
        Mutations.Check(Gzip(Idx(IdxType.Int16, [10, 30], new byte[600])), Load, 2000, length => (128 << 10) + (2000 * length));
    }

    [Test]
    public void Images_and_labels_become_a_dataset()
    {
        Dataset data = Combine(Idx(IdxType.UInt8, [2, 1, 2], [0, 51, 102, 255]), Idx(IdxType.UInt8, [2], [1, 0]));
        Assert.That(data.ExampleShape.ToArray(), Is.EqualTo(new[] { 1, 2, 1 }));
        Assert.That((data.LabelOf(0), data.LabelOf(1)), Is.EqualTo((1, 0)));
        var features = new float[2];
        data.CopyFeatures(1, features);
        Assert.That(features, Is.EqualTo(new[] { 102 * (1f / 255), 255 * (1f / 255) }));
    }

    [Test]
    public void Images_and_labels_that_do_not_fit_are_refused()
    {
        byte[] images = Idx(IdxType.UInt8, [2, 1, 2], [0, 51, 102, 255]);
        byte[] labels = Idx(IdxType.UInt8, [2], [1, 0]);
        Assert.That(() => Combine(images, Idx(IdxType.UInt8, [3], [0, 0, 0])), Refused("2 labels").And.Message.Contains("got 3"));
        Assert.That(
            () => Combine(images, Idx(IdxType.UInt8, [2], [0, 2])),
            Refused("a label from 0 to 1").And.Property("Offset").EqualTo(9));
        Assert.That(() => Combine(labels, labels), Refused("images (type 08, rank 3 or 4)"));
        Assert.That(() => Combine(images, images), Refused("labels (type 08, rank 1)"));
    }

    internal static byte[] Idx(IdxType type, int[] shape, byte[] data)
    {
        var file = new byte[4 + (4 * shape.Length) + data.Length];
        file[2] = (byte)type;
        file[3] = (byte)shape.Length;
        for (int i = 0; i < shape.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(4 + (4 * i)), shape[i]);
        data.CopyTo(file, 4 + (4 * shape.Length));
        return file;
    }

    internal static byte[] Gzip(byte[] content)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Optimal))
            gzip.Write(content);
        return stream.ToArray();
    }

    private static NUnit.Framework.Constraints.ContainsConstraint Refused(string message) =>
        Throws.TypeOf<FileFormatException>().With.Message.Contains(message);

    private static IdxFile Read(byte[] file) => IdxFile.Read(new MemoryStream(file), "test.idx");

    private static void Load(Stream stream, string name) => IdxFile.Read(stream, name);

    private static Dataset Combine(byte[] images, byte[] labels) =>
        IdxDataset.Combine(Read(images), Read(labels), ["no", "yes"]);
}
