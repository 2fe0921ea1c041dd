namespace FastNN.Onnx.Host;

/// <summary>Quantized numbers: scales, zero points, and products of integers. Halves are rounded to even.</summary>
internal static class Quantization
{
    public static OnnxValue?[] QuantizeLinear(HostCall call)
    {
        OnnxTensor x = call.Tensor(0), scale = call.Tensor(1);
        OnnxTensor? zero = call.Optional(2);
        var type = (OnnxElementType)call.Int("output_dtype", 0);
        if (type == OnnxElementType.Undefined)
        {
            type = zero?.ElementType ?? OnnxElementType.UInt8;
        }

        double[] from = Numbers.Doubles(x), scales = Spread(call, scale, x), to = new double[from.Length];
        double[]? zeros = zero is null ? null : Spread(call, zero, x);
        bool integers = !type.IsTinyFloat();
        (double least, double most) = Range(type);
        for (int i = 0; i < to.Length; i++)
        {
            // The quotient is one of floats, which may fall on a half where that of doubles does not.
            double quotient = x.ElementType == OnnxElementType.Float64 ? from[i] / scales[i] : (float)from[i] / (float)scales[i];
            to[i] = integers ? Math.Clamp(Math.Round(quotient, MidpointRounding.ToEven) + (zeros?[i] ?? 0), least, most)
                : quotient + (zeros?[i] ?? 0);
        }

        return HostCall.One(Numbers.Convert(new OnnxTensor(OnnxElementType.Float64, x.Dims, to), type,
            call.Int("saturate", 1) != 0));
    }

    public static OnnxValue?[] DequantizeLinear(HostCall call)
    {
        OnnxTensor x = call.Tensor(0), scale = call.Tensor(1);
        double[] from = Numbers.Doubles(x), scales = Spread(call, scale, x), to = new double[from.Length];
        double[]? zeros = call.Optional(2) is { } zero ? Spread(call, zero, x) : null;
        for (int i = 0; i < to.Length; i++)
        {
            to[i] = (from[i] - (zeros?[i] ?? 0)) * scales[i];
        }

        var type = (OnnxElementType)call.Int("output_dtype", 0);
        return HostCall.One(Normalizations.Rounded(to, x.Dims, type == OnnxElementType.Undefined ? scale.ElementType : type));
    }

    /// <summary>A scale or zero point for every element: one for all, one for each step of an axis, or one for each
    /// block.</summary>
    private static double[] Spread(HostCall call, OnnxTensor scale, OnnxTensor x)
    {
        double[] values = Numbers.Doubles(scale);
        var spread = new double[x.Count];
        if (values.Length == 1 && scale.Rank <= 1)
        {
            Array.Fill(spread, values[0]);
            return spread;
        }

        int axis = call.Axis(call.Int("axis", 1), x.Rank), block = (int)call.Int("block_size", 0);
        int inner = Shapes.Product(x.Dims.AsSpan(axis + 1)), extent = x.Dims[axis];
        if (block == 0)
        {
            if (scale.Rank != 1 || values.Length != extent)
            {
                throw call.Error($"{extent} scales, one for each step of axis {axis}", scale.ToString());
            }

            for (int i = 0; i < spread.Length; i++)
            {
                spread[i] = values[i / inner % extent];
            }

            return spread;
        }

        int blocks = (extent + block - 1) / block;
        if (block < 0 || values.Length != (long)x.Count / extent * blocks)
        {
            throw call.Error($"a scale for every block of {block} along axis {axis}", scale.ToString());
        }

        for (int i = 0; i < spread.Length; i++)
        {
            spread[i] = values[(((i / inner / extent * blocks) + (i / inner % extent / block)) * inner) + (i % inner)];
        }

        return spread;
    }

    private static (double Least, double Most) Range(OnnxElementType type) => type switch
    {
        OnnxElementType.UInt8 => (0, 255),
        OnnxElementType.Int8 => (-128, 127),
        OnnxElementType.UInt16 => (0, 65535),
        OnnxElementType.Int16 => (-32768, 32767),
        OnnxElementType.Int32 => (int.MinValue, int.MaxValue),
        OnnxElementType.UInt4 => (0, 15),
        OnnxElementType.Int4 => (-8, 7),
        OnnxElementType.UInt2 => (0, 3),
        OnnxElementType.Int2 => (-2, 1),
        _ => (double.NegativeInfinity, double.PositiveInfinity),
    };

    public static OnnxValue?[] DynamicQuantizeLinear(HostCall call)
    {
        float[] x = Numbers.Floats(call.Tensor(0));
        float min = 0, max = 0;
        foreach (float value in x)
        {
            min = Math.Min(min, value);
            max = Math.Max(max, value);
        }

        float scale = (max - min) / 255;
        float zero = scale == 0 ? 0 : Math.Clamp(MathF.Round(-min / scale, MidpointRounding.ToEven), 0, 255);
        byte[] y = Array.ConvertAll(x, value =>
            scale == 0 ? (byte)0 : (byte)Math.Clamp(MathF.Round(value / scale, MidpointRounding.ToEven) + zero, 0, 255));
        return [new OnnxTensor(OnnxElementType.UInt8, call.Tensor(0).Dims, y), OnnxTensor.Create([scale]),
            OnnxTensor.Create([(byte)zero])];
    }

    /// <summary>Integers as int32 without their zero point.</summary>
    /// <param name="row">Whether the zero points are those of rows (or filters), of columns, or there is one alone.</param>
    public static OnnxTensor WithoutZeroPoint(HostCall call, OnnxTensor x, OnnxTensor? zero, bool? row)
    {
        OnnxTensor wide = Numbers.Convert(x, OnnxElementType.Int32);
        if (zero is null)
        {
            return wide;
        }

        OnnxTensor zeros = Numbers.Convert(zero, OnnxElementType.Int32);
        if (zeros.Count > 1 && zeros.Rank == 1 && row is { } isRow)
        {
            // A filter's zero points lie along its first axis, a matrix's along its rows or columns.
            int axis = !isRow ? x.Rank - 1 : x.Rank > 2 && call.Node.Operator.Contains("Conv", StringComparison.Ordinal) ? 0
                : x.Rank - 2;
            int[] dims = new int[x.Rank];
            Array.Fill(dims, 1);
            dims[axis] = zeros.Count;
            zeros = zeros.WithDims(dims);
        }
        else if (zeros.Count == 1)
        {
            zeros = zeros.WithDims([]);
        }

        return Elementwise.Binary<Subtract>(call, wide, zeros);
    }

    public static OnnxValue?[] QLinearMatMul(HostCall call)
    {
        OnnxTensor a = WithoutZeroPoint(call, call.Tensor(0), call.Tensor(2), row: true);
        OnnxTensor b = WithoutZeroPoint(call, call.Tensor(3), call.Tensor(5), row: false);
        OnnxTensor product = Products.MatMul(call, a, b);
        OnnxTensor scale = Elementwise.Binary<Multiply>(call, Column(call.Tensor(1), rows: true),
            Column(call.Tensor(4), rows: false));
        return HostCall.One(Requantize(call, product, scale, call.Tensor(6), call.Tensor(7)));
    }

    // Scales of rows stand in a column, those of columns in a row.
    private static OnnxTensor Column(OnnxTensor scale, bool rows)
    {
        OnnxTensor wide = Numbers.Convert(scale, OnnxElementType.Float64);
        return wide.Count == 1 ? wide.WithDims([]) : rows && wide.Rank == 1 ? wide.WithDims([wide.Count, 1]) : wide;
    }

    public static OnnxValue?[] QLinearConv(HostCall call)
    {
        OnnxTensor x = WithoutZeroPoint(call, call.Tensor(0), call.Tensor(2), row: null);
        OnnxTensor weight = WithoutZeroPoint(call, call.Tensor(3), call.Tensor(5), row: true);
        OnnxTensor product = Convolutions.Conv(call, x, weight, call.Optional(8));
        OnnxTensor filters = Numbers.Convert(call.Tensor(4), OnnxElementType.Float64);
        int[] dims = new int[product.Rank - 1];
        Array.Fill(dims, 1);
        dims[0] = filters.Count;
        OnnxTensor scale = Elementwise.Binary<Multiply>(
            call, Numbers.Convert(call.Tensor(1), OnnxElementType.Float64).WithDims([]), filters.Count == 1 ? filters.WithDims([])
                : filters.WithDims(dims));
        return HostCall.One(Requantize(call, product, scale, call.Tensor(6), call.Tensor(7)));
    }

    private static OnnxTensor Requantize(HostCall call, OnnxTensor product, OnnxTensor scale, OnnxTensor toScale,
        OnnxTensor toZero)
    {
        OnnxTensor scaled = Elementwise.Binary<Multiply>(call, Numbers.Convert(product, OnnxElementType.Float64), scale);
        double by = Numbers.Doubles(toScale)[0], zero = Numbers.Doubles(toZero)[0];
        (double least, double most) = Range(toZero.ElementType);
        double[] values = Array.ConvertAll(
            scaled.Array<double>(), value => Math.Clamp(Math.Round(value / by, MidpointRounding.ToEven) + zero, least, most));
        return Numbers.Convert(new OnnxTensor(OnnxElementType.Float64, scaled.Dims, values), toZero.ElementType);
    }
}
