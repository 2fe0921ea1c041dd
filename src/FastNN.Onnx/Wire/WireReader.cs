using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using FastNN.Formats;

namespace FastNN.Onnx.Wire;

/// <summary>
/// Reads one message of protobuf's wire format, field by field, without copying: what a field holds is asked for by kind after
/// <see cref="Next"/>, or skipped. Every place is checked against the message's end; nothing is allocated but the texts.
/// </summary>
internal ref struct WireReader
{
    // Messages within messages. The official implementations refuse more as well.
    private const int MaxDepth = 100;

    // Of a message over 2 GiB, one window after the other.
    private const int WindowBytes = 1 << 30;

    private readonly Content _content;
    private readonly long _end;
    private readonly int _depth;
    private ReadOnlySpan<byte> _window;
    private long _windowStart;
    private int _place;
    private WireType _type;

    private WireReader(Content content, long start, long end, int depth)
    {
        _content = content;
        _end = end;
        _depth = depth;
        _windowStart = start;
        _window = content.Slice(start, (int)Math.Min(WindowBytes, end - start));
    }

    /// <summary>The number of the field that <see cref="Next"/> came to.</summary>
    public int Field { get; private set; }

    /// <summary>Where the next byte stands in the content.</summary>
    public readonly long Offset => _windowStart + _place;

    /// <summary>The whole content as one message.</summary>
    public static WireReader Of(Content content) => new(content, 0, content.Length, 0);

    /// <summary>Some bytes as one message, or as a packed list.</summary>
    public static WireReader Of(ByteRange range) => new(range.Content, range.Offset, range.End, 0);

    /// <summary>Comes to the next field; false at the message's end.</summary>
    public bool Next()
    {
        if (Offset == _end)
        {
            return false;
        }

        long start = Offset;
        ulong tag = ReadVarint();
        if (tag > uint.MaxValue || tag >> 3 == 0)
        {
            throw Error(start, "a field's tag", string.Create(CultureInfo.InvariantCulture, $"{tag}"));
        }

        Field = (int)(tag >> 3);
        _type = (WireType)(tag & 7);
        return _type is WireType.Varint or WireType.Fixed32 or WireType.Fixed64 or WireType.Bytes
            ? true
            : throw Error(start, "a field of wire type 0, 1, 2 or 5",
                string.Create(CultureInfo.InvariantCulture, $"type {(int)_type}"));
    }

    /// <summary>Goes over the field.</summary>
    public void Skip()
    {
        switch (_type)
        {
            case WireType.Varint:
                ReadVarint();
                break;
            case WireType.Fixed64:
                Take(8);
                break;
            case WireType.Fixed32:
                Take(4);
                break;
            default:
                Range();
                break;
        }
    }

    /// <summary>An int64 or an enumeration's number.</summary>
    public long Int64()
    {
        Require(WireType.Varint, "an integer");
        return (long)ReadVarint();
    }

    /// <summary>An int32; numbers beyond are cut, as the official implementations do.</summary>
    public int Int32() => (int)Int64();

    /// <summary>A float.</summary>
    public float Single()
    {
        Require(WireType.Fixed32, "a float");
        return BinaryPrimitives.ReadSingleLittleEndian(Take(4));
    }

    /// <summary>The place of a field of bytes.</summary>
    public ByteRange Bytes()
    {
        Require(WireType.Bytes, "a length and bytes");
        return Range();
    }

    /// <summary>Text in UTF-8.</summary>
    public string Text()
    {
        long start = Offset;
        ByteRange range = Bytes();
        if (range.Length > 1 << 24)
        {
            throw Error(start, "a text of at most 16 MiB", string.Create(CultureInfo.InvariantCulture, $"{range.Length} bytes"));
        }

        ReadOnlySpan<byte> bytes = _content.Slice(range.Offset, (int)range.Length);
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw Error(start, "text in UTF-8", "other bytes");
    }

    /// <summary>A message within this one.</summary>
    public WireReader Message()
    {
        long start = Offset;
        ByteRange range = Bytes();
        return _depth < MaxDepth
            ? new WireReader(_content, range.Offset, range.End, _depth + 1)
            : throw Error(start, $"at most {MaxDepth} messages within one another", "more");
    }

    /// <summary>Appends an integer, or the integers of a packed list.</summary>
    public void AppendInt64(List<long> list)
    {
        if (_type == WireType.Varint)
        {
            list.Add((long)ReadVarint());
            return;
        }

        WireReader packed = Packed("an integer or a packed list of integers");
        while (packed.Offset < packed._end)
        {
            list.Add((long)packed.ReadVarint());
        }
    }

    /// <summary>Appends a float, or the floats of a packed list.</summary>
    public void AppendSingle(List<float> list)
    {
        if (_type == WireType.Fixed32)
        {
            list.Add(Single());
            return;
        }

        WireReader packed = Packed("a float or a packed list of floats");
        while (packed.Offset < packed._end)
        {
            list.Add(BinaryPrimitives.ReadSingleLittleEndian(packed.Take(4)));
        }
    }

    /// <summary>
    /// The place of one element or of a packed list of elements, as bytes: what a tensor's typed data is kept as until somebody
    /// asks for it. The list is gone through once, so that a damaged one is told with the file and not while it is computed with.
    /// </summary>
    /// <param name="width">The bytes of an element; 0 for integers of any length.</param>
    public ByteRange Elements(int width)
    {
        long start = Offset;
        switch (_type)
        {
            case WireType.Bytes:
                ByteRange range = Range();
                if (width > 0 && range.Length % width != 0)
                {
                    throw Error(start, string.Create(CultureInfo.InvariantCulture, $"elements of {width} bytes"),
                        string.Create(CultureInfo.InvariantCulture, $"{range.Length} bytes"));
                }

                var list = new WireReader(_content, range.Offset, range.End, _depth);
                while (width == 0 && list.TryVarint(out _))
                {
                }

                return range;
            default:
                Skip();
                return new ByteRange(_content, start, Offset - start);
        }
    }

    /// <summary>The next integer of a packed list that this reader was made of; false at its end.</summary>
    public bool TryVarint(out long value)
    {
        if (Offset == _end)
        {
            value = 0;
            return false;
        }

        value = (long)ReadVarint();
        return true;
    }

    private WireReader Packed(string expected)
    {
        Require(WireType.Bytes, expected);
        ByteRange range = Range();
        return new WireReader(_content, range.Offset, range.End, _depth);
    }

    private ByteRange Range()
    {
        long start = Offset;
        ulong length = ReadVarint();
        if (length > (ulong)(_end - Offset))
        {
            throw Error(start, string.Create(CultureInfo.InvariantCulture, $"at most the {_end - Offset} bytes that are left"),
                string.Create(CultureInfo.InvariantCulture, $"a length of {length}"));
        }

        var range = new ByteRange(_content, Offset, (long)length);
        MoveTo(range.End);
        return range;
    }

    private ulong ReadVarint()
    {
        long start = Offset;
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte b = Take(1)[0];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }

        throw Error(start, "an integer of at most 10 bytes", "more");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _window.Length - _place)
        {
            long start = Offset;
            if (count > _end - start)
            {
                throw Error(start, string.Create(CultureInfo.InvariantCulture, $"{count} bytes"),
                    string.Create(CultureInfo.InvariantCulture, $"the end after {_end - start}"));
            }

            MoveTo(start);
        }

        ReadOnlySpan<byte> taken = _window.Slice(_place, count);
        _place += count;
        return taken;
    }

    private void MoveTo(long offset)
    {
        if (offset <= _windowStart + _window.Length && offset >= _windowStart && _window.Length - (offset - _windowStart) >= 16)
        {
            _place = (int)(offset - _windowStart);
            return;
        }

        _windowStart = offset;
        _place = 0;
        _window = _content.Slice(offset, (int)Math.Min(WindowBytes, _end - offset));
    }

    private readonly void Require(WireType type, string expected)
    {
        if (_type != type)
        {
            throw Error(Offset, $"{expected} in field {Field}", $"wire type {(int)_type}");
        }
    }

    private readonly FileFormatException Error(long offset, string expected, string got) =>
        new(_content.Name, offset, expected, got);
}
