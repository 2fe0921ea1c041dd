using System.Buffers;

namespace FastNN.Hosting;

/// <summary>A parameter of a request, of an input or of an output: an entry of a map, as the wire has it.</summary>
internal readonly struct ParameterEntry
{
    private const int Int64 = 2;
    private const int UInt64 = 5;

    private readonly int _choice;
    private readonly ulong _number;

    private ParameterEntry(in ReadOnlySequence<byte> name, int choice, ulong number)
    {
        Name = name;
        _choice = choice;
        _number = number;
    }

    /// <summary>What it is called.</summary>
    public ReadOnlySequence<byte> Name { get; }

    /// <summary>Reads an entry.</summary>
    public static ParameterEntry Read(in ReadOnlySequence<byte> entry)
    {
        ReadOnlySequence<byte> name = default;
        int choice = 0;
        ulong number = 0;
        var reader = new WireReader(entry);
        while (reader.TryReadTag(out int field, out WireType type))
        {
            if (field == 1 && type == WireType.Bytes)
            {
                name = reader.ReadBytes();
            }
            else if (field == 2 && type == WireType.Bytes)
            {
                var value = new WireReader(reader.ReadBytes());
                while (value.TryReadTag(out int next, out WireType form))
                {
                    // Of several choices the last one holds; text and fractions are none that a parameter of this server takes.
                    choice = form == WireType.Varint ? next : 0;
                    if (form == WireType.Varint)
                    {
                        number = value.ReadVarint();
                    }
                    else
                    {
                        value.Skip(next, form);
                    }
                }
            }
            else
            {
                reader.Skip(field, type);
            }
        }

        return new ParameterEntry(name, choice, number);
    }

    /// <summary>The value of a parameter that is a whole number.</summary>
    /// <param name="name">Its name, for the message.</param>
    /// <exception cref="InferenceException">It is something else.</exception>
    public long Integer(string name) => _choice switch
    {
        Int64 => (long)_number,
        UInt64 when _number <= long.MaxValue => (long)_number,
        _ => throw new InferenceException(
            InferenceFailure.InvalidInput, $"parameter '{name}': expected a whole number in int64_param, got another value"),
    };
}
