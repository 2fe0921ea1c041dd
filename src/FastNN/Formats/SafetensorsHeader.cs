using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace FastNN.Formats;

/// <summary>
/// The JSON header of a safetensors file, checked to the last byte: after <see cref="Parse"/> every tensor's bytes lie in the
/// file, no two overlap, and none are left over.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The limit of the reference implementation.</summary>
    public const int LongestHeader = 100_000_000;

    private const string MetadataName = "__metadata__";
    private const int Prefix = sizeof(ulong);
    private const int DeepestJson = 8;
    private const int HighestRank = 64;

    private readonly string _file;
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SafetensorsTensor> _byName = new(StringComparer.Ordinal);
    private readonly List<SafetensorsTensor> _tensors = [];

    private SafetensorsHeader(string file) => _file = file;

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    public IReadOnlyDictionary<string, SafetensorsTensor> ByName => _byName;

    /// <summary>In the order of their bytes in the file.</summary>
    public IReadOnlyList<SafetensorsTensor> Tensors => _tensors;

    /// <summary>Checks the length that the first eight bytes declare against the file.</summary>
    public static int CheckLength(string file, ulong declared, long fileLength)
    {
        if (declared > LongestHeader)
            throw new FileFormatException(file, 0, $"a header of at most {LongestHeader} bytes", $"{declared}");
        if ((long)declared > fileLength - Prefix)
            throw new FileFormatException(file, 0, $"a header within the file's {fileLength} bytes", $"a header of {declared} bytes");
        if (declared < 2)
            throw new FileFormatException(file, 0, "a header of at least 2 bytes", $"{declared}");
        return (int)declared;
    }

    public static SafetensorsHeader Parse(string file, ReadOnlySpan<byte> json, long fileLength)
    {
        var header = new SafetensorsHeader(file);
        if (json[0] != (byte)'{')
            throw header.Fault(0, "'{' at the start of the header", $"byte 0x{json[0]:x2}");
        if (!Utf8.IsValid(json))
            throw header.Fault(0, "a header in UTF-8", "bytes that are no UTF-8");

        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = DeepestJson });
        try
        {
            header.ReadRoot(ref reader, Prefix + json.Length);
        }
        catch (JsonException e)
        {
            throw new FileFormatException(file, Prefix + reader.BytesConsumed, "a JSON header", e.Message, e);
        }
        catch (InvalidOperationException e)
        {
            // Escapes of half a surrogate pair pass the tokenizer and fail when the string is built.
            throw new FileFormatException(file, Prefix + reader.TokenStartIndex, "text", e.Message, e);
        }

        header.CheckCoverage(Prefix + json.Length, fileLength);
        return header;
    }

    private void ReadRoot(ref Utf8JsonReader reader, long dataStart)
    {
        bool metadataSeen = false;
        reader.Read();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            long at = reader.TokenStartIndex;
            string name = reader.GetString()!;
            if (name == MetadataName)
            {
                if (metadataSeen)
                    throw Fault(at, "one __metadata__", "a second one");
                metadataSeen = true;
                ReadMetadata(ref reader);
            }
            else
            {
                SafetensorsTensor tensor = ReadTensor(ref reader, name, dataStart);
                if (!_byName.TryAdd(name, tensor))
                    throw Fault(at, "each tensor once", $"a second '{name}'");
                _tensors.Add(tensor);
            }
        }

        // Anything but white space after the object is a JsonException of this call.
        reader.Read();
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject, "an object of strings as __metadata__");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            long at = reader.TokenStartIndex;
            string key = reader.GetString()!;
            Expect(ref reader, JsonTokenType.String, $"a string as metadata '{key}'");
            if (!_metadata.TryAdd(key, reader.GetString()!))
                throw Fault(at, "each metadata key once", $"a second '{key}'");
        }
    }

    private SafetensorsTensor ReadTensor(ref Utf8JsonReader reader, string name, long dataStart)
    {
        Expect(ref reader, JsonTokenType.StartObject, $"an object for tensor '{name}'");
        long at = reader.TokenStartIndex;
        SafetensorsType? type = null;
        int[]? shape = null;
        (long Begin, long End)? range = null;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            long field = reader.TokenStartIndex;
            bool first = true;
            if (reader.ValueTextEquals("dtype"u8))
            {
                first = type is null;
                type = ReadType(ref reader, name);
            }
            else if (reader.ValueTextEquals("shape"u8))
            {
                first = shape is null;
                shape = ReadShape(ref reader, name);
            }
            else if (reader.ValueTextEquals("data_offsets"u8))
            {
                first = range is null;
                range = ReadRange(ref reader, name);
            }
            else
            {
                reader.Skip();
            }

            if (!first)
                throw Fault(field, $"dtype, shape and data_offsets once for tensor '{name}'", "one of them twice");
        }

        if (type is null || shape is null || range is null)
            throw Fault(at, $"dtype, shape and data_offsets for tensor '{name}'", "an object that lacks one of them");
        CheckSize(at, name, type.Value, shape, range.Value);
        return new SafetensorsTensor(name, type.Value, shape, dataStart + range.Value.Begin, range.Value.End - range.Value.Begin);
    }

    private SafetensorsType ReadType(ref Utf8JsonReader reader, string name)
    {
        Expect(ref reader, JsonTokenType.String, $"a string as dtype of '{name}'");
        string text = reader.GetString()!;
        if (!SafetensorsTypes.TryParse(text, out SafetensorsType type))
            throw Fault(reader.TokenStartIndex, $"a dtype of BOOL, U8, F16, BF16, I32, F32, I64, F64 for '{name}'", $"'{text}'");
        return type;
    }

    private int[] ReadShape(ref Utf8JsonReader reader, string name)
    {
        Expect(ref reader, JsonTokenType.StartArray, $"an array as shape of '{name}'");
        var shape = new List<int>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            long size = ReadWhole(ref reader, $"sizes from 0 to {int.MaxValue} in the shape of '{name}'", int.MaxValue);
            if (shape.Count == HighestRank)
                throw Fault(reader.TokenStartIndex, $"at most {HighestRank} dimensions for '{name}'", "more");
            shape.Add((int)size);
        }

        return [.. shape];
    }

    private (long Begin, long End) ReadRange(ref Utf8JsonReader reader, string name)
    {
        string wanted = $"[begin, end] as data_offsets of '{name}'";
        Expect(ref reader, JsonTokenType.StartArray, wanted);
        reader.Read();
        long begin = ReadWhole(ref reader, wanted, long.MaxValue);
        reader.Read();
        long end = ReadWhole(ref reader, wanted, long.MaxValue);
        Expect(ref reader, JsonTokenType.EndArray, wanted);
        if (end < begin)
            throw Fault(reader.TokenStartIndex, $"begin <= end for '{name}'", $"[{begin}, {end}]");
        return (begin, end);
    }

    private long ReadWhole(ref Utf8JsonReader reader, string wanted, long highest)
    {
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long value) || value < 0 || value > highest)
            throw Fault(reader.TokenStartIndex, wanted, Quote(ref reader));
        return value;
    }

    private void Expect(ref Utf8JsonReader reader, JsonTokenType token, string wanted)
    {
        reader.Read();
        if (reader.TokenType != token)
            throw Fault(reader.TokenStartIndex, wanted, Quote(ref reader));
    }

    private static string Quote(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.Number => System.Text.Encoding.UTF8.GetString(reader.ValueSpan),
        JsonTokenType.String or JsonTokenType.PropertyName => $"'{reader.GetString()}'",
        _ => reader.TokenType.ToString(),
    };

    private void CheckSize(long at, string name, SafetensorsType type, int[] shape, (long Begin, long End) range)
    {
        // A zero anywhere makes the product zero, however large the rest is: only a product without zeros can overflow.
        Int128 bytes = Array.IndexOf(shape, 0) >= 0 ? 0 : type.Size();
        foreach (int size in shape)
        {
            bytes *= size;
            if (bytes > long.MaxValue)
                throw Fault(at, $"a size below 2^63 bytes for '{name}'", $"the shape [{string.Join(", ", shape)}]");
        }

        if (bytes != range.End - range.Begin)
        {
            throw Fault(at, string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes for '{name}' {type.Name()}[{string.Join(", ", shape)}]"),
                $"data_offsets [{range.Begin}, {range.End}]");
        }
    }

    // Once the tensors are in the order of their first bytes, each must begin where the one before it ended and the last one
    // must end with the file: this one rule refuses overlaps, holes, ranges beyond the end and bytes left over.
    private void CheckCoverage(long dataStart, long fileLength)
    {
        _tensors.Sort(static (a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset)
            : a.ByteLength != b.ByteLength ? a.ByteLength.CompareTo(b.ByteLength) : string.CompareOrdinal(a.Name, b.Name));
        long end = dataStart;
        foreach (SafetensorsTensor tensor in _tensors)
        {
            if (tensor.Offset != end)
            {
                throw new FileFormatException(_file, Prefix, $"tensor '{tensor.Name}' at data offset {end - dataStart}",
                    $"{tensor.Offset - dataStart}, which {(tensor.Offset < end ? "overlaps another tensor" : "leaves a hole")}");
            }

            if (tensor.ByteLength > fileLength - end)
            {
                throw new FileFormatException(_file, fileLength,
                    $"{tensor.ByteLength} bytes of tensor '{tensor.Name}' from offset {end}", $"the end of the file after {fileLength - end}");
            }

            end += tensor.ByteLength;
        }

        if (end != fileLength)
            throw new FileFormatException(_file, end, "the end of the file", $"{fileLength - end} bytes more");
    }

    private FileFormatException Fault(long jsonOffset, string expected, string got) => new(_file, Prefix + jsonOffset, expected, got);
}
