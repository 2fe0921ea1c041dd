using System.Diagnostics;
using System.Text;
using FastNN.Data;
using FastNN.Tests.Formats;

namespace FastNN.Tests.Data;

/// <summary>What a small or hostile table can make the reader allocate, wait for or print.</summary>
public sealed class CsvLimitTests
{
    private static IEnumerable<TestCaseData> Floods()
    {
        yield return Case("a header of empty cells", new string(',', 10_000_000), "65536 columns");
        yield return Case("a header of letters", string.Join(',', Enumerable.Repeat("a", 5_000_000)), "65536 columns");
        yield return Case("a cell of 30 MB", "a,b\n1,\"" + new string('x', 30_000_000) + "\"\n", "32767 characters");
        yield return Case(
            "a quoted cell of lines", "a,b\n1,\"" + string.Concat(Enumerable.Repeat("x\n", 1_000_000)) + "\"\n",
            "32767 characters");
        yield return Case("a number of 10 MB", "a,b\n" + new string('1', 10_000_000) + ",0\n", "32767 characters");
        yield return Case("zeros for ever", new string('\0', 10_000_000), "32767 characters");
        yield return Case(
            "more classes than are allowed", "a,b\n" + string.Concat(Enumerable.Range(0, 65_537).Select(i => $"1,c{i}\n")),
            "65536 classes");

        static TestCaseData Case(string name, string text, string message) =>
            new TestCaseData(text, message).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Floods))]
    public void A_table_beyond_the_limits_costs_little_and_is_refused_in_a_short_line(string text, string message)
    {
        byte[] file = Encoding.UTF8.GetBytes(text);
        long before = GC.GetAllocatedBytesForCurrentThread();
        FileFormatException? e = Assert.Throws<FileFormatException>(() => CsvDataset.Load(new MemoryStream(file)));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan((2 * file.Length) + (20 << 20)));
        Assert.That(e!.Message, Does.Contain(message));
        Assert.That(e.Message, Has.Length.LessThan(300));
    }

    [Test]
    public void Loading_allocates_at_most_twice_the_file_beyond_the_dataset()
    {
        byte[] file = Encoding.UTF8.GetBytes("a,b\n" + string.Concat(Enumerable.Repeat("1,1\n", 1_000_000)));
        Load(400);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Load(file.Length);
        long dataset = 1_000_000 * (sizeof(float) + sizeof(int));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(dataset + (2 * file.Length) + (1 << 20)));

        void Load(int length) => CsvDataset.Load(new MemoryStream(file, 0, length));
    }

    [Test]
    public void Many_known_classes_are_found_at_once()
    {
        string[] names = [.. Enumerable.Range(0, 60_000).Select(i => $"class {i}")];
        string table = "x,c\n" + string.Concat(Enumerable.Range(0, 20_000).Select(i => $"{i},class {59_999 - i}\n"));
        var watch = Stopwatch.StartNew();
        Dataset data = CsvDataset.Load(new StringReader(table), new CsvOptions { ClassNames = names });
        Assert.That(data.LabelOf(19_999), Is.EqualTo(40_000));
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(2)), "a search through all names took 8 s");
    }

    [Test]
    public void Skipping_more_lines_than_there_are_ends_with_the_text()
    {
        var options = new CsvOptions { SkipLines = int.MaxValue };
        Assert.That(
            () => CsvDataset.Load(new StringReader("a,b\n1,2\n"), options),
            Throws.TypeOf<FileFormatException>().With.Message.Contains("a record"));
    }

    [TestCase("\r")]
    [TestCase("\n")]
    [TestCase("\r\n")]
    public void Lines_end_in_any_of_the_three_ways(string end)
    {
        var options = new CsvOptions { SkipLines = 1 };
        string text = string.Join(end, "skipped", "a,c", "1,x", "\"2\",y", "", "3,x", "");
        Assert.That(CsvDataset.Load(new StringReader(text), options).Count, Is.EqualTo(3));
        Assert.That(
            () => CsvDataset.Load(new StringReader(text + "z,x"), options, "lines"),
            Throws.TypeOf<FileFormatException>().With.Message.StartsWith("lines: line 7, column 1: "));
    }

    [Test]
    public void A_stream_that_cannot_seek_is_read_and_stays_open()
    {
        var pipe = new PipeStream(Encoding.UTF8.GetBytes("a,b\n" + string.Concat(Enumerable.Repeat("1,1\n", 10_000))));
        Assert.That(CsvDataset.Load(pipe).Count, Is.EqualTo(10_000));
        Assert.That(pipe.CanRead, Is.True);
    }
}
