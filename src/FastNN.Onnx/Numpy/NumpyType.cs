using System.Globalization;

namespace FastNN.Onnx.Numpy;

/// <summary>How elements are stored: what they are, in how many bytes, and in which order.</summary>
/// <param name="Element">The element type.</param>
/// <param name="Size">Bytes of one element.</param>
/// <param name="IsSwapped">Whether the first byte is the most significant one.</param>
/// <param name="IsUnicode">Text of four bytes per character; else of one.</param>
internal readonly record struct NumpyType(OnnxElementType Element, int Size, bool IsSwapped, bool IsUnicode)
{
    private const int LongestText = 1 << 20;

    /// <summary>Reads a type such as <c>&lt;f4</c>; null where it is none that tensors have.</summary>
    public static NumpyType? Parse(string descr)
    {
        if (descr.Length < 2)
        {
            return descr == "?" ? new NumpyType(OnnxElementType.Bool, 1, false, false) : null;
        }

        char order = descr[0];
        string rest = order is '<' or '>' or '|' or '=' ? descr[1..] : descr;
        if (rest.Length < 2
            || !int.TryParse(rest.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out int size)
                || size is < 1 or > LongestText)
        {
            return null;
        }

        OnnxElementType element = (rest[0], size) switch
        {
            ('b', 1) => OnnxElementType.Bool,
            ('i', 1) => OnnxElementType.Int8,
            ('i', 2) => OnnxElementType.Int16,
            ('i', 4) => OnnxElementType.Int32,
            ('i', 8) => OnnxElementType.Int64,
            ('u', 1) => OnnxElementType.UInt8,
            ('u', 2) => OnnxElementType.UInt16,
            ('u', 4) => OnnxElementType.UInt32,
            ('u', 8) => OnnxElementType.UInt64,
            ('f', 2) => OnnxElementType.Float16,
            ('f', 4) => OnnxElementType.Float32,
            ('f', 8) => OnnxElementType.Float64,
            ('U' or 'S', _) => OnnxElementType.String,
            _ => OnnxElementType.Undefined,
        };
        bool isUnicode = rest[0] == 'U';
        return element == OnnxElementType.Undefined ? null
            : new NumpyType(element, isUnicode ? checked(4 * size) : size, order == '>', isUnicode);
    }

    /// <summary>The name of a type of numbers; null where NumPy has none.</summary>
    public static string? NameOf(OnnxElementType type) => type switch
    {
        OnnxElementType.Bool => "|b1",
        OnnxElementType.Int8 => "|i1",
        OnnxElementType.Int16 => "<i2",
        OnnxElementType.Int32 => "<i4",
        OnnxElementType.Int64 => "<i8",
        OnnxElementType.UInt8 => "|u1",
        OnnxElementType.UInt16 => "<u2",
        OnnxElementType.UInt32 => "<u4",
        OnnxElementType.UInt64 => "<u8",
        OnnxElementType.Float16 => "<f2",
        OnnxElementType.Float32 => "<f4",
        OnnxElementType.Float64 => "<f8",
        _ => null,
    };
}
