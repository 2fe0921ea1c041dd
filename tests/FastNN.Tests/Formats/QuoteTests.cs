using FastNN.Formats;

namespace FastNN.Tests.Formats;

/// <summary>What a hostile file can do to a message: nothing.</summary>
public sealed class QuoteTests
{
    [Test]
    public void Every_character_that_breaks_or_turns_a_line_is_escaped()
    {
        for (int c = 0; c <= char.MaxValue; c++)
        {
            string quoted = Quote.Text(((char)c).ToString());
            bool harmful = char.IsControl((char)c) || char.IsSurrogate((char)c)
                || c is 0x61C or 0x200E or 0x200F or 0x2028 or 0x2029 or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069)
                or 0xFEFF;
            Assert.That(quoted, Is.EqualTo(harmful ? $"\\u{c:x4}" : ((char)c).ToString()));
        }
    }

    [Test]
    public void Long_text_is_cut()
    {
        Assert.That(Quote.Text(new string('x', 80)), Is.EqualTo(new string('x', 80)));
        Assert.That(Quote.Text(new string('x', 81)), Is.EqualTo(new string('x', 80) + "..."));
        Assert.That(Quote.Shape([1, 2, 3]), Is.EqualTo("[1, 2, 3]"));
        Assert.That(Quote.Shape(new int[1000]), Has.Length.LessThan(90));
    }

    [Test]
    public void A_message_is_short_and_one_line_whatever_it_is_made_of()
    {
        string flood = string.Concat(Enumerable.Repeat("\u202Eabc\n", 100_000));
        foreach (FileFormatException e in (FileFormatException[])[new("f", 3, flood, flood), new("f", 1, 2, flood, flood)])
        {
            Assert.That(e.Message, Has.Length.LessThan(500));
            Assert.That(e.Expected, Has.Length.LessThan(320));
            Assert.That(e.Got, Has.Length.LessThan(90));
            Assert.That(e.Message, Does.Not.Contain('\u202E').And.Not.Contain('\n'));
        }
    }

    [Test]
    public void A_path_cannot_break_a_line_either()
    {
        const string Path = "no\nsuch\u202Efolder/file";
        foreach (Action action in (Action[])[() => InputFile.OpenRead(Path), () => AtomicFile.Write(Path, _ => { })])
        {
            Assert.That(
                () => action(),
                Throws.InstanceOf<IOException>().With.Message.Contains("no\\u000asuch\\u202efolder").And.Message.Not.Contains(
                    '\n'));
        }
    }
}
