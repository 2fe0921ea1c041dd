using System.Globalization;
using System.Numerics;

namespace FastNN.Onnx.Host;

/// <summary>What is done with elements of one type: the type is found out once, the loop is compiled for it.</summary>
internal interface ITypeAction
{
    OnnxTensor Run<T>()
        where T : unmanaged, INumber<T>, IMinMaxValue<T>;
}

/// <summary>What is done with elements of float32 or float64.</summary>
internal interface IFloatAction
{
    OnnxTensor Run<T>()
        where T : unmanaged, IFloatingPointIeee754<T>, IMinMaxValue<T>;
}

/// <summary>Elements by type: dispatch and conversion.</summary>
internal static class Numbers
{
    /// <summary>Runs an action for a number type that C# computes with.</summary>
    /// <exception cref="NotSupportedException">The type is another.</exception>
    public static OnnxTensor Dispatch<TAction>(OnnxElementType type, TAction action)
        where TAction : ITypeAction => type switch
        {
            OnnxElementType.Float32 => action.Run<float>(),
            OnnxElementType.Float64 => action.Run<double>(),
            OnnxElementType.Int8 or OnnxElementType.Int4 or OnnxElementType.Int2 => action.Run<sbyte>(),
            OnnxElementType.UInt8 or OnnxElementType.UInt4 or OnnxElementType.UInt2 => action.Run<byte>(),
            OnnxElementType.Int16 => action.Run<short>(),
            OnnxElementType.UInt16 => action.Run<ushort>(),
            OnnxElementType.Int32 => action.Run<int>(),
            OnnxElementType.UInt32 => action.Run<uint>(),
            OnnxElementType.Int64 => action.Run<long>(),
            OnnxElementType.UInt64 => action.Run<ulong>(),
            _ => throw new NotSupportedException($"numbers are expected, {type.Name()} was given"),
        };

    /// <summary>Runs an action for float32 or float64.</summary>
    /// <exception cref="NotSupportedException">The type is another.</exception>
    public static OnnxTensor DispatchFloat<TAction>(OnnxElementType type, TAction action)
        where TAction : IFloatAction => type switch
        {
            OnnxElementType.Float32 => action.Run<float>(),
            OnnxElementType.Float64 => action.Run<double>(),
            _ => throw new NotSupportedException($"floating-point numbers are expected, {type.Name()} was given"),
        };

    /// <summary>The elements as floats.</summary>
    public static float[] Floats(OnnxTensor tensor) => (float[])Convert(tensor, OnnxElementType.Float32).Data;

    /// <summary>The elements as doubles.</summary>
    public static double[] Doubles(OnnxTensor tensor) => (double[])Convert(tensor, OnnxElementType.Float64).Data;

    /// <summary>
    /// Another type, as ONNX's Cast does it: floats are rounded to nearest even, and cut towards zero on their way to integers,
    /// where they saturate; integers keep their low bits; anything but 0 is true; text is read and written.
    /// </summary>
    /// <param name="tensor">The tensor; given back where it has the type already.</param>
    /// <param name="to">The type.</param>
    /// <param name="saturate">Whether 8-bit floats take their largest value for what is beyond it; else NaN or infinity.</param>
    public static OnnxTensor Convert(OnnxTensor tensor, OnnxElementType to, bool saturate = true)
    {
        if (tensor.ElementType == to)
        {
            return tensor;
        }

        if (to == OnnxElementType.String)
        {
            return new OnnxTensor(to, tensor.Dims, Texts(tensor));
        }

        Array widest = Widest(tensor);
        return new OnnxTensor(to, tensor.Dims, widest switch
        {
            double[] doubles => FromDoubles(doubles, to, saturate),
            long[] longs => FromLongs(longs, to),
            ulong[] ulongs => FromLongs(Array.ConvertAll(ulongs, u => (long)u), to, ulongs),
            _ => throw new NotSupportedException($"{tensor.ElementType.Name()} cannot become {to.Name()}"),
        });
    }

    /// <summary>The elements as double, long, or ulong for uint64.</summary>
    private static Array Widest(OnnxTensor tensor)
    {
        switch (tensor.ElementType)
        {
            case OnnxElementType.BFloat16:
                return Array.ConvertAll(tensor.Array<ushort>(), bits => (double)NarrowFloats.FromBFloat16(bits));
            case var type when type.IsTinyFloat():
                return Array.ConvertAll(tensor.Array<byte>(), bits => (double)NarrowFloats.Decode(type, bits));
        }

        return tensor.Data switch
        {
            float[] a => Array.ConvertAll(a, v => (double)v),
            double[] a => a,
            Half[] a => Array.ConvertAll(a, v => (double)v),
            bool[] a => Array.ConvertAll(a, v => v ? 1L : 0L),
            sbyte[] a when a.GetType() == typeof(sbyte[]) => Array.ConvertAll(a, v => (long)v),
            byte[] a => Array.ConvertAll(a, v => (long)v),
            short[] a when a.GetType() == typeof(short[]) => Array.ConvertAll(a, v => (long)v),
            ushort[] a => Array.ConvertAll(a, v => (long)v),
            int[] a when a.GetType() == typeof(int[]) => Array.ConvertAll(a, v => (long)v),
            uint[] a => Array.ConvertAll(a, v => (long)v),
            long[] a when a.GetType() == typeof(long[]) => a,
            ulong[] a => a,
            string[] a => Array.ConvertAll(a, Parse),
            _ => throw new NotSupportedException($"elements of {tensor.ElementType.Name()} cannot be converted"),
        };
    }

    private static Array FromDoubles(double[] values, OnnxElementType to, bool saturate) => to switch
    {
        OnnxElementType.Float64 => values,
        OnnxElementType.Float32 => Array.ConvertAll(values, v => (float)v),
        OnnxElementType.Float16 => Array.ConvertAll(values, v => (Half)v),
        OnnxElementType.BFloat16 => Array.ConvertAll(values, v => NarrowFloats.ToBFloat16((float)v)),
        OnnxElementType.Bool => Array.ConvertAll(values, v => v != 0),
        OnnxElementType.Int8 => Array.ConvertAll(values, v => sbyte.CreateSaturating(v)),
        OnnxElementType.UInt8 => Array.ConvertAll(values, v => byte.CreateSaturating(v)),
        OnnxElementType.Int16 => Array.ConvertAll(values, v => short.CreateSaturating(v)),
        OnnxElementType.UInt16 => Array.ConvertAll(values, v => ushort.CreateSaturating(v)),
        OnnxElementType.Int32 => Array.ConvertAll(values, v => int.CreateSaturating(v)),
        OnnxElementType.UInt32 => Array.ConvertAll(values, v => uint.CreateSaturating(v)),
        OnnxElementType.Int64 => Array.ConvertAll(values, v => long.CreateSaturating(v)),
        OnnxElementType.UInt64 => Array.ConvertAll(values, v => ulong.CreateSaturating(v)),
        OnnxElementType.Int4 => Array.ConvertAll(values, v => (sbyte)Math.Clamp(Math.Round(v), -8, 7)),
        OnnxElementType.UInt4 => Array.ConvertAll(values, v => (byte)Math.Clamp(Math.Round(v), 0, 15)),
        OnnxElementType.Int2 => Array.ConvertAll(values, v => (sbyte)Math.Clamp(Math.Round(v), -2, 1)),
        OnnxElementType.UInt2 => Array.ConvertAll(values, v => (byte)Math.Clamp(Math.Round(v), 0, 3)),
        _ when to.IsTinyFloat() => Array.ConvertAll(values, v => NarrowFloats.Encode(to, (float)v, saturate)),
        _ => throw new NotSupportedException($"numbers cannot become {to.Name()}"),
    };

    private static Array FromLongs(long[] values, OnnxElementType to, ulong[]? unsigned = null) => to switch
    {
        OnnxElementType.Int64 => values,
        OnnxElementType.UInt64 => unsigned ?? Array.ConvertAll(values, v => (ulong)v),
        OnnxElementType.Bool => Array.ConvertAll(values, v => v != 0),
        OnnxElementType.Int8 => Array.ConvertAll(values, v => (sbyte)v),
        OnnxElementType.UInt8 => Array.ConvertAll(values, v => (byte)v),
        OnnxElementType.Int16 => Array.ConvertAll(values, v => (short)v),
        OnnxElementType.UInt16 => Array.ConvertAll(values, v => (ushort)v),
        OnnxElementType.Int32 => Array.ConvertAll(values, v => (int)v),
        OnnxElementType.UInt32 => Array.ConvertAll(values, v => (uint)v),
        OnnxElementType.Int4 => Array.ConvertAll(values, v => (sbyte)((sbyte)(v << 4) >> 4)),
        OnnxElementType.UInt4 => Array.ConvertAll(values, v => (byte)(v & 15)),
        OnnxElementType.Int2 => Array.ConvertAll(values, v => (sbyte)((sbyte)(v << 6) >> 6)),
        OnnxElementType.UInt2 => Array.ConvertAll(values, v => (byte)(v & 3)),
        OnnxElementType.Float32 => unsigned is null
            ? Array.ConvertAll(values, v => (float)v)
            : Array.ConvertAll(unsigned, v => (float)v),
        _ => FromDoubles(unsigned is null ? Array.ConvertAll(values, v => (double)v) : Array.ConvertAll(unsigned, v => (double)v),
            to, true),
    };

    private static double Parse(string text) => text.Trim().ToUpperInvariant() switch
    {
        "NAN" => double.NaN,
        "INF" or "+INF" or "INFINITY" or "+INFINITY" => double.PositiveInfinity,
        "-INF" or "-INFINITY" => double.NegativeInfinity,
        var plain => double.TryParse(plain, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            ? value
            : throw new NotSupportedException($"expected a number, got the text '{Formats.Quote.Text(text)}'"),
    };

    private static string[] Texts(OnnxTensor tensor) => tensor.ElementType switch
    {
        OnnxElementType.Float64 => Array
            .ConvertAll(tensor.Array<double>(), v => Text(v, v.ToString("R", CultureInfo.InvariantCulture))),
        OnnxElementType.Bool => Array.ConvertAll(tensor.Array<bool>(), v => v ? "True" : "False"),
        OnnxElementType.UInt64 => Array.ConvertAll(tensor.Array<ulong>(), v => v.ToString(CultureInfo.InvariantCulture)),
        var type when type.IsFloat() =>
            Array.ConvertAll(Floats(tensor), v => Text(v, v.ToString("R", CultureInfo.InvariantCulture))),
        _ => Array.ConvertAll((long[])Convert(tensor, OnnxElementType.Int64).Data, v => v.ToString(CultureInfo.InvariantCulture)),
    };

    private static string Text(double value, string plain) => double.IsNaN(value) ? "NaN"
        : double.IsPositiveInfinity(value) ? "INF"
        : double.IsNegativeInfinity(value) ? "-INF"
        : plain;
}
