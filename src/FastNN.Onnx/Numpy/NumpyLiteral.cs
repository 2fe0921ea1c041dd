using System.Globalization;

namespace FastNN.Onnx.Numpy;

/// <summary>Reads the Python literal of a header: a dictionary with three keys, and nothing else that Python has.</summary>
/// <param name="text">The literal.</param>
/// <param name="name">What messages call the file.</param>
/// <param name="offset">Where the literal begins in it.</param>
internal sealed class NumpyLiteral(string text, string name, long offset)
{
    private int _place;

    public (string Descr, bool IsFortran, long[] Shape) Header()
    {
        string? descr = null;
        bool? fortran = null;
        long[]? shape = null;
        Expect('{');
        while (!Take('}'))
        {
            string key = Quoted("a key");
            Expect(':');
            bool twice = key switch
            {
                "descr" => descr is not null,
                "fortran_order" => fortran is not null,
                "shape" => shape is not null,
                _ => throw Error("the keys descr, fortran_order and shape", $"'{key}'"),
            };
            if (twice)
            {
                throw Error("each key once", $"'{key}' again");
            }

            switch (key)
            {
                case "descr":
                    descr = Quoted("a type such as '<f4' (structured types are not supported)");
                    break;
                case "fortran_order":
                    fortran = Truth();
                    break;
                default:
                    shape = Tuple();
                    break;
            }

            if (!Take(','))
            {
                Expect('}');
                break;
            }
        }

        Spaces();
        if (_place < text.Length)
        {
            throw Error("the end of the header", $"'{text[_place]}'");
        }

        return descr is not null && fortran is not null && shape is not null
            ? (descr, fortran.Value, shape)
            : throw Error("the keys descr, fortran_order and shape", "a header without one of them");
    }

    private string Quoted(string expected)
    {
        Spaces();
        char quote = _place < text.Length ? text[_place] : ' ';
        int end = quote is '\'' or '"' ? text.IndexOf(quote, _place + 1) : -1;
        if (end < 0)
        {
            throw Error(expected, _place < text.Length ? $"'{text[_place]}'" : "the end of the header");
        }

        string value = text[(_place + 1)..end];
        _place = end + 1;
        return value;
    }

    private bool Truth()
    {
        Spaces();
        foreach ((string word, bool value) in new[] { ("True", true), ("False", false) })
        {
            if (string.CompareOrdinal(text, _place, word, 0, word.Length) == 0)
            {
                _place += word.Length;
                return value;
            }
        }

        throw Error("True or False", _place < text.Length ? $"'{text[_place]}'" : "the end of the header");
    }

    private long[] Tuple()
    {
        var extents = new List<long>();
        Expect('(');
        while (!Take(')'))
        {
            int start = _place;
            while (_place < text.Length && char.IsAsciiDigit(text[_place]))
            {
                _place++;
            }

            if (!long.TryParse(text.AsSpan(start, _place - start), NumberStyles.None, CultureInfo.InvariantCulture,
                out long extent))
            {
                throw Error("an extent from 0 on", _place < text.Length ? $"'{text[start]}'" : "the end of the header");
            }

            // Python 2 wrote long integers with an L.
            Take('L');
            extents.Add(extent);
            if (!Take(','))
            {
                Expect(')');
                break;
            }
        }

        return [.. extents];
    }

    private void Expect(char c)
    {
        if (!Take(c))
        {
            throw Error($"'{c}'", _place < text.Length ? $"'{text[_place]}'" : "the end of the header");
        }
    }

    private bool Take(char c)
    {
        Spaces();
        if (_place < text.Length && text[_place] == c)
        {
            _place++;
            Spaces();
            return true;
        }

        return false;
    }

    private void Spaces()
    {
        while (_place < text.Length && (text[_place] is ' ' or '\t' or '\n' or '\r'))
        {
            _place++;
        }
    }

    private FileFormatException Error(string expected, string got) => new(name, offset + _place, expected, got);
}
