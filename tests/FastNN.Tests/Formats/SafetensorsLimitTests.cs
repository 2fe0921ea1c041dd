using System.Text;
using FastNN.Formats;

namespace FastNN.Tests.Formats;

/// <summary>What a small or hostile file can make the reader allocate, wait for or print.</summary>
public sealed class SafetensorsLimitTests
{
    private const string Empty = """{"dtype":"U8","shape":[0],"data_offsets":[0,0]}""";

    private static IEnumerable<TestCaseData> Floods()
    {
        yield return Case("a name of 20 MB", "{\"" + new string('n', 20_000_000) + "\":" + Empty + "}");
        yield return Case("a type of 20 MB", "{\"a\":{\"dtype\":\"" + new string('F', 20_000_000) + "\"}}");
        yield return Case("a size of 20 MB", "{\"a\":{\"shape\":[" + new string('9', 20_000_000) + "]}}");
        yield return Case("metadata of 20 MB", "{\"__metadata__\":{\"k\":\"" + new string('v', 20_000_000) + "\"}}");
        yield return Case("1.5 million entries", "{\"__metadata__\":{" + Repeat(1_500_000, i => $"\"{i:x}\":\"\"") + "}}");
        yield return Case("a million tensors", "{" + Repeat(1_000_000, i => $"\"{i:x}\":{Empty}") + "}");

        static TestCaseData Case(string name, string json) => new TestCaseData(json).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Floods))]
    public void A_header_beyond_the_limits_costs_little_and_is_refused_in_a_short_line(string json)
    {
        byte[] file = File(json);
        using var stream = new MemoryStream(file);
        long before = GC.GetAllocatedBytesForCurrentThread();
        FileFormatException? e = Assert.Throws<FileFormatException>(() => SafetensorsReader.Open(stream));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan((2 * file.Length) + (16 << 20)));
        Assert.That(e!.Message, Has.Length.LessThan(400));
    }

    [Test]
    public void As_many_tensors_as_are_allowed_cost_256_bytes_each()
    {
        byte[] file = File("{" + Repeat(SafetensorsHeader.MaxTensors, i => $"\"{i:x}\":{Empty}") + "}");
        using var stream = new MemoryStream(file);
        long before = GC.GetAllocatedBytesForCurrentThread();
        using SafetensorsReader reader = SafetensorsReader.Open(stream);
        Assert.That(
            GC.GetAllocatedBytesForCurrentThread() - before,
            Is.LessThan((2 * file.Length) + (256 * SafetensorsHeader.MaxTensors)));
        Assert.That(reader.Tensors, Has.Count.EqualTo(SafetensorsHeader.MaxTensors));
    }

    [Test]
    public void A_name_in_a_message_is_cut()
    {
        string name = new('n', 500);
        FileFormatException? e = Assert.Throws<FileFormatException>(
            () => SafetensorsReader.Open(
                new MemoryStream(File("{\"" + name + "\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,0]}}"))));
        Assert.That(e!.Message, Does.Contain(name[..80] + "...").And.Not.Contain(name[..81]));
    }

    [Test]
    public void A_stream_that_cannot_seek_is_read_and_left_open_where_wanted()
    {
        byte[] file = [
            .. File("""{"a":{"dtype":"F32","shape":[40000],"data_offsets":[0,160000]}}"""), .. new byte[159_996], 0, 0, 0x80,
            0x3F];
        var pipe = new PipeStream(file);
        using (SafetensorsReader reader = SafetensorsReader.Open(pipe, "pipe", leaveOpen: true))
        {
            float[] values = reader.ReadSingles("a");
            Assert.That(values, Has.Length.EqualTo(40_000));
            Assert.That((values[0], values[^1]), Is.EqualTo((0f, 1f)));
        }

        Assert.That(pipe.CanRead, Is.True);
        Assert.That(
            () => SafetensorsReader.Open(new PipeStream(file[..^1]), "pipe"),
            Throws.TypeOf<FileFormatException>().With.Message.StartsWith("pipe: "));
    }

    [Test]
    public void The_writer_keeps_to_the_limits_of_the_reader()
    {
        var writer = new SafetensorsWriter();
        Assert.That(
            () => writer.Add(new string('n', 513), [1], new float[1]), Throws.ArgumentException.With.Message.Contains("512"));
        Assert.That(
            () => writer.SetMetadata(new string('\u00fc', 300), ""), Throws.ArgumentException.With.Message.Contains("512"));
        writer.Add(new string('n', 512), [1], new float[1]);
        using var stream = new MemoryStream();
        writer.Save(stream);
        Assert.That(SafetensorsReader.Open(stream).Tensors, Has.Count.EqualTo(1));
    }

    private static string Repeat(int count, Func<int, string> item) => string.Join(',', Enumerable.Range(0, count).Select(item));

    private static byte[] File(string json)
    {
        byte[] header = Encoding.UTF8.GetBytes(json);
        return [.. BitConverter.GetBytes((ulong)header.Length), .. header];
    }
}
