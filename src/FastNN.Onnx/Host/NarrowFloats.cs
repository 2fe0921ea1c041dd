namespace FastNN.Onnx.Host;

/// <summary>
/// Floats of 16, 8 and 4 bits as bits. The 8-bit formats are those of Micikevicius et al. (2022) and, with FNUZ, of Noune et al.
/// (2022); conversion follows the tables of the standard's Cast.
/// </summary>
internal static class NarrowFloats
{
    public static float FromBFloat16(ushort bits) => BitConverter.Int32BitsToSingle(bits << 16);

    /// <summary>Rounds to nearest even; NaN stays NaN.</summary>
    public static ushort ToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)0x7FC0 : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>The number that some bits stand for.</summary>
    public static float Decode(OnnxElementType type, byte bits)
    {
        if (type == OnnxElementType.Float8E8M0)
        {
            return bits == 0xFF ? float.NaN : MathF.ScaleB(1, bits - 127);
        }

        Format format = Of(type);
        int sign = bits >> (format.Exponent + format.Mantissa) & 1;
        int exponent = bits >> format.Mantissa & ((1 << format.Exponent) - 1);
        int mantissa = bits & ((1 << format.Mantissa) - 1);
        if (format.NegativeZeroIsNaN && bits == 0x80)
        {
            return float.NaN;
        }

        int top = (1 << format.Exponent) - 1;
        if (format.HasInfinity && exponent == top)
        {
            return mantissa != 0 ? float.NaN : sign != 0 ? float.NegativeInfinity : float.PositiveInfinity;
        }

        if (format.TopIsNaN && exponent == top && mantissa == (1 << format.Mantissa) - 1)
        {
            return float.NaN;
        }

        float value = exponent == 0
            ? MathF.ScaleB(mantissa, 1 - format.Bias - format.Mantissa)
            : MathF.ScaleB(mantissa + (1 << format.Mantissa), exponent - format.Bias - format.Mantissa);
        return sign != 0 ? -value : value;
    }

    /// <summary>The bits nearest to a number, ties to even.</summary>
    /// <param name="saturate">Whether what is beyond the largest number becomes it, rather than infinity or NaN.</param>
    public static byte Encode(OnnxElementType type, float value, bool saturate)
    {
        if (type == OnnxElementType.Float8E8M0)
        {
            return EncodeScale(value);
        }

        Format format = Of(type);
        int signBit = format.Exponent + format.Mantissa;
        int sign = float.IsNegative(value) ? 1 << signBit : 0;
        if (float.IsNaN(value))
        {
            return format.NegativeZeroIsNaN ? (byte)0x80
                : type == OnnxElementType.Float4E2M1 ? (byte)7
                : (byte)(sign | 0x7F);
        }

        // Of a number of this exponent, the last bit of the mantissa is worth 2^step.
        double magnitude = Math.Abs((double)value);
        int code;
        if (double.IsInfinity(magnitude))
        {
            code = int.MaxValue;
        }
        else if (magnitude == 0)
        {
            code = 0;
        }
        else
        {
            int exponent = Math.Max(Math.ILogB(magnitude), 1 - format.Bias);
            double steps = Math.Round(Math.ScaleB(magnitude, format.Mantissa - exponent), MidpointRounding.ToEven);

            // Steps that reach the next power of two carry into the exponent by themselves.
            code = (int)steps + ((exponent - 1 + format.Bias) << format.Mantissa);
        }

        if (code > format.Largest)
        {
            bool infinite = float.IsInfinity(value);
            code = saturate && (!infinite || !format.HasInfinity || type == OnnxElementType.Float8E5M2) ? format.Largest
                : format.HasInfinity ? ((1 << format.Exponent) - 1) << format.Mantissa
                : format.NegativeZeroIsNaN ? -1 : 0x7F;
            if (type == OnnxElementType.Float4E2M1)
            {
                code = format.Largest;
            }
        }

        return code < 0 ? (byte)0x80
            : code == 0 && format.NegativeZeroIsNaN ? (byte)0
            : (byte)(sign | code);
    }

    // A scale is rounded up to a power of two, as Cast does by default.
    private static byte EncodeScale(float value)
    {
        if (!float.IsFinite(value) || value < 0)
        {
            return 0xFF;
        }

        if (value == 0)
        {
            return 0;
        }

        int exponent = Math.ILogB(value);
        if (Math.ScaleB(1, exponent) < value)
        {
            exponent++;
        }

        return (byte)Math.Clamp(exponent + 127, 0, 254);
    }

    private static Format Of(OnnxElementType type) => type switch
    {
        OnnxElementType.Float8E4M3FN => new Format(4, 3, 7, 0x7E) { TopIsNaN = true },
        OnnxElementType.Float8E4M3FNUZ => new Format(4, 3, 8, 0x7F) { NegativeZeroIsNaN = true },
        OnnxElementType.Float8E5M2 => new Format(5, 2, 15, 0x7B) { HasInfinity = true },
        OnnxElementType.Float8E5M2FNUZ => new Format(5, 2, 16, 0x7F) { NegativeZeroIsNaN = true },
        OnnxElementType.Float4E2M1 => new Format(2, 1, 1, 7),
        _ => throw new NotSupportedException($"{type.Name()} is not an 8-bit or 4-bit float"),
    };

    private readonly record struct Format(int Exponent, int Mantissa, int Bias, int Largest)
    {
        public bool HasInfinity { get; init; }

        public bool TopIsNaN { get; init; }

        public bool NegativeZeroIsNaN { get; init; }
    }
}
