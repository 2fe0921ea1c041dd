using FastNN.Onnx;

namespace FastNN.Hosting;

/// <summary>The protocol's element types for those of the engines.</summary>
internal static class EngineTypes
{
    /// <summary>The protocol's type for one of the library's.</summary>
    public static TensorDataType Of(DType type) => type switch
    {
        DType.Float32 => TensorDataType.Float32,
        DType.Float16 => TensorDataType.Float16,
        DType.BFloat16 => TensorDataType.BFloat16,
        DType.Float64 => TensorDataType.Float64,
        DType.Int8 => TensorDataType.Int8,
        DType.UInt8 => TensorDataType.UInt8,
        DType.Int32 => TensorDataType.Int32,
        DType.Int64 => TensorDataType.Int64,
        DType.Bool => TensorDataType.Bool,
        _ => throw new NotSupportedException($"expected an element type that the protocol has, got {type}"),
    };

    /// <summary>The protocol's type for one of ONNX's; null where it has none.</summary>
    public static TensorDataType? Of(OnnxElementType type) => type switch
    {
        OnnxElementType.Float32 => TensorDataType.Float32,
        OnnxElementType.Float16 => TensorDataType.Float16,
        OnnxElementType.BFloat16 => TensorDataType.BFloat16,
        OnnxElementType.Float64 => TensorDataType.Float64,
        OnnxElementType.Int8 => TensorDataType.Int8,
        OnnxElementType.UInt8 => TensorDataType.UInt8,
        OnnxElementType.Int16 => TensorDataType.Int16,
        OnnxElementType.UInt16 => TensorDataType.UInt16,
        OnnxElementType.Int32 => TensorDataType.Int32,
        OnnxElementType.UInt32 => TensorDataType.UInt32,
        OnnxElementType.Int64 => TensorDataType.Int64,
        OnnxElementType.UInt64 => TensorDataType.UInt64,
        OnnxElementType.Bool => TensorDataType.Bool,
        OnnxElementType.String => TensorDataType.Bytes,
        _ => null,
    };
}
