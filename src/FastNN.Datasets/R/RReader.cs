using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace FastNN.Data;

/// <summary>
/// R's serialization, versions 2 and 3, in its binary format ("R Internals", R Core Team, section "Serialization Formats").
/// Lengths are held against the bytes that are left before anything is reserved, and the depth is bounded, so that memory stays
/// below 64 times the file's size. Compact sequences, which stand for more numbers than they have bytes, may all together have
/// as many elements as the file has bytes, or <see cref="MinCompact"/>.
/// </summary>
internal sealed class RReader(byte[] content, string name, int start = 0)
{
    private const int MaxDepth = 128;
    private const int MinCompact = 1 << 16;
    private const int HasAttributes = 1 << 9;
    private const int HasTag = 1 << 10;

    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private readonly List<RValue> _references = [];
    private int _at = start;
    private int _depth;
    private long _compact;

    private int MaxCompact => Math.Max(MinCompact, content.Length);

    /// <summary>Reads the header and the value behind it.</summary>
    /// <exception cref="FileFormatException">The content is malformed, or of a kind that is not read.</exception>
    public RValue Read()
    {
        ReadOnlySpan<byte> format = Take(2, "a serialization header");
        if (!format.SequenceEqual("X\n"u8))
        {
            throw Fault(_at - 2, "serialization in binary (XDR) format, which begins with 'X'", Convert.ToHexString(format));
        }

        int version = Int("a version");
        if (version is not (2 or 3))
        {
            throw Fault(_at - 4, "serialization version 2 or 3", $"{version}");
        }

        Take(8, "the versions of R");
        if (version == 3)
        {
            Take(Length(Int("the length of the encoding's name"), 1, "the encoding's name"), "the encoding's name");
        }

        return Item();
    }

    private RValue Item()
    {
        int at = _at;
        if (++_depth > MaxDepth)
        {
            throw Fault(at, $"values nested at most {MaxDepth} deep", "more");
        }

        int flags = Int("a value");
        RValue value = Item(flags, at);
        _depth--;
        return value;
    }

    private RValue Item(int flags, int at)
    {
        switch (flags & 0xFF)
        {
            case 254:
                return new ROther("NULL");
            case 253 or 252 or 251 or 250 or 242 or 241:
                return new ROther("a constant of R");
            case 255:
                return Reference(flags, at);
            case 249 or 248 or 247:
                return Named();
            case 1:
                return Symbol();
            case 2 or 3 or 5 or 6 or 17:
                return Pairs(flags);
            case 4:
                return Environment();
            case 7 or 8:
                Take(Length(Int("the length of a name"), 1, "a name"), "a name");
                return new ROther("a function");
            case 22:
                return Pointer(flags);
            case 23:
                return Attributed(Remember(new ROther("a weak reference")), flags);
            case 25:
                return Attributed(new ROther("an object"), flags);
            case 238:
                return Compact(at);
            default:
                return Attributed(Vector(flags, at), flags);
        }
    }

    private RValue Vector(int flags, int at)
    {
        int type = flags & 0xFF;
        switch (type)
        {
            case 9:
                return new RText([Characters(flags)]);
            case 10 or 13:
                return new RIntegers(Integers(), type == 10);
            case 14:
                return new RNumbers(Doubles());
            case 15:
                Take(Elements(16), "complex numbers");
                return new ROther("complex numbers");
            case 16:
                return Strings();
            case 19 or 20:
                var values = new RValue[Elements(4) / 4];
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = Item();
                }

                return new RList(values);
            case 24:
                return new RBytes(Take(Elements(1), "bytes").ToArray());
            default:
                throw Fault(at, "a vector, a list or another value of data", $"type {type}");
        }
    }

    private int[] Integers()
    {
        ReadOnlySpan<byte> bytes = Take(Elements(4), "whole numbers");
        var values = new int[bytes.Length / 4];
        BinaryPrimitives.ReverseEndianness(MemoryMarshal.Cast<byte, int>(bytes), values);
        return values;
    }

    private double[] Doubles()
    {
        ReadOnlySpan<byte> bytes = Take(Elements(8), "numbers");
        var values = new double[bytes.Length / 8];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = BinaryPrimitives.ReadDoubleBigEndian(bytes[(8 * i)..]);
        }

        return values;
    }

    private RText Strings()
    {
        var values = new string?[Elements(8) / 8];
        for (int i = 0; i < values.Length; i++)
        {
            int at = _at, flags = Int("a text");
            values[i] = (flags & 0xFF) == 9 ? Characters(flags) : throw Fault(at, "a text", $"type {flags & 0xFF}");
            if ((flags & HasAttributes) != 0)
            {
                // Old versions of R wrote how their cache of texts was chained, which means nothing outside.
                Item();
            }
        }

        return new RText(values);
    }

    // Bits 14 and 15 tell Latin-1 and UTF-8. Others are of the encoding of the machine that wrote them; where that was not
    // UTF-8, Latin-1 is the likeliest.
    private string? Characters(int flags)
    {
        int at = _at, declared = Int("the length of a text");
        if (declared == -1)
        {
            return null;
        }

        ReadOnlySpan<byte> bytes = Take(Length(declared, 1, "a text", at), "a text");
        if ((flags & (1 << 14)) != 0)
        {
            return Encoding.Latin1.GetString(bytes);
        }

        try
        {
            return Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException e) when ((flags & (1 << 15)) != 0)
        {
            throw new FileFormatException(name, at + 4, "text in UTF-8", "other bytes", e);
        }
        catch (DecoderFallbackException)
        {
            return Encoding.Latin1.GetString(bytes);
        }
    }

    private RPairs Pairs(int flags)
    {
        var items = new List<(string?, RValue)>();
        RPairs? attributes = null;
        while (true)
        {
            RPairs? own = (flags & HasAttributes) != 0 ? Item() as RPairs : null;
            attributes ??= own;
            string? tag = (flags & HasTag) != 0 ? (Item() as RSymbol)?.Name : null;
            items.Add((tag, Item()));

            // The rest of the chain is a value of its own, but read in this loop: chains may be long.
            int at = _at;
            flags = Int("the rest of a list");
            if ((flags & 0xFF) is 2 or 6)
            {
                continue;
            }

            _depth++;
            RValue tail = Item(flags, at);
            _depth--;
            var pairs = new RPairs(items, tail is ROther { Kind: "NULL" } ? null : tail);
            if (attributes is not null)
            {
                pairs.SetAttributes(attributes);
            }

            return pairs;
        }
    }

    private RValue Environment()
    {
        Take(4, "an environment");
        RValue environment = Remember(new ROther("an environment"));
        for (int part = 0; part < 4; part++)
        {
            Item();
        }

        return environment;
    }

    private RValue Named()
    {
        Take(4, "a name");
        int count = Length(Int("a number of names"), 4, "names");
        for (int i = 0; i < count; i++)
        {
            Item();
        }

        return Remember(new ROther("a package of R"));
    }

    private RValue Symbol()
    {
        int at = _at;
        RValue text = Item();
        return Remember(new RSymbol((text as RText)?.Values is [{ } known] ? known : text is RText
            ? "NA" : throw Fault(at, "the text of a symbol", text.Kind)));
    }

    private RValue Pointer(int flags)
    {
        RValue pointer = Remember(new ROther("a pointer"));
        Item();
        Item();
        return Attributed(pointer, flags);
    }

    private RValue Reference(int flags, int at)
    {
        int index = flags >> 8;
        index = index == 0 ? Int("the number of a reference") : index;
        return index >= 1 && index <= _references.Count
            ? _references[index - 1]
            : throw Fault(at, $"a reference from 1 to {_references.Count}", $"{index}");
    }

    private RValue Remember(RValue value)
    {
        _references.Add(value);
        return value;
    }

    private RValue Attributed(RValue value, int flags)
    {
        if ((flags & HasAttributes) == 0)
        {
            return value;
        }

        int at = _at;
        if (Item() is not RPairs pairs)
        {
            throw Fault(at, "the attributes of a value", "a value of another kind");
        }

        value.SetAttributes(pairs);
        return value;
    }

    /// <summary>Vectors in another form than their elements: sequences, numbers as texts, and wrappers.</summary>
    private RValue Compact(int at)
    {
        RValue info = Item(), state = Item(), attributes = Item();
        string? kind = info is RPairs { Items: [(_, RSymbol symbol), ..] } ? symbol.Name : null;
        RValue value = kind switch
        {
            "compact_intseq" => new RIntegers(Array.ConvertAll(Sequence(state, at), number => (int)number), false),
            "compact_realseq" => new RNumbers(Sequence(state, at)),
            "deferred_string" => Deferred((state as RPairs)?.Items[0].Value, at),
            "wrap_real" or "wrap_integer" or "wrap_logical" or "wrap_string" or "wrap_list" or "wrap_raw" => Copy(
                (state as RPairs)?.Items[0].Value ?? (state as RList)?.Values.FirstOrDefault(), at),
            _ => throw Fault(at, "a compact sequence, deferred texts or a wrapper", kind ?? info.Kind),
        };
        if (attributes is RPairs some)
        {
            value.SetAttributes(some);
        }

        return value;
    }

    private double[] Sequence(RValue state, int at)
    {
        if (state is not RNumbers { Values: [var count, var first, var step] } || !(count >= 0 && count <= MaxCompact)
            || !(Math.Abs(first) + count <= int.MaxValue) || step is not (1 or -1))
        {
            throw Fault(at, $"a sequence of at most {MaxCompact} 32-bit numbers with step 1 or -1", "another one");
        }

        Charge((long)count, at);
        var values = new double[(int)count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = first + (i * step);
        }

        return values;
    }

    private RText Deferred(RValue? numbers, int at)
    {
        Charge(numbers?.Count ?? 0, at);
        return numbers switch
        {
            RIntegers whole => new RText(Array.ConvertAll(
                whole.Values, value => value == RIntegers.Missing ? null : value.ToString(CultureInfo.InvariantCulture))),
            RNumbers real => new RText(Array.ConvertAll(
                real.Values, value => double.IsNaN(value) ? null : value.ToString("G15", CultureInfo.InvariantCulture))),
            _ => throw Fault(at, "numbers that stand for texts", numbers?.Kind ?? "nothing"),
        };
    }

    // A wrapped vector may be read again through a reference, and its attributes are its own.
    private RValue Copy(RValue? value, int at) => value switch
    {
        RIntegers whole => new RIntegers(whole.Values, whole.Kind == "truth values"),
        RNumbers real => new RNumbers(real.Values),
        RText text => new RText(text.Values),
        RBytes bytes => new RBytes(bytes.Values),
        RList list => new RList(list.Values),
        _ => throw Fault(at, "a wrapped vector", value?.Kind ?? "nothing"),
    };

    private void Charge(long count, int at)
    {
        _compact += count;
        if (_compact > MaxCompact)
        {
            throw Fault(at, $"at most {MaxCompact} numbers in compact form", "more");
        }
    }

    /// <summary>Reads a number of elements; gives their size in bytes.</summary>
    private int Elements(int size)
    {
        int at = _at, count = Int("a number of elements");
        return checked(Length(count, size, "elements", at) * size);
    }

    private int Length(int count, int size, string what, int at = -1)
    {
        long left = content.Length - _at;
        return count >= 0 && (long)count * size <= left
            ? count
            : throw Fault(at < 0 ? _at - 4 : at, $"a number of {what} that the {left} bytes behind it can hold", $"{count}");
    }

    private int Int(string what) => BinaryPrimitives.ReadInt32BigEndian(Take(4, what));

    private ReadOnlySpan<byte> Take(int count, string what)
    {
        if (count > content.Length - _at)
        {
            throw Fault(content.Length, what, "the end of the content");
        }

        ReadOnlySpan<byte> bytes = content.AsSpan(_at, count);
        _at += count;
        return bytes;
    }

    private FileFormatException Fault(int at, string expected, string got) => new(name, at, expected, got);
}
