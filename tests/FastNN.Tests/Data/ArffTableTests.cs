using System.Text;
using FastNN.Data;

namespace FastNN.Tests.Data;

public sealed class ArffTableTests
{
    private const string Header = "% comment\n@RELATION 'a b'\n\n@Attribute n numeric\n@attribute 'the kind' { 'a b', c,\"d\" }\n"
        + "@attribute text string\n@DATA\n";

    [Test]
    public void Numbers_listed_values_and_texts_are_read()
    {
        ArffTable table = Read(Header + "1.5,'a b',x\n% between\n?, d , 'it\\'s, here'\n-2e3,c,?\n");
        Assert.That(table.Names, Is.EqualTo(new[] { "n", "the kind", "text" }));
        Assert.That(table.Columns[0], Is.EqualTo(new[] { "1.5", null, "-2e3" }));
        Assert.That(table.Columns[1], Is.EqualTo(new[] { "a b", "d", "c" }));
        Assert.That(table.Columns[2], Is.EqualTo(new[] { "x", "it's, here", null }));
    }

    [TestCase("x,c,y", 1, "a number")]
    [TestCase("NaN,c,y", 1, "a number")]
    [TestCase("1,e,y", 2, "3 values of the kind")]
    [TestCase("1,c", 3, "3 cells")]
    [TestCase("1,c,", 3, "a comma and another cell")]
    [TestCase("1,c,y,z", 4, "3 cells")]
    [TestCase("1,'c,y", 2, "a closing '")]
    [TestCase("1,'c'x,y", 3, "a comma")]
    [TestCase("1,,y", 2, "a word")]
    [TestCase("{0 1}", 1, "dense")]
    public void A_wrong_row_is_refused_with_its_place(string row, int column, string expected)
    {
        FileFormatException fault = Assert.Throws<FileFormatException>(() => Read($"{Header}1,c,y\n{row}\n"))!;
        Assert.That((fault.Line, fault.Column), Is.EqualTo((9, column)), fault.Message);
        Assert.That(fault.Message, Does.Contain(expected));
    }

    [TestCase("@attribute a date\n@data\n1\n", 1)]
    [TestCase("@attribute a { b, }\n@data\nb\n", 1)]
    [TestCase("@attribute a {b\n@data\nb\n", 1)]
    [TestCase("@attribute a real\n@attribute a real\n@data\n1,1\n", 2)]
    [TestCase("@attribute\n@data\n1\n", 1)]
    [TestCase("@attributes a real\n@data\n1\n", 1)]
    [TestCase("@data\n1\n", 1)]
    [TestCase("a,b\n1,2\n", 1)]
    [TestCase("@attribute a real\n@data\n", 3)]
    [TestCase("@attribute a real\n", 2)]
    [TestCase("", 1)]
    public void A_wrong_declaration_is_refused_with_its_line(string text, int line) => Assert.That(
        () => Read(text), Throws.TypeOf<FileFormatException>().With.Property("Line").EqualTo(line));

    private static ArffTable Read(string text) => ArffTable.Read(Encoding.UTF8.GetBytes(text), "x.arff");
}
