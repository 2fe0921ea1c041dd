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

    /// <summary>
    /// Ours: more than the largest published models have in one file, and an end to what a small file can make us keep.
    /// </summary>
    public const int MaxTensors = 1 << 16;

    /// <summary>The most bytes of a tensor's name or of a key of the metadata, as they are written in the file.</summary>
    public const int MaxNameBytes = 512;

    /// <summary>The most entries of metadata.</summary>
    public const int MaxMetadata = 4096;

    /// <summary>The most bytes of all values of the metadata together.</summary>
    public const int MaxMetadataBytes = 8 << 20;

    private const string MetadataName = "__metadata__";
    private const int Prefix = sizeof(ulong);
    private const int MaxJsonDepth = 8;
    private const int MaxRank = 64;

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
            throw new FileFormatException(
                file, 0, $"a header within the file's {fileLength} bytes", $"a header of {declared} bytes");
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
            throw header.Fault(0, "a header in UTF-8", "bytes that are not UTF-8");

        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxJsonDepth });
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
            string name = ReadName(ref reader, "a tensor's name");
            if (name == MetadataName)
            {
                if (metadataSeen)
                {
                    throw Fault(at, "one __metadata__", "a second one");
                }

                metadataSeen = true;
                ReadMetadata(ref reader);
                continue;
            }

            if (_tensors.Count == MaxTensors)
            {
                throw Fault(at, $"at most {MaxTensors} tensors", "more");
            }

            SafetensorsTensor tensor = ReadTensor(ref reader, name, dataStart);
            if (!_byName.TryAdd(name, tensor))
            {
                throw Fault(at, "each tensor once", $"a second {Quoted(name)}");
            }

            _tensors.Add(tensor);
        }

        // Anything but white space after the object is a JsonException of this call.
        reader.Read();
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject, "an object of strings as __metadata__");
        long bytes = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            long at = reader.TokenStartIndex;
            if (_metadata.Count == MaxMetadata)
            {
                throw Fault(at, $"at most {MaxMetadata} entries of metadata", "more");
            }

            string key = ReadName(ref reader, "a metadata key");
            Expect(ref reader, JsonTokenType.String, "a string as metadata", key);
            bytes += reader.ValueSpan.Length;
            if (bytes > MaxMetadataBytes)
            {
                throw Fault(reader.TokenStartIndex, $"at most {MaxMetadataBytes} bytes of metadata", "more");
            }

            if (!_metadata.TryAdd(key, reader.GetString()!))
            {
                throw Fault(at, "each metadata key once", $"a second {Quoted(key)}");
            }
        }
    }

    private SafetensorsTensor ReadTensor(ref Utf8JsonReader reader, string name, long dataStart)
    {
        Expect(ref reader, JsonTokenType.StartObject, "an object for tensor", name);
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
            {
                throw Fault(field, $"dtype, shape and data_offsets once for tensor {Quoted(name)}", "one of them twice");
            }
        }

        if (type is null || shape is null || range is null)
        {
            throw Fault(at, $"dtype, shape and data_offsets for tensor {Quoted(name)}", "an object that lacks one of them");
        }

        CheckSize(at, name, type.Value, shape, range.Value);
        return new SafetensorsTensor(name, type.Value, shape, dataStart + range.Value.Begin, range.Value.End - range.Value.Begin);
    }

    // Checked before a string is made of it, because a file may claim a name of a hundred megabytes.
    private string ReadName(ref Utf8JsonReader reader, string what)
    {
        if (reader.ValueSpan.Length > MaxNameBytes)
        {
            throw Fault(reader.TokenStartIndex, $"{what} of at most {MaxNameBytes} bytes", $"one of {reader.ValueSpan.Length}");
        }

        return reader.GetString()!;
    }

    private SafetensorsType ReadType(ref Utf8JsonReader reader, string name)
    {
        Expect(ref reader, JsonTokenType.String, "a string as dtype of", name);
        if (reader.ValueSpan.Length <= Quote.Longest && SafetensorsTypes.TryParse(reader.GetString()!, out SafetensorsType type))
        {
            return type;
        }

        throw Fault(
            reader.TokenStartIndex, $"a dtype of BOOL, U8, F16, BF16, I32, F32, I64, F64 for {Quoted(name)}",
            Describe(ref reader));
    }

    private int[] ReadShape(ref Utf8JsonReader reader, string name)
    {
        Expect(ref reader, JsonTokenType.StartArray, "an array as shape of", name);
        Span<int> shape = stackalloc int[MaxRank];
        int rank = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            int size = (int)ReadInteger(ref reader, int.MaxValue, "sizes from 0 to 2147483647 in the shape of", name);
            if (rank == MaxRank)
            {
                throw Fault(reader.TokenStartIndex, $"at most {MaxRank} dimensions for {Quoted(name)}", "more");
            }

            shape[rank++] = size;
        }

        return shape[..rank].ToArray();
    }

    private (long Begin, long End) ReadRange(ref Utf8JsonReader reader, string name)
    {
        const string Wanted = "[begin, end] as data_offsets of";
        Expect(ref reader, JsonTokenType.StartArray, Wanted, name);
        reader.Read();
        long begin = ReadInteger(ref reader, long.MaxValue, Wanted, name);
        reader.Read();
        long end = ReadInteger(ref reader, long.MaxValue, Wanted, name);
        Expect(ref reader, JsonTokenType.EndArray, Wanted, name);
        return end < begin
            ? throw Fault(reader.TokenStartIndex, $"begin <= end for {Quoted(name)}", $"[{begin}, {end}]")
            : (begin, end);
    }

    // What was wanted is put together only where it was not found: a header has several of these checks per tensor.
    private long ReadInteger(ref Utf8JsonReader reader, long highest, string wanted, string name)
    {
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long value) || value < 0 || value > highest)
        {
            throw Fault(reader.TokenStartIndex, $"{wanted} {Quoted(name)}", Describe(ref reader));
        }

        return value;
    }

    private void Expect(ref Utf8JsonReader reader, JsonTokenType token, string wanted, string? name = null)
    {
        reader.Read();
        if (reader.TokenType != token)
        {
            throw Fault(reader.TokenStartIndex, name is null ? wanted : $"{wanted} {Quoted(name)}", Describe(ref reader));
        }
    }

    private static string Quoted(string name) => $"'{Quote.Text(name)}'";

    private static string Describe(ref Utf8JsonReader reader)
    {
        ReadOnlySpan<byte> start = reader.ValueSpan[..Math.Min(reader.ValueSpan.Length, 4 * Quote.Longest)];
        return reader.TokenType switch
        {
            JsonTokenType.Number => System.Text.Encoding.UTF8.GetString(start),
            JsonTokenType.String or JsonTokenType.PropertyName => $"'{System.Text.Encoding.UTF8.GetString(start)}'",
            _ => reader.TokenType.ToString(),
        };
    }

    private void CheckSize(long at, string name, SafetensorsType type, int[] shape, (long Begin, long End) range)
    {
        // A zero anywhere makes the product zero, however large the rest is: only a product without zeros can overflow.
        Int128 bytes = Array.IndexOf(shape, 0) >= 0 ? 0 : type.Size();
        foreach (int size in shape)
        {
            bytes *= size;
            if (bytes > long.MaxValue)
                throw Fault(at, $"a size below 2^63 bytes for {Quoted(name)}", $"the shape {Quote.Shape(shape)}");
        }

        if (bytes != range.End - range.Begin)
        {
            throw Fault(
                at,
                string.Create(
                    CultureInfo.InvariantCulture, $"{bytes} bytes for {Quoted(name)} {type.Name()}{Quote.Shape(shape)}"),
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
                throw new FileFormatException(_file, Prefix, $"tensor {Quoted(tensor.Name)} at data offset {end - dataStart}",
                    $"{tensor.Offset - dataStart}, which {(tensor.Offset < end ? "overlaps another tensor" : "leaves a hole")}");
            }

            if (tensor.ByteLength > fileLength - end)
            {
                throw new FileFormatException(_file, fileLength,
                    $"{tensor.ByteLength} bytes of tensor {Quoted(tensor.Name)} from offset {end}",
                    $"the end of the file after {fileLength - end}");
            }

            end += tensor.ByteLength;
        }

        if (end != fileLength)
            throw new FileFormatException(_file, end, "the end of the file", $"{fileLength - end} bytes more");
    }

    private FileFormatException Fault(long jsonOffset, string expected, string got) =>
        new(_file, Prefix + jsonOffset, expected, got);
}
