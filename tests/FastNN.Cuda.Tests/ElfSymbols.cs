using System.Buffers.Binary;
using System.Text;

namespace FastNN.Cuda.Tests;

/// <summary>
/// The functions that a 64-bit little-endian ELF library exports, read from its dynamic symbol table: nothing is loaded, so
/// neither what it depends on nor a GPU need be there.
/// </summary>
internal static class ElfSymbols
{
    private const int SectionSize = 64, SymbolSize = 24, DynamicSymbols = 11;

    public static HashSet<string> Read(string path)
    {
        using FileStream file = File.OpenRead(path);
        byte[] header = Bytes(file, 0, 64);
        if (!header.AsSpan(0, 6).SequenceEqual("\u007FELF\u0002\u0001"u8))
        {
            throw new InvalidDataException($"{path} is no 64-bit little-endian ELF file.");
        }

        int count = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(0x3C));
        byte[] sections = Bytes(file, Long(header, 0x28), count * SectionSize);
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> section = sections.AsSpan(i * SectionSize, SectionSize);
            if (BinaryPrimitives.ReadInt32LittleEndian(section[4..]) == DynamicSymbols)
            {
                ReadOnlySpan<byte> strings = sections.AsSpan(
                    BinaryPrimitives.ReadInt32LittleEndian(section[0x28..]) * SectionSize, SectionSize);
                Collect(Content(file, section), Content(file, strings), names);
            }
        }

        return names;
    }

    private static void Collect(ReadOnlySpan<byte> symbols, ReadOnlySpan<byte> strings, HashSet<string> names)
    {
        for (; symbols.Length >= SymbolSize; symbols = symbols[SymbolSize..])
        {
            bool isDefined = BinaryPrimitives.ReadUInt16LittleEndian(symbols[6..]) != 0;
            if (isDefined)
            {
                ReadOnlySpan<byte> name = strings[BinaryPrimitives.ReadInt32LittleEndian(symbols)..];
                names.Add(Encoding.ASCII.GetString(name[..name.IndexOf((byte)0)]));
            }
        }
    }

    private static byte[] Content(FileStream file, ReadOnlySpan<byte> section) =>
        Bytes(file, Long(section, 0x18), checked((int)Long(section, 0x20)));

    private static long Long(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadInt64LittleEndian(bytes[offset..]);

    private static byte[] Bytes(FileStream file, long offset, int count)
    {
        byte[] bytes = new byte[count];
        file.Position = offset;
        file.ReadExactly(bytes);
        return bytes;
    }
}
