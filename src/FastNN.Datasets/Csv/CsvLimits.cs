using System.Globalization;

namespace FastNN.Data;

/// <summary>
/// Passes text on and refuses what would make a parser keep more of it than a table of numbers needs: a parser holds a whole
/// record in memory before it hands out the first cell. Skips the lines before the table.
/// </summary>
internal sealed class CsvLimits(TextReader inner, string name, char separator) : TextReader
{
    public const int MaxColumns = 1 << 16;
    public const int MaxCell = short.MaxValue;
    public const int MaxRecord = 1 << 22;

    private int _line = 1;
    private int _column = 1;
    private int _cell;
    private int _record;
    private bool _quoted;
    private char _last;

    /// <summary>The line that is being read, from 1.</summary>
    public int Line => _line;

    /// <summary>Goes past lines, whatever is in them; ends with the text.</summary>
    public void SkipLines(int count)
    {
        for (int skipped = 0; skipped < count; skipped++)
        {
            int c;
            do
            {
                c = inner.Read();
            }
            while (c is not (-1 or '\n' or '\r'));
            if (c < 0)
            {
                return;
            }

            if (c == '\r' && inner.Peek() == '\n')
            {
                inner.Read();
            }

            _line++;
        }
    }

    public override int Read(Span<char> buffer)
    {
        int got = inner.Read(buffer);
        foreach (char c in buffer[..got])
        {
            Count(c);
        }

        return got;
    }

    public override int Read(char[] buffer, int index, int count) => Read(buffer.AsSpan(index, count));

    public override int Read() => throw new NotSupportedException();

    public override int Peek() => throw new NotSupportedException();

    private void Count(char c)
    {
        _cell++;
        _record++;
        if (c == '"')
        {
            _quoted = !_quoted;
        }
        else if (c is '\n' or '\r')
        {
            _line += c == '\r' || _last != '\r' ? 1 : 0;
            if (!_quoted)
            {
                (_column, _cell, _record) = (1, 0, 0);
            }
        }
        else if (c == separator && !_quoted)
        {
            (_column, _cell) = (_column + 1, 0);
        }

        _last = c;
        if (_cell > MaxCell)
        {
            throw Fault(
                $"a cell of at most {MaxCell} characters{(_quoted ? " (is a closing quote missing?)" : "")}", "a longer one");
        }

        if (_column > MaxColumns)
        {
            throw Fault($"at most {MaxColumns} columns", "more");
        }

        if (_record > MaxRecord)
        {
            throw Fault($"a record of at most {MaxRecord.ToString(CultureInfo.InvariantCulture)} characters", "a longer one");
        }
    }

    private FileFormatException Fault(string expected, string got) => new(name, _line, _column, expected, got);
}
