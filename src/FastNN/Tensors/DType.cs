namespace FastNN;

/// <summary>
/// The type of a tensor's elements. Arithmetic is float32 or wider; the narrower types store, and integers count, select and
/// order.
/// </summary>
public enum DType
{
    /// <summary>IEEE binary32: values, gradients and parameters.</summary>
    Float32,

    /// <summary>IEEE binary16, for storage.</summary>
    Float16,

    /// <summary>The upper half of a binary32 (bfloat16), for storage.</summary>
    BFloat16,

    /// <summary>IEEE binary64.</summary>
    Float64,

    /// <summary>8-bit signed integers: quantized values.</summary>
    Int8,

    /// <summary>Bytes: images, and records that only a backward pass reads.</summary>
    UInt8,

    /// <summary>32-bit signed integers: class and row indices.</summary>
    Int32,

    /// <summary>64-bit signed integers: indices in files and at the borders of other frameworks.</summary>
    Int64,

    /// <summary>Truth values, a byte each: 0 or 1.</summary>
    Bool,
}

/// <summary>What is known of an element type; the one place that lists it.</summary>
/// <param name="Size">Bytes of an element.</param>
/// <param name="IsFloat">Whether a gradient can flow through it.</param>
/// <param name="Safetensors">Its name in safetensors files.</param>
/// <param name="Onnx">Its number in ONNX's TensorProto.DataType.</param>
/// <param name="Suffix">What a CUDA kernel's name ends with where it is instantiated for several types.</param>
internal readonly record struct DTypeTraits(int Size, bool IsFloat, string Safetensors, int Onnx, string Suffix);

internal static class DTypes
{
    // In the order of the enumeration.
    private static readonly DTypeTraits[] Table =
    [
        new(4, true, "F32", 1, "f32"),
        new(2, true, "F16", 10, "f16"),
        new(2, true, "BF16", 16, "bf16"),
        new(8, true, "F64", 11, "f64"),
        new(1, false, "I8", 3, "i8"),
        new(1, false, "U8", 2, "u8"),
        new(4, false, "I32", 6, "i32"),
        new(8, false, "I64", 7, "i64"),
        new(1, false, "BOOL", 9, "bool"),
    ];

    /// <summary>All types, in the order of the enumeration.</summary>
    public static ReadOnlySpan<DType> All =>
        [
            DType.Float32, DType.Float16, DType.BFloat16, DType.Float64, DType.Int8, DType.UInt8, DType.Int32, DType.Int64,
            DType.Bool];

    /// <exception cref="ArgumentOutOfRangeException">The number is not a member of the enumeration.</exception>
    public static DTypeTraits Traits(this DType type) => (uint)type < (uint)Table.Length
        ? Table[(int)type]
        : throw new ArgumentOutOfRangeException(nameof(type), $"DType: expected a member of the enumeration, got {(int)type}.");

    public static int Size(this DType type) => Traits(type).Size;

    public static bool IsFloat(this DType type) => Traits(type).IsFloat;
}
