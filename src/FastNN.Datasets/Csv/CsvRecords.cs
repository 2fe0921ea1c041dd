using System.Text;
using nietras.SeparatedValues;

namespace FastNN.Data;

/// <summary>
/// The records of a table in CSV (RFC 4180), split by Sep and held to the rules that it does not ask for: quotes around whole
/// cells only, all of them closed, text in UTF-8. Empty lines between records do not count.
/// </summary>
internal sealed class CsvRecords : IDisposable
{
    private readonly string _name;
    private readonly CsvLimits _text;
    private readonly SepReader _reader;
    private readonly int _linesBefore;

    // Where the present record begins and ends, from 1 behind the skipped lines; Sep gives the first record a wrong beginning.
    private int _line;
    private int _nextLine = 1;

    public CsvRecords(TextReader text, string name, CsvOptions options)
    {
        _name = name;
        _text = new CsvLimits(text, name, options.Separator);
        _text.SkipLines(options.SkipLines);
        _linesBefore = _text.Line - 1;
        _reader = Sep.New(options.Separator).Reader(settings => settings with
        {
            HasHeader = false,
            DisableColCountCheck = true,
            Unescape = false,
        }).From(_text);
    }

    /// <summary>The number of cells in the present record.</summary>
    public int Count { get; private set; }

    /// <summary>Goes to the next record; false at the end of the text.</summary>
    public bool Read()
    {
        while (_reader.MoveNext())
        {
            SepReader.Row row = _reader.Current;
            (_line, _nextLine) = (_nextLine, row.LineNumberToExcl);
            Count = row.ColCount;
            if (Count > 1 || (Count == 1 && !row[0].Span.IsEmpty))
            {
                return true;
            }
        }

        Count = 0;
        return false;
    }

    /// <summary>A cell of the present record, without quotes; valid until the next call.</summary>
    public ReadOnlySpan<char> Cell(int column)
    {
        ReadOnlySpan<char> raw = _reader.Current[column].Span;
        if (!raw.Contains('"'))
        {
            return raw;
        }

        if (raw[0] != '"')
        {
            throw Fault(column, "quotes around a whole cell", "a quote inside one");
        }

        // Every quote but the closing one has to stand beside another one.
        ReadOnlySpan<char> content = raw[1..];
        bool doubled = false;
        for (int at = 0; ;)
        {
            int quote = content[at..].IndexOf('"');
            if (quote < 0)
            {
                throw Fault(column, "a closing quote", "the end of the file");
            }

            at += quote;
            if (at + 1 == content.Length)
            {
                content = content[..at];
                return doubled ? content.ToString().Replace("\"\"", "\"", StringComparison.Ordinal) : content;
            }

            if (content[at + 1] != '"')
            {
                throw Fault(column, "a separator after the closing quote", "more text");
            }

            doubled = true;
            at += 2;
        }
    }

    /// <summary>A cell of the present record as text.</summary>
    public string Text(int column)
    {
        ReadOnlySpan<char> cell = Cell(column);
        CheckUtf8(column, cell);
        return cell.ToString();
    }

    /// <summary>Refuses a cell that holds what the decoder puts in the place of bytes that are not UTF-8.</summary>
    public void CheckUtf8(int column, ReadOnlySpan<char> cell)
    {
        if (cell.Contains((char)Rune.ReplacementChar.Value))
        {
            throw Fault(column, "text in UTF-8", "other bytes");
        }
    }

    /// <summary>A fault in a cell of the present record, or at the end of the text where there is none.</summary>
    public FileFormatException Fault(int column, string expected, string got)
    {
        if (Count == 0)
        {
            return new FileFormatException(_name, _text.Line, 1, expected, got);
        }

        SepReader.Row row = _reader.Current;
        int line = _linesBefore + _line;
        for (int before = 0; before < Math.Min(column, Count); before++)
        {
            line += row[before].Span.Count('\n');
        }

        return new FileFormatException(_name, line, column + 1, expected, got);
    }

    public void Dispose() => _reader.Dispose();
}
