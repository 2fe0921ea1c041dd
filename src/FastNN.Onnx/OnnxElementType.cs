namespace FastNN.Onnx;

/// <summary>The element types of ONNX tensors, with the numbers of the standard's TensorProto.DataType.</summary>
public enum OnnxElementType
{
    /// <summary>Not given.</summary>
    Undefined = 0,

    /// <summary>IEEE binary32.</summary>
    Float32 = 1,

    /// <summary>8-bit unsigned integers.</summary>
    UInt8 = 2,

    /// <summary>8-bit signed integers.</summary>
    Int8 = 3,

    /// <summary>16-bit unsigned integers.</summary>
    UInt16 = 4,

    /// <summary>16-bit signed integers.</summary>
    Int16 = 5,

    /// <summary>32-bit signed integers.</summary>
    Int32 = 6,

    /// <summary>64-bit signed integers.</summary>
    Int64 = 7,

    /// <summary>Unicode text.</summary>
    String = 8,

    /// <summary>Truth values.</summary>
    Bool = 9,

    /// <summary>IEEE binary16.</summary>
    Float16 = 10,

    /// <summary>IEEE binary64.</summary>
    Float64 = 11,

    /// <summary>32-bit unsigned integers.</summary>
    UInt32 = 12,

    /// <summary>64-bit unsigned integers.</summary>
    UInt64 = 13,

    /// <summary>Pairs of binary32: real and imaginary part. Named, not computed with.</summary>
    Complex64 = 14,

    /// <summary>Pairs of binary64: real and imaginary part. Named, not computed with.</summary>
    Complex128 = 15,

    /// <summary>The upper half of a binary32.</summary>
    BFloat16 = 16,

    /// <summary>8-bit float: 4 exponent bits, 3 of mantissa, NaN but no infinity (Micikevicius et al., 2022).</summary>
    Float8E4M3FN = 17,

    /// <summary>As E4M3FN with exponent bias 8; one NaN in the place of -0.</summary>
    Float8E4M3FNUZ = 18,

    /// <summary>8-bit float: 5 exponent bits, 2 of mantissa, IEEE's special values.</summary>
    Float8E5M2 = 19,

    /// <summary>As E5M2 with exponent bias 16; one NaN in the place of -0, no infinity.</summary>
    Float8E5M2FNUZ = 20,

    /// <summary>4-bit unsigned integers, two in a byte in files.</summary>
    UInt4 = 21,

    /// <summary>4-bit signed integers, two in a byte in files.</summary>
    Int4 = 22,

    /// <summary>4-bit float: 2 exponent bits, 1 of mantissa; two in a byte in files.</summary>
    Float4E2M1 = 23,

    /// <summary>8 exponent bits and nothing else: powers of two, for scales.</summary>
    Float8E8M0 = 24,

    /// <summary>2-bit unsigned integers, four in a byte in files.</summary>
    UInt2 = 25,

    /// <summary>2-bit signed integers, four in a byte in files.</summary>
    Int2 = 26,
}

/// <summary>What is known of an element type; the one place that lists it.</summary>
internal static class OnnxElementTypes
{
    /// <summary>The standard's name, such as <c>FLOAT</c>; the number where it has none.</summary>
    public static string Name(this OnnxElementType type) => type switch
    {
        OnnxElementType.Float32 => "FLOAT",
        OnnxElementType.Float64 => "DOUBLE",
        OnnxElementType.Undefined or > OnnxElementType.Int2 or < 0 => $"type {(int)type}",
        _ => type.ToString().ToUpperInvariant(),
    };

    /// <summary>The bits of an element in a file; 0 for strings, and for what is no type.</summary>
    public static int Bits(this OnnxElementType type) => type switch
    {
        OnnxElementType.UInt2 or OnnxElementType.Int2 => 2,
        OnnxElementType.UInt4 or OnnxElementType.Int4 or OnnxElementType.Float4E2M1 => 4,
        OnnxElementType.UInt8 or OnnxElementType.Int8 or OnnxElementType.Bool or OnnxElementType.Float8E8M0 => 8,
        >= OnnxElementType.Float8E4M3FN and <= OnnxElementType.Float8E5M2FNUZ => 8,
        OnnxElementType.UInt16 or OnnxElementType.Int16 or OnnxElementType.Float16 or OnnxElementType.BFloat16 => 16,
        OnnxElementType.Int32 or OnnxElementType.UInt32 or OnnxElementType.Float32 => 32,
        OnnxElementType.Int64 or OnnxElementType.UInt64 or OnnxElementType.Float64 or OnnxElementType.Complex64 => 64,
        OnnxElementType.Complex128 => 128,
        _ => 0,
    };

    /// <summary>float32, float64, and the types that are stored narrower and computed as float32.</summary>
    public static bool IsFloat(this OnnxElementType type) =>
        type is OnnxElementType.Float32 or OnnxElementType.Float64 || type.IsNarrowFloat();

    /// <summary>Types that no arithmetic exists for: they are computed as float32 and rounded once.</summary>
    public static bool IsNarrowFloat(this OnnxElementType type) => type is OnnxElementType.Float16 or OnnxElementType.BFloat16
        || type.IsTinyFloat();

    /// <summary>The floats of 8 and 4 bits.</summary>
    public static bool IsTinyFloat(this OnnxElementType type) =>
        type is (>= OnnxElementType.Float8E4M3FN and <= OnnxElementType.Float8E5M2FNUZ) or OnnxElementType.Float4E2M1
            or OnnxElementType.Float8E8M0;
}
