using System.Text;
using FastNN.Formats;
using FsCheck;
using FsCheck.Fluent;

namespace FastNN.Tests.Formats;

public sealed class SafetensorsTests : FolderFixture
{
    [Test]
    public void Every_written_type_comes_back()
    {
        string path = Path.Combine(Folder, "all.safetensors");
        Sample().Save(path);

        using SafetensorsReader file = SafetensorsReader.Open(path);
        Assert.That(
            file.Metadata, Is.EquivalentTo(new Dictionary<string, string> { ["format"] = "pt", ["ünï"] = "\"quoted\"\n" }));
        Assert.That(
            file.ReadSingles("weight"), Is.EqualTo(new[] { 1.5f, float.NaN, float.NegativeInfinity, -0f, float.Epsilon, 3 }));
        Assert.That(file.Find("weight").Shape.ToArray(), Is.EqualTo(new[] { 2, 3 }));
        Assert.That(file.ReadSingles("double"), Is.EqualTo(new[] { (float)Math.PI }));
        Assert.That(file.Find("double").Shape.Length, Is.Zero);
        var doubles = new double[1];
        file.Read(file.Find("double"), doubles);
        Assert.That(doubles[0], Is.EqualTo(Math.PI));
        Assert.That(file.ReadInt64s("steps"), Is.EqualTo(new[] { long.MinValue, long.MaxValue }));
        Assert.That(file.ReadInt64s("labels"), Is.EqualTo(new long[] { -1, int.MaxValue, 0 }));
        Assert.That(file.ReadInt64s("mask"), Is.EqualTo(new long[] { 0, 255, 1 }));
        Assert.That(file.ReadSingles("empty"), Is.Empty);
        Assert.That(file.Find("empty").Shape.ToArray(), Is.EqualTo(new[] { 0, 5 }));
    }

    [Test]
    public void The_same_content_gives_the_same_bytes_in_any_order()
    {
        var one = new SafetensorsWriter();
        one.Add("b", [2], new float[] { 1, 2 });
        one.Add("a", [1], new long[] { 3 });
        one.SetMetadata("y", "1");
        one.SetMetadata("x", "2");
        var other = new SafetensorsWriter();
        other.SetMetadata("x", "2");
        other.Add("a", [1], new long[] { 3 });
        other.SetMetadata("y", "1");
        other.Add("b", [2], new float[] { 1, 2 });

        Assert.That(Bytes(other), Is.EqualTo(Bytes(one)));
        string text = Encoding.ASCII.GetString(Bytes(one), 8, 150);
        Assert.That(text, Does.StartWith(
            """{"__metadata__":{"x":"2","y":"1"},"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"""));
        Assert.That(BitConverter.ToUInt64(Bytes(one)) % 8, Is.Zero);
    }

    [Test]
    public void Long_tensors_stream_through_a_source_in_pieces()
    {
        const int Count = 100_003;
        var writer = new SafetensorsWriter();
        long expected = 0;
        writer.Add("x", SafetensorsType.F32, [Count], (first, destination) =>
        {
            Assert.That(first, Is.EqualTo(expected));
            expected += destination.Length;
            for (int i = 0; i < destination.Length; i += 4)
                BitConverter.TryWriteBytes(destination[i..], (float)((first + i) / 4));
        });
        string path = Path.Combine(Folder, "x.safetensors");
        writer.Save(path);
        using SafetensorsReader file = SafetensorsReader.Open(path);
        Assert.That(file.ReadSingles("x"), Is.EqualTo(Enumerable.Range(0, Count).Select(i => (float)i)));
    }

    [Test]
    public void Narrow_and_unaligned_types_are_read()
    {
        byte[] data = [1, 0x00, 0x3C, 0x00, 0xC0, 0x80, 0x3F, 0x00, 0x00, 0x80, 0x3F];
        using SafetensorsReader file = Open(Raw(
            """
            {"b":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]},"h":{"dtype":"F16","shape":[2],"data_offsets":[1,5]},
            "u":{"dtype":"BF16","shape":[1],"data_offsets":[5,7]},"f":{"dtype":"F32","shape":[],"data_offsets":[7,11]}}
            """,
            data));
        Assert.That(file.ReadSingles("b"), Is.EqualTo(new[] { 1f }));
        Assert.That(file.ReadSingles("h"), Is.EqualTo(new[] { 1f, -2f }));
        Assert.That(file.ReadSingles("u"), Is.EqualTo(new[] { 1f }));
        Assert.That(file.ReadSingles("f"), Is.EqualTo(new[] { 1f }));
        Assert.That(file.Tensors.Select(t => t.Name), Is.EqualTo(new[] { "b", "h", "u", "f" }));
    }

    [TestCase("linear_00_b4_8to6", "weight", new[] { 6, 8 })]
    [TestCase("cross_entropy_00_mean", "loss", new int[0])]
    public void Files_of_another_writer_are_read(string name, string tensor, int[] shape)
    {
        using SafetensorsReader file = SafetensorsReader.Open(
            Path.Combine(TestContext.CurrentContext.TestDirectory, "Formats", $"{name}.safetensors"));
        Assert.That(file.Metadata.Keys, Does.Contain("op"));
        Assert.That(file.Find(tensor).Shape.ToArray(), Is.EqualTo(shape));
        Assert.That(file.ReadSingles(tensor), Has.All.Matches<float>(float.IsFinite));
        if (file.Contains("y"))
        {
            // x [4, 8] times weight^T [8, 6] plus bias is y: names, offsets and values belong together.
            float[] x = file.ReadSingles("x"), w = file.ReadSingles("weight"), bias = file.ReadSingles("bias"),
            y = file.ReadSingles("y");
            for (int i = 0; i < 24; i++)
            {
                double sum = bias[i % 6];
                for (int k = 0; k < 8; k++)
                    sum += x[(i / 6 * 8) + k] * (double)w[(i % 6 * 8) + k];
                Assert.That(y[i], Is.EqualTo(sum).Within(1e-5));
            }
        }
    }

    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, ExpectedResult = "")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9,
        ExpectedResult = "the end of the file, got 1 bytes more")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, ExpectedResult = "the end of the file after 7")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}}""", 12, ExpectedResult = "8 bytes for 'a' F32[2]")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, ExpectedResult = "begin <= end")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}""", 8, ExpectedResult = "[begin, end]")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}}""", 8, ExpectedResult = "[begin, end]")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, ExpectedResult = "leaves a hole")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12,
        ExpectedResult = "overlaps")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8,
        ExpectedResult = "overlaps")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}""", 16,
        ExpectedResult = "each tensor once")]
    [TestCase(
        """{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, ExpectedResult = "one of them twice")]
    [TestCase("""{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}""", 8, ExpectedResult = "'C64'")]
    [TestCase("""{"a":{"dtype":7,"shape":[1],"data_offsets":[0,8]}}""", 8, ExpectedResult = "a string as dtype")]
    [TestCase("""{"a":{"dtype":"F32","data_offsets":[0,8]}}""", 8, ExpectedResult = "lacks one of them")]
    [TestCase("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, ExpectedResult = "got -2")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8, ExpectedResult = "got 2.5")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,8]}}""", 8,
        ExpectedResult = "below 2^63")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", 0, ExpectedResult = "got 4294967296")]
    [TestCase("""{"a":[]}""", 0, ExpectedResult = "an object for tensor 'a'")]
    [TestCase("""{"__metadata__":{"k":1}}""", 0, ExpectedResult = "a string as metadata 'k'")]
    [TestCase("""{"__metadata__":{"k":"1","k":"2"}}""", 0, ExpectedResult = "each metadata key once")]
    [TestCase("""{"__metadata__":{},"__metadata__":{}}""", 0, ExpectedResult = "one __metadata__")]
    [TestCase(
        """{"__metadata__":{"k":{"k":{"k":{"k":{"k":{"k":{"k":{"k":{}}}}}}}}}}""", 0, ExpectedResult = "a string as metadata")]
    [TestCase("""{"a":{"x":[[[[[[[[[]]]]]]]]]}}""", 0, ExpectedResult = "a JSON header")]
    [TestCase("""{"\ud800":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", 0, ExpectedResult = "expected text")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} x""", 8, ExpectedResult = "a JSON header")]
    [TestCase("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""", 8, ExpectedResult = "a JSON header")]
    [TestCase("""[]""", 0, ExpectedResult = "'{' at the start")]
    [TestCase("""{}    """, 0, ExpectedResult = "")]
    public string A_header_is_refused_for_what_is_wrong_with_it(string json, int dataBytes)
    {
        string wanted = (string)TestContext.CurrentContext.Test.ExpectedResult!;
        try
        {
            using SafetensorsReader file = Open(Raw(json, new byte[dataBytes]));
            return "";
        }
        catch (FileFormatException e)
        {
            return wanted.Length > 0 && e.Message.Contains(wanted, StringComparison.Ordinal) ? wanted : e.Message;
        }
    }

    [Test]
    public void Lengths_that_the_file_does_not_have_are_refused_before_they_are_allocated()
    {
        foreach (ulong declared in (ulong[])[0, 1, 9, 1000, int.MaxValue, 1ul << 40, long.MaxValue, ulong.MaxValue])
        {
            byte[] file = [.. BitConverter.GetBytes(declared), .. "{}      "u8];
            Assert.That(Mutations.ReadsOrRefuses(file, Read, 64 << 10), Is.False);
        }

        for (int length = 0; length < 8; length++)
            Assert.That(Mutations.ReadsOrRefuses(new byte[length], Read, 64 << 10), Is.False);
    }

    [Test]
    public void A_header_that_is_not_utf8_is_refused() =>
        Assert.That(
            () => Open([16, 0, 0, 0, 0, 0, 0, 0, .. "{\"__meta\u00ff"u8[..9], 0xFF, 0xFE, .. "\":{}}"u8]),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("UTF-8"));

    [Test]
    public void A_damaged_file_is_read_or_refused() =>
        Mutations.Check(SampleBytes, Read, 3000, length => (64 << 10) + (64 * length));

    [Test]
    public void Any_shapes_and_values_come_back() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(200),
        Prop.ForAll((PositiveInt rows, PositiveInt columns, NonEmptyString name) =>
        {
            string text = new([.. name.Get.Where(c => !char.IsSurrogate(c))]);
            var values = new float[rows.Get * columns.Get];
            for (int i = 0; i < values.Length; i++)
                values[i] = i;
            var writer = new SafetensorsWriter();
            writer.Add(text, [rows.Get, columns.Get], values);
            writer.SetMetadata("text", text);
            using SafetensorsReader file = Open(Bytes(writer));
            return file.ReadSingles(text).AsSpan().SequenceEqual(values) && file.Metadata["text"] == text;
        }));

    [Test]
    public void Misuse_is_told_clearly()
    {
        var writer = new SafetensorsWriter();
        writer.Add("a", [2], new float[] { 1, 2 });
        Assert.That(() => writer.Add("a", [1], new float[] { 1 }), Throws.ArgumentException.With.Message.Contains("'a'"));
        Assert.That(() => writer.Add("b", [3], new float[] { 1 }), Throws.ArgumentException.With.Message.Contains("[3] has 3"));
        Assert.That(() => writer.Add("\ud800", [1], new float[] { 1 }), Throws.ArgumentException);
        Assert.That(() => writer.Add("__metadata__", [1], new float[] { 1 }), Throws.ArgumentException);

        SafetensorsReader file = Open(Bytes(writer));
        using SafetensorsReader foreign = Open(Bytes(writer));
        Assert.That(() => file.Find("c"), Throws.TypeOf<FileFormatException>().With.Message.Contains("'c'"));
        Assert.That(() => file.Read(file.Find("a"), new float[3]), Throws.ArgumentException);
        Assert.That(() => file.ReadInt64s("a"), Throws.ArgumentException);
        Assert.That(() => file.Read(foreign.Find("a"), new float[2]), Throws.ArgumentException);
        file.Dispose();
        file.Dispose();
        Assert.That(() => file.ReadSingles("a"), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => SafetensorsReader.Open(Path.Combine(Folder, "none")), Throws.TypeOf<FileNotFoundException>());
        Assert.That(() => SafetensorsReader.Open(Folder), Throws.InstanceOf<IOException>().With.Message.Contains("folder"));
    }

    internal static byte[] SampleBytes { get; } = Bytes(Sample());

    private static void Read(Stream stream, string name)
    {
        using SafetensorsReader file = SafetensorsReader.Open(stream, name);
        foreach (SafetensorsTensor tensor in file.Tensors)
            file.ReadSingles(tensor.Name);
    }

    private static SafetensorsWriter Sample()
    {
        var writer = new SafetensorsWriter();
        writer.SetMetadata("format", "pt");
        writer.SetMetadata("ünï", "\"quoted\"\n");
        writer.Add("weight", [2, 3], new float[] { 1.5f, float.NaN, float.NegativeInfinity, -0f, float.Epsilon, 3 });
        writer.Add("double", [], new[] { Math.PI });
        writer.Add("steps", [2], new[] { long.MinValue, long.MaxValue });
        writer.Add("labels", [3], new[] { -1, int.MaxValue, 0 });
        writer.Add("mask", [3], new byte[] { 0, 255, 1 });
        writer.Add("empty", [0, 5], Array.Empty<float>());
        return writer;
    }

    private static byte[] Bytes(SafetensorsWriter writer)
    {
        using var stream = new MemoryStream();
        writer.Save(stream);
        return stream.ToArray();
    }

    private static byte[] Raw(string json, byte[] data)
    {
        byte[] header = Encoding.UTF8.GetBytes(json);
        return [.. BitConverter.GetBytes((ulong)header.Length), .. header, .. data];
    }

    private static SafetensorsReader Open(byte[] file) => SafetensorsReader.Open(new MemoryStream(file), "test.safetensors");
}
