namespace FastNN.Hosting.Protocol;

/// <summary>The names and sizes of element types in the Open Inference Protocol, version 2.</summary>
internal static class TensorDataTypes
{
    private static readonly string[] _names =
    [
        "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BF16", "BYTES",
    ];

    private static readonly byte[][] _utf8 = Array.ConvertAll(_names, System.Text.Encoding.UTF8.GetBytes);

    private static readonly string[] _configNames =
        Array.ConvertAll(_names, name => name == "BYTES" ? "TYPE_STRING" : "TYPE_" + name);

    /// <summary>All names, as an error lists them.</summary>
    public static string All { get; } = string.Join(", ", _names);

    /// <summary>As in <c>FP32</c>.</summary>
    public static string Name(TensorDataType type) => _names[(int)type];

    /// <summary>The name in UTF-8.</summary>
    public static ReadOnlySpan<byte> Utf8(TensorDataType type) => _utf8[(int)type];

    /// <summary>As Triton's model configuration has it, as in <c>TYPE_FP32</c>.</summary>
    public static string ConfigName(TensorDataType type) => _configNames[(int)type];

    /// <summary>Bytes of an element; 0 for <see cref="TensorDataType.Bytes"/>, whose elements differ.</summary>
    public static int Size(TensorDataType type) => type switch
    {
        TensorDataType.Bool or TensorDataType.UInt8 or TensorDataType.Int8 => 1,
        TensorDataType.UInt16 or TensorDataType.Int16 or TensorDataType.Float16 or TensorDataType.BFloat16 => 2,
        TensorDataType.UInt32 or TensorDataType.Int32 or TensorDataType.Float32 => 4,
        TensorDataType.UInt64 or TensorDataType.Int64 or TensorDataType.Float64 => 8,
        _ => 0,
    };

    /// <summary>Finds a type by its name, in capitals as the protocol has it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> name, out TensorDataType type)
    {
        for (int i = 0; i < _utf8.Length; i++)
        {
            if (name.SequenceEqual(_utf8[i]))
            {
                type = (TensorDataType)i;
                return true;
            }
        }

        type = default;
        return false;
    }
}
