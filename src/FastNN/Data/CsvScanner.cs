using System.Text;

namespace FastNN.Data;

/// <summary>
/// Splits a CSV stream into cells after RFC 4180: cells in double quotes may hold separators, line breaks and doubled quotes;
/// lines end in LF or CRLF. Reads forward through one buffer, so the size of the file does not matter.
/// </summary>
internal sealed class CsvScanner
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly Stream _stream;
    private readonly string _name;
    private readonly byte _separator;
    private readonly byte[] _buffer = new byte[1 << 16];
    private byte[] _cell = new byte[256];
    private int _cellLength;
    private int _position;
    private int _length;
    private int _currentLine = 1;
    private bool _recordEnded = true;

    public CsvScanner(Stream stream, string name, char separator)
    {
        _stream = stream;
        _name = name;
        _separator = (byte)separator;
        _length = stream.ReadAtLeast(_buffer, 3, throwOnEndOfStream: false);
        if (_buffer.AsSpan(0, _length).StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
            _position = 3;
    }

    /// <summary>The line in which the last cell began, from 1.</summary>
    public int Line { get; private set; } = 1;

    /// <summary>The number of the last cell in its record, from 1.</summary>
    public int Column { get; private set; }

    /// <summary>Whether the last cell is the last of its record.</summary>
    public bool EndOfRecord => _recordEnded;

    /// <summary>The last cell's bytes, without quotes.</summary>
    public ReadOnlySpan<byte> Cell => _cell.AsSpan(0, _cellLength);

    /// <summary>The last cell as text.</summary>
    public string Text
    {
        get
        {
            try
            {
                return StrictUtf8.GetString(Cell);
            }
            catch (DecoderFallbackException)
            {
                throw Fault("text in UTF-8", "other bytes");
            }
        }
    }

    /// <summary>Goes past a whole line, whatever is in it.</summary>
    public void SkipLine()
    {
        int c;
        do
            c = Next();
        while (c is not (-1 or '\n'));
    }

    /// <summary>Reads the next cell; false at the end of the file. Empty lines between records do not count.</summary>
    public bool Read()
    {
        bool quoted;
        do
        {
            if (_recordEnded)
                Column = 0;
            Line = _currentLine;
            _cellLength = 0;
            bool first = _recordEnded;
            int c = Next();
            if (c < 0 && first)
                return false;
            Column++;
            quoted = c == '"';
            int end = quoted ? ReadQuoted() : ReadPlain(c);
            _recordEnded = end is -1 or '\n';
            if (!(first && _recordEnded && _cellLength == 0))
                return true;
        }
        while (!quoted);
        return true;
    }

    /// <summary>A fault in the last cell.</summary>
    public FileFormatException Fault(string expected, string got) => new(_name, Line, Column, expected, got);

    // Returns what ended the cell: the separator, '\n' or -1 for the end of the file.
    private int ReadPlain(int c)
    {
        while (true)
        {
            if (c < 0 || c == _separator)
                return c;
            if (c == '\n')
            {
                if (_cellLength > 0 && _cell[_cellLength - 1] == '\r')
                    _cellLength--;
                return c;
            }

            if (c == '"')
                throw Fault("quotes around a whole cell", "a quote inside one");
            Append((byte)c);
            c = Next();
        }
    }

    private int ReadQuoted()
    {
        while (true)
        {
            int c = Next();
            if (c < 0)
                throw Fault("a closing quote", "the end of the file");
            if (c != '"')
            {
                Append((byte)c);
                continue;
            }

            c = Next();
            if (c == '"')
            {
                Append((byte)'"');
                continue;
            }

            if (c == '\r')
                c = Next();
            return c < 0 || c == '\n' || c == _separator ? c : throw Fault("a separator after the closing quote", "more text");
        }
    }

    private int Next()
    {
        if (_position == _length)
        {
            _length = _stream.Read(_buffer);
            _position = 0;
            if (_length == 0)
                return -1;
        }

        byte next = _buffer[_position++];
        if (next == '\n')
            _currentLine++;
        return next;
    }

    private void Append(byte value)
    {
        if (_cellLength == _cell.Length)
            Array.Resize(ref _cell, 2 * _cellLength);
        _cell[_cellLength++] = value;
    }
}
