using System.Buffers;

namespace FastNN.Hosting;

/// <summary>
/// Reads the wire format of protocol buffers where it lies, in as many segments as it came in. A damaged message ends in an
/// <see cref="InferenceException"/>: nothing here reads beyond what it was given, or allocates.
/// </summary>
internal ref struct WireReader(in ReadOnlySequence<byte> message)
{
    /// <summary>Groups in one another before a message is refused; protocol buffers' own readers stop at about as many.</summary>
    private const int MaxGroups = 64;

    private SequenceReader<byte> _reader = new(message);

    /// <summary>Whether everything has been read.</summary>
    public readonly bool End => _reader.End;

    /// <summary>Reads which field comes next, and how it is written.</summary>
    /// <returns>False at the end of the message.</returns>
    public bool TryReadTag(out int field, out WireType type)
    {
        if (_reader.End)
        {
            (field, type) = (0, default);
            return false;
        }

        ulong tag = ReadVarint();
        field = (int)(tag >> 3);
        type = (WireType)(tag & 7);
        if (tag > uint.MaxValue || field == 0 || type > WireType.Fixed32)
        {
            throw Malformed("a tag that no field has");
        }

        return true;
    }

    /// <summary>Reads a number of one to ten bytes.</summary>
    public ulong ReadVarint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            if (!_reader.TryRead(out byte next))
            {
                throw Malformed("a number that is cut off");
            }

            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw Malformed("a number of more than ten bytes");
    }

    /// <summary>Reads a length and that many bytes, without copying them.</summary>
    public ReadOnlySequence<byte> ReadBytes()
    {
        ulong length = ReadVarint();
        if (length > (ulong)_reader.Remaining)
        {
            throw Malformed("a field that is longer than the message");
        }

        ReadOnlySequence<byte> bytes = _reader.Sequence.Slice(_reader.Position, (long)length);
        _reader.Advance((long)length);
        return bytes;
    }

    /// <summary>Reads as many bytes as a fixed-width element has.</summary>
    public void ReadFixed(Span<byte> element)
    {
        if (!_reader.TryCopyTo(element))
        {
            throw Malformed("a number that is cut off");
        }

        _reader.Advance(element.Length);
    }

    /// <summary>Goes on to the next field of one number, over all others.</summary>
    /// <returns>False when there is none left.</returns>
    public bool TryReadNext(int field, out ReadOnlySequence<byte> bytes)
    {
        while (TryReadTag(out int next, out WireType type))
        {
            if (next == field && type == WireType.Bytes)
            {
                bytes = ReadBytes();
                return true;
            }

            Skip(next, type);
        }

        bytes = default;
        return false;
    }

    /// <summary>Goes over a field that is not wanted.</summary>
    public void Skip(int field, WireType type) => Skip(field, type, MaxGroups);

    private void Skip(int field, WireType type, int groups)
    {
        switch (type)
        {
            case WireType.Varint:
                ReadVarint();
                break;
            case WireType.Fixed64:
                Advance(8);
                break;
            case WireType.Bytes:
                ReadBytes();
                break;
            case WireType.Fixed32:
                Advance(4);
                break;
            case WireType.StartGroup when groups > 0:
                SkipGroup(field, groups - 1);
                break;
            default:
                throw Malformed("groups that do not match");
        }
    }

    private void SkipGroup(int group, int groups)
    {
        while (TryReadTag(out int field, out WireType type))
        {
            if (type == WireType.EndGroup && field == group)
            {
                return;
            }

            Skip(field, type, groups);
        }

        throw Malformed("a group that does not end");
    }

    private void Advance(long count)
    {
        if (_reader.Remaining < count)
        {
            throw Malformed("a number that is cut off");
        }

        _reader.Advance(count);
    }

    private readonly InferenceException Malformed(string found) => new(
        InferenceFailure.InvalidInput,
        $"expected a ModelInferRequest in protocol buffers' wire format, got {found} (byte {_reader.Consumed} of {_reader.Length})");
}

/// <summary>How a field is written.</summary>
internal enum WireType
{
    /// <summary>One to ten bytes of seven bits each.</summary>
    Varint,

    /// <summary>Eight bytes.</summary>
    Fixed64,

    /// <summary>A length, and as many bytes: text, a message, or elements one behind the other.</summary>
    Bytes,

    /// <summary>Fields up to the end of the group; no longer used, and still to be read over.</summary>
    StartGroup,

    /// <summary>The end of a group.</summary>
    EndGroup,

    /// <summary>Four bytes.</summary>
    Fixed32,
}
