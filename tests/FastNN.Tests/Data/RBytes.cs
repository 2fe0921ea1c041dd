using System.Buffers.Binary;
using System.Text;

namespace FastNN.Tests.Data;

/// <summary>Writes values in the serialization of R, for tests.</summary>
internal sealed class RBytes
{
    private const int HasAttributes = 1 << 9, HasTag = 1 << 10, Latin1 = 1 << 14, Utf8 = 1 << 15, Ascii = 1 << 18;

    private readonly List<byte> _bytes = [];

    public static byte[] Value(Action<RBytes> write, int version = 3)
    {
        var bytes = new RBytes();
        bytes._bytes.AddRange("X\n"u8);
        bytes.Int(version).Int(0x00040202).Int(0x00030500);
        if (version == 3)
        {
            bytes.Int(5)._bytes.AddRange("UTF-8"u8);
        }

        write(bytes);
        return bytes._bytes.ToArray();
    }

    /// <summary>A file of named values.</summary>
    public static byte[] File(params (string Name, Action<RBytes> Write)[] values) =>
        [.. "RDX3\n"u8, .. Value(bytes => bytes.Pairs(values))];

    public RBytes Int(int value)
    {
        Span<byte> four = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(four, value);
        _bytes.AddRange(four);
        return this;
    }

    public RBytes Double(double value)
    {
        Span<byte> eight = stackalloc byte[8];
        BinaryPrimitives.WriteDoubleBigEndian(eight, value);
        _bytes.AddRange(eight);
        return this;
    }

    public RBytes Null() => Int(254);

    public RBytes Symbol(string name)
    {
        Int(1);
        return Text(name);
    }

    public RBytes Text(string? text, bool latin1 = false)
    {
        if (text is null)
        {
            return Int(9).Int(-1);
        }

        byte[] bytes = latin1 ? Encoding.Latin1.GetBytes(text) : Encoding.UTF8.GetBytes(text);
        Int(9 | (latin1 ? Latin1 : System.Text.Ascii.IsValid(text) ? Ascii : Utf8)).Int(bytes.Length);
        _bytes.AddRange(bytes);
        return this;
    }

    public RBytes Texts(params string?[] texts)
    {
        Int(16).Int(texts.Length);
        foreach (string? text in texts)
        {
            Text(text);
        }

        return this;
    }

    public RBytes Integers(params int[] values) => Integers(false, values);

    public RBytes Numbers(params double[] values)
    {
        Int(14).Int(values.Length);
        Array.ForEach(values, value => Double(value));
        return this;
    }

    public RBytes Factor(string[] levels, params int[] codes) => Integers(true, codes).Pairs(
        ("levels", bytes => bytes.Texts(levels)), ("class", bytes => bytes.Texts("factor")));

    public RBytes Pairs(params (string Name, Action<RBytes> Write)[] items)
    {
        foreach ((string name, Action<RBytes> write) in items)
        {
            Int(2 | HasTag).Symbol(name);
            write(this);
        }

        return Null();
    }

    public RBytes Table(params (string Name, Action<RBytes> Write)[] columns)
    {
        Int(19 | HasAttributes).Int(columns.Length);
        Array.ForEach(columns, column => column.Write(this));
        return Pairs(
            ("names", bytes => bytes.Texts([.. columns.Select(column => column.Name)])),
            ("class", bytes => bytes.Texts("data.frame")), ("row.names", bytes => bytes.Integers(int.MinValue, -2)));
    }

    /// <summary>A vector in compact form: its class, its state and its attributes.</summary>
    public RBytes Compact(string kind, Action<RBytes> state)
    {
        Int(238).Int(2).Symbol(kind).Int(2).Symbol("base").Int(2).Integers(13).Null();
        state(this);
        return Null();
    }

    private RBytes Integers(bool hasAttributes, int[] values)
    {
        Int(13 | (hasAttributes ? HasAttributes : 0)).Int(values.Length);
        Array.ForEach(values, value => Int(value));
        return this;
    }
}
