namespace FastNN.Formats;

/// <summary>The element types of a safetensors file that FastNN reads. Values are little-endian.</summary>
public enum SafetensorsType
{
    /// <summary>One byte, 0 or 1.</summary>
    Bool,

    /// <summary>Unsigned 8-bit integer.</summary>
    U8,

    /// <summary>IEEE 754 binary16.</summary>
    F16,

    /// <summary>The upper half of a binary32.</summary>
    BF16,

    /// <summary>Signed 32-bit integer.</summary>
    I32,

    /// <summary>IEEE 754 binary32.</summary>
    F32,

    /// <summary>Signed 64-bit integer.</summary>
    I64,

    /// <summary>IEEE 754 binary64.</summary>
    F64,
}

/// <summary>Names and sizes of <see cref="SafetensorsType"/>.</summary>
internal static class SafetensorsTypes
{
    public static int Size(this SafetensorsType type) => type switch
    {
        SafetensorsType.Bool or SafetensorsType.U8 => 1,
        SafetensorsType.F16 or SafetensorsType.BF16 => 2,
        SafetensorsType.I32 or SafetensorsType.F32 => 4,
        SafetensorsType.I64 or SafetensorsType.F64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "no safetensors type"),
    };

    public static string Name(this SafetensorsType type) => type switch
    {
        SafetensorsType.Bool => "BOOL",
        SafetensorsType.U8 => "U8",
        SafetensorsType.F16 => "F16",
        SafetensorsType.BF16 => "BF16",
        SafetensorsType.I32 => "I32",
        SafetensorsType.F32 => "F32",
        SafetensorsType.I64 => "I64",
        SafetensorsType.F64 => "F64",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "no safetensors type"),
    };

    public static bool TryParse(string name, out SafetensorsType type)
    {
        (bool known, type) = name switch
        {
            "BOOL" => (true, SafetensorsType.Bool),
            "U8" => (true, SafetensorsType.U8),
            "F16" => (true, SafetensorsType.F16),
            "BF16" => (true, SafetensorsType.BF16),
            "I32" => (true, SafetensorsType.I32),
            "F32" => (true, SafetensorsType.F32),
            "I64" => (true, SafetensorsType.I64),
            "F64" => (true, SafetensorsType.F64),
            _ => (false, default),
        };
        return known;
    }
}
