using System.Text;
using FastNN.Data;

namespace FastNN.Tests.Data;

public sealed class CsvTests
{
    [Test]
    public void A_table_with_header_and_named_classes()
    {
        Dataset data = Load("a,\"b \"\"c\"\", d\",class\r\n1,2.5,yes\r\n-3e1, 4 ,\"no\"\r\n\r\n.5,-0,yes\n");
        Assert.That(data.Count, Is.EqualTo(3));
        Assert.That(data.FeatureNames, Is.EqualTo(new[] { "a", "b \"c\", d" }));
        Assert.That(data.ClassNames, Is.EqualTo(new[] { "no", "yes" }));
        Assert.That(Labels(data), Is.EqualTo(new[] { 1, 0, 1 }));
        Assert.That(Features(data), Is.EqualTo(new[] { 1, 2.5f, -30, 4, .5f, -0f }));
    }

    [Test]
    public void A_table_without_header_and_with_class_numbers_in_the_first_column()
    {
        Dataset data = Load("2;0.5;1\n0;1.5;2", new CsvOptions { Separator = ';', HasHeader = false, TargetColumn = 0 });
        Assert.That(data.Classes, Is.EqualTo(3));
        Assert.That(data.ClassNames, Is.EqualTo(new[] { "0", "1", "2" }));
        Assert.That(Labels(data), Is.EqualTo(new[] { 2, 0 }));
        Assert.That(Features(data), Is.EqualTo(new[] { 0.5f, 1, 1.5f, 2 }));
        Assert.That(data.FeatureNames, Is.Empty);
    }

    [Test]
    public void A_target_by_name_and_as_a_value()
    {
        Dataset data = Load("x,y,z\n1,10,3\n4,20,6\n", new CsvOptions { TargetName = "y", Target = CsvTarget.Value });
        Assert.That(data.HasLabels, Is.False);
        Assert.That(data.TargetShape.ToArray(), Is.EqualTo(new[] { 1 }));
        var target = new float[1];
        data.CopyTarget(1, target);
        Assert.That(target[0], Is.EqualTo(20));
        Assert.That(Features(data), Is.EqualTo(new float[] { 1, 3, 4, 6 }));
    }

    [Test]
    public void Known_classes_take_names_and_indices()
    {
        var options = new CsvOptions { ClassNames = ["cat", "dog"] };
        Assert.That(Labels(Load("x,c\n1,dog\n2,0\n3,1.0\n", options)), Is.EqualTo(new[] { 1, 0, 1 }));
        Assert.That(() => Load("x,c\n1,dog\n2,cow\n", options), Refused(3, 2, "'cow'"));
        Assert.That(() => Load("x,c\n1,2\n", options), Refused(2, 2, "'2'"));
    }

    [Test]
    public void A_byte_order_mark_and_skipped_lines_do_not_count_as_cells()
    {
        Dataset data = Load("\uFEFFanything \"goes\nx,c\n1,0\n", new CsvOptions { SkipLines = 1 });
        Assert.That(data.FeatureNames, Is.EqualTo(new[] { "x" }));
    }

    [TestCase("a,b\n1,\n", 2, 2, "an empty cell")]
    [TestCase("a,b,c\n1,,0\n", 2, 2, "an empty cell")]
    [TestCase("a,b\n1,0\nNaN,0\n", 3, 1, "'NaN'")]
    [TestCase("a,b\nInfinity,0\n", 2, 1, "'Infinity'")]
    [TestCase("a,b\n1e999,0\n", 2, 1, "'1e999'")]
    [TestCase("a,b\n\"x\ny\",0\n", 2, 1, "'x\\u000ay'")]
    [TestCase("a,b\n1,0\n1\n", 3, 1, "2 cells in the record, got 1")]
    [TestCase("a,b\n1,0,2\n", 2, 3, "2 cells in the record, got more")]
    [TestCase("a,b\n\"1,0\n", 2, 1, "a closing quote")]
    [TestCase("a,b\n\"1\"2,0\n", 2, 1, "a separator after the closing quote")]
    [TestCase("a,b\n1\"2,0\n", 2, 1, "a quote inside one")]
    [TestCase("a,b\n", 2, 1, "a record of numbers")]
    [TestCase("", 1, 1, "a record")]
    [TestCase("a,b\n1\0,0\n", 2, 1, "'1\\u0000'")]
    [TestCase("a\n1\n", 1, 1, "is ',' the separator?")]
    [TestCase("1;2\n", 1, 1, "is ',' the separator?")]
    public void A_malformed_table_is_refused_at_its_cell(string text, int line, int column, string message) =>
        Assert.That(() => Load(text), Refused(line, column, message));

    [Test]
    public void A_missing_or_doubled_target_is_refused()
    {
        Assert.That(() => Load("a,b\n1,2\n", new CsvOptions { TargetName = "c" }), Refused(1, 1, "got none"));
        Assert.That(() => Load("a,a\n1,2\n", new CsvOptions { TargetName = "a" }), Refused(1, 1, "got several"));
        Assert.That(() => Load("a,b\n1,2\n", new CsvOptions { TargetColumn = 2 }), Refused(1, 1, "2 columns"));
        Assert.That(() => Load("a,b\n1,2\n", new CsvOptions { TargetName = "a", HasHeader = false }), Throws.ArgumentException);
        Assert.That(() => Load("a,b\n1,2\n", new CsvOptions { Separator = '"' }), Throws.ArgumentException);
    }

    [Test]
    public void Ignored_columns_are_passed_over_whatever_they_hold()
    {
        var options = new CsvOptions { TargetName = "kind", Ignore = ["id", "note"] };
        Dataset data = Load("id,a,kind,note,b\nx1,1,cat,\"some, text\",2\nx2,3,dog,,4\n", options);
        Assert.That(data.FeatureNames, Is.EqualTo(new[] { "a", "b" }));
        Assert.That(Features(data), Is.EqualTo(new float[] { 1, 2, 3, 4 }));
        Assert.That(data.ClassNames, Is.EqualTo(new[] { "cat", "dog" }));
        Assert.That(() => Load("a,b\n1,2\n", new CsvOptions { Ignore = ["c"] }), Refused(1, 1, "one column 'c'"));
        Assert.That(() => Load("a,b\n1,2\n", new CsvOptions { Ignore = ["a"] }), Refused(1, 1, "a feature besides"));
        Assert.That(
            () => Load("a,b\n1,2\n", new CsvOptions { Ignore = ["b"] }),
            Throws.ArgumentException.With.Message.Contains("is the target"));
        Assert.That(() => Load("a,b\n1,2\n", new CsvOptions { Ignore = ["b"], HasHeader = false }), Throws.ArgumentException);
        Assert.That(() => Load("id,a,b\nx\"1,1,2\n", new CsvOptions { Ignore = ["id"] }), Refused(2, 1, "a quote inside one"));
    }

    [Test]
    public void Text_that_is_not_utf8_is_refused() =>
        Assert.That(
            () => CsvDataset.Load(new MemoryStream([.. "a,b\n1,"u8, 0xFF, 0xFE]), name: "test.csv"),
            Refused(2, 2, "text in UTF-8"));

    [Test]
    public void Long_cells_and_many_records_cross_the_buffer()
    {
        var text = new StringBuilder("x,y,c\n");
        for (int i = 0; i < 20_000; i++)
            text.Append(i).Append(",0.").Append('5', 1 + (i % 40)).Append(',').Append(i % 3).Append(i % 2 == 0 ? "\n" : "\r\n");
        Dataset data = Load(text.ToString());
        Assert.That(data.Count, Is.EqualTo(20_000));
        float[] features = Features(data);
        for (int i = 0; i < 20_000; i++)
        {
            Assert.That(features[2 * i], Is.EqualTo(i));
            Assert.That(data.LabelOf(i), Is.EqualTo(i % 3));
        }
    }

    [Test]
    public void Any_damage_is_read_or_refused()
    {
        Mutations.Check(
            Encoding.UTF8.GetBytes("a,\"b,1\",c\n1,2,x\n3,\"4\",y\r\n5,6.25,x\n"), Read, 3000,
            length => (256 << 10) + (100 * length));
        return;

        static void Read(Stream stream, string name) => CsvDataset.Load(stream, name: name);
    }

    private static NUnit.Framework.Constraints.EqualNumericConstraint<int> Refused(int line, int column, string message) =>
        Throws.TypeOf<FileFormatException>().With.Message.Contains(message)
            .And.Property(nameof(FileFormatException.Line)).EqualTo(line)
            .And.Property(nameof(FileFormatException.Column)).EqualTo(column);

    private static Dataset Load(string text, CsvOptions? options = null) =>
        CsvDataset.Load(new MemoryStream(Encoding.UTF8.GetBytes(text)), options, "test.csv");

    private static int[] Labels(Dataset data) => [.. Enumerable.Range(0, data.Count).Select(data.LabelOf)];

    private static float[] Features(Dataset data)
    {
        var features = new float[data.Count * data.ExampleSize];
        for (int i = 0; i < data.Count; i++)
            data.CopyFeatures(i, features.AsSpan(i * data.ExampleSize));
        return features;
    }
}
