using FastNN.Onnx.Host;

namespace FastNN.Onnx.Compile;

/// <summary>
/// Quantized numbers between a QuantizeLinear and a DequantizeLinear: Int32 inside, whatever their width. Networks of such pairs
/// are computed in float32 between them, as their training did.
/// </summary>
internal static class QuantizationRules
{
    public static Traced?[]? Quantize(TraceCall call)
    {
        var type = (OnnxElementType)call.Host.Int("output_dtype", 0);
        OnnxTensor? zero = call.Constant(2);
        type = type == OnnxElementType.Undefined ? zero?.ElementType ?? OnnxElementType.UInt8 : type;
        (float Least, float Most)? range = type switch
        {
            OnnxElementType.UInt8 => (0, 255),
            OnnxElementType.Int8 => (-128, 127),
            OnnxElementType.UInt16 => (0, 65535),
            OnnxElementType.Int16 => (-32768, 32767),
            _ => null,
        };
        if (range is not var (least, most) || call.FloatInput(0) is not { } x || Factor(call, x, 1) is not { } scale
            || (call.Has(2) && zero is null))
        {
            return null;
        }

        Value y = (x.Either / scale).Round();
        if (zero is not null)
        {
            if (Factor(call, x, 2) is not { } offset)
            {
                return null;
            }

            y += offset;
        }

        return [x.Like(y.Clamp(least, most).Cast(DType.Int32), type)];
    }

    public static Traced?[]? Dequantize(TraceCall call)
    {
        bool fits = call.TracedInput(0)?.Type is OnnxElementType.UInt8 or OnnxElementType.Int8 or OnnxElementType.UInt16
            or OnnxElementType.Int16 or OnnxElementType.Int32;
        if (!fits || call.TracedInput(0) is not { } x || call.Constant(1) is not { ElementType: OnnxElementType.Float32 }
            || Factor(call, x, 1) is not { } scale || (call.Has(2) && call.Constant(2) is null)
            || call.Host.Int("output_dtype", 1) != (int)OnnxElementType.Float32)
        {
            return null;
        }

        Value y = x.Either.Cast(DType.Float32);
        if (call.Has(2))
        {
            if (Factor(call, x, 2) is not { } zero)
            {
                return null;
            }

            y -= zero;
        }

        return [x.Like(y * scale, OnnxElementType.Float32)];
    }

    /// <summary>A scale or zero point as it broadcasts to x as it lies: one for all, or one for each step of an axis.</summary>
    private static Value? Factor(TraceCall call, Traced x, int input)
    {
        if (call.Constant(input) is not { } given || call.Host.Int("block_size", 0) != 0)
        {
            return null;
        }

        float[] values = Numbers.Floats(given);
        if (values.Length == 1)
        {
            return call.Graph.Constant(values, new Shape(1));
        }

        int axis = call.Host.Axis(call.Host.Int("axis", 1), x.Rank);
        if (given.Rank != 1 || values.Length != x.Dims[axis])
        {
            return null;
        }

        var dims = new int[x.Rank];
        Array.Fill(dims, 1);
        dims[x.Inside(axis)] = values.Length;
        return call.Graph.Constant(values, new Shape(dims));
    }
}
