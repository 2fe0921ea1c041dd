using System.Numerics;

namespace FastNN.Onnx.Host;

/// <summary>Types, constants, bits, signs and bounds.</summary>
internal static class Miscellany
{
    public static OnnxValue?[] Cast(HostCall call)
    {
        OnnxElementType to = call.Opset < 6 && call.Node.Attributes.TryGetValue("to", out Model.AttributeDef? old)
            && old.Kind == Model.AttributeKind.String
            ? Named(call, call.Text("to", ""))
            : (OnnxElementType)call.Int("to", 0);
        return HostCall.One(Converted(call, to));
    }

    /// <summary>
    /// What does not fit into 4 and 2 bits the operator leaves open. From opset 24 on the standard's text on these types and its
    /// cases agree that floats are rounded and keep their low bits, and its cases that NaN becomes -0; before, both saturate.
    /// </summary>
    private static OnnxTensor Converted(HostCall call, OnnxElementType to)
    {
        OnnxTensor x = call.Tensor(0);
        bool saturate = call.Int("saturate", 1) != 0;
        if (call.Opset < 24 || !x.ElementType.IsFloat() || to.Bits() is 0 or > 4)
        {
            return Numbers.Convert(x, to, saturate);
        }

        double[] numbers = Numbers.Doubles(x);
        if (to != OnnxElementType.Float4E2M1)
        {
            long[] whole = Array.ConvertAll(numbers, number => long.CreateSaturating(Math.Round(number)));
            return Numbers.Convert(OnnxTensor.Create(whole, x.Dims), to);
        }

        return Numbers.Convert(OnnxTensor.Create(Array.ConvertAll(numbers, number => double.IsNaN(number) ? -0.0 : number),
            x.Dims), to);
    }

    private static OnnxElementType Named(HostCall call, string name)
    {
        for (OnnxElementType type = OnnxElementType.Float32; type <= OnnxElementType.BFloat16; type++)
        {
            if (type.Name().Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return type;
            }
        }

        throw call.Error("a type's name", name);
    }

    public static OnnxValue?[] CastLike(HostCall call) =>
        HostCall.One(Converted(call, call.Tensor(1).ElementType));

    public static OnnxValue?[] BitCast(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        var type = (OnnxElementType)call.Int("to", 0);
        if (type.Bits() != x.ElementType.Bits() || type.Bits() == 0)
        {
            throw call.Error($"a type of {x.ElementType.Bits()} bits", type.Name());
        }

        var result = OnnxTensor.Zeros(type, x.Dims);
        x.Bytes().CopyTo(result.Bytes());
        return HostCall.One(result);
    }

    public static OnnxValue?[] Constant(HostCall call)
    {
        if (call.TensorAttribute("value") is { } tensor)
        {
            return HostCall.One(tensor);
        }

        if (call.HasAttribute("value_float"))
        {
            return HostCall.One(OnnxTensor.Create([call.Float("value_float", 0)]));
        }

        if (call.HasAttribute("value_int"))
        {
            return HostCall.One(OnnxTensor.Create([call.Int("value_int", 0)]));
        }

        if (call.HasAttribute("value_string"))
        {
            return HostCall.One(OnnxTensor.Create([call.Text("value_string", "")]));
        }

        if (call.Floats("value_floats") is { } floats)
        {
            return HostCall.One(OnnxTensor.Create(floats, floats.Length));
        }

        if (call.Ints("value_ints") is { } ints)
        {
            return HostCall.One(OnnxTensor.Create(ints, ints.Length));
        }

        if (call.Texts("value_strings") is { } texts)
        {
            return HostCall.One(OnnxTensor.Create(texts, texts.Length));
        }

        throw call.Unsupported("a constant without a value, or with a sparse one,");
    }

    public static OnnxValue?[] ConstantOfShape(HostCall call)
    {
        int[] dims = Shapes.Extents(call, call.Longs(0) ?? throw call.Error("a shape", "none"));
        OnnxTensor value = call.TensorAttribute("value") ?? OnnxTensor.Create([0f]);
        return HostCall.One(Shapes.Take(value, new int[Shapes.Product(dims)], dims));
    }

    public static OnnxValue?[] Range(HostCall call)
    {
        OnnxTensor start = call.Tensor(0);
        double from = call.Number(0)!.Value, to = call.Number(1) ?? throw call.Error("a limit", "none"), step = call.Number(2)
            ?? 1;
        double count = Math.Max(0, Math.Ceiling((to - from) / step));
        if (step == 0 || !(count <= Array.MaxLength))
        {
            throw call.Error("a step other than 0 and a limit that is reached", $"{from} to {to} in steps of {step}");
        }

        return HostCall.One(Numbers.Dispatch(start.ElementType, new RangeAction(start, call.Tensor(2), (int)count)));
    }

    private readonly struct RangeAction(OnnxTensor start, OnnxTensor step, int count) : ITypeAction
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            T first = start.Array<T>()[0], by = step.Array<T>()[0];
            var values = new T[count];
            for (int i = 0; i < count; i++)
            {
                values[i] = first + (T.CreateTruncating(i) * by);
            }

            return new OnnxTensor(start.ElementType, [count], values);
        }
    }

    public static OnnxValue?[] EyeLike(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        if (x.Rank != 2)
        {
            throw call.Error("a matrix", x.ToString());
        }

        long k = call.Int("k", 0);
        var values = new double[x.Count];
        for (int row = 0; row < x.Dims[0]; row++)
        {
            if (row + k >= 0 && row + k < x.Dims[1])
            {
                values[(row * x.Dims[1]) + row + k] = 1;
            }
        }

        return HostCall.One(Normalizations.Rounded(values, x.Dims, (OnnxElementType)call.Int("dtype", (int)x.ElementType)));
    }

    public static OnnxValue?[] Abs(HostCall call) =>
        HostCall.One(Numbers.Dispatch(call.Tensor(0).ElementType, new SignedAction(call.Tensor(0), 0)));

    public static OnnxValue?[] Neg(HostCall call) =>
        HostCall.One(Numbers.Dispatch(call.Tensor(0).ElementType, new SignedAction(call.Tensor(0), 1)));

    public static OnnxValue?[] Sign(HostCall call) =>
        HostCall.One(Numbers.Dispatch(call.Tensor(0).ElementType, new SignedAction(call.Tensor(0), 2)));

    /// <summary>ReLU of any numbers.</summary>
    public static OnnxValue?[] Relu(HostCall call) =>
        HostCall.One(Numbers.Dispatch(call.Tensor(0).ElementType, new SignedAction(call.Tensor(0), 3)));

    private readonly struct SignedAction(OnnxTensor x, int kind) : ITypeAction
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            int which = kind;
            return new OnnxTensor(x.ElementType, x.Dims, Array.ConvertAll(x.Array<T>(), value => which switch
            {
                0 => value < T.Zero ? T.Zero - value : value == T.Zero ? T.Zero : value,
                1 => value == T.Zero ? value : T.Zero - value,
                2 => value > T.Zero ? T.One : value < T.Zero ? T.Zero - T.One : value,
                _ => value < T.Zero ? T.Zero : value,
            }));
        }
    }

    public static OnnxValue?[] Clip(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        OnnxTensor? low = Bound(call, 1, "min", x), high = Bound(call, 2, "max", x);
        return HostCall.One(Numbers.Dispatch(x.ElementType, new ClipAction(x, low, high)));
    }

    // Attributes before opset 11.
    private static OnnxTensor? Bound(HostCall call, int input, string name, OnnxTensor x) => call.Opset < 11
        ? call.HasAttribute(name) ? Numbers.Convert(OnnxTensor.Create([call.Float(name, 0)]), x.ElementType) : null
        : call.Optional(input) is not { } bound ? null
        : bound.Count == 1 && bound.ElementType == x.ElementType ? bound
        : throw call.Error($"a bound of {x.ElementType.Name()}", bound.ToString());

    private readonly struct ClipAction(OnnxTensor x, OnnxTensor? low, OnnxTensor? high) : ITypeAction
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            T min = low is null ? Extremes.Lowest<T>() : low.Array<T>()[0], max = high is null ? Extremes.Highest<T>()
                : high.Array<T>()[0];

            // Where the bounds cross, the upper one counts.
            return new OnnxTensor(x.ElementType, x.Dims, Array.ConvertAll(x.Array<T>(), value => T.Min(T.Max(value, min), max)));
        }
    }

    public static OnnxValue?[] PRelu(HostCall call)
    {
        OnnxTensor x = call.Tensor(0), slope = call.Tensor(1);

        // Before opset 7 a slope of one axis is that of the channels.
        if (call.Opset < 7 && slope.Rank == 1 && slope.Count > 1 && x.Rank > 1)
        {
            slope = slope.WithDims([slope.Count, .. Enumerable.Repeat(1, x.Rank - 2)]);
        }

        OnnxTensor scaled = Elementwise.Binary<Multiply>(call, x, slope);
        return HostCall.One(scaled.Dims.AsSpan().SequenceEqual(x.Dims)
            ? Numbers.Dispatch(x.ElementType, new ChooseAction(x, scaled))
            : throw call.Error($"a slope that broadcasts to {OnnxTensor.Text(x.Dims)}", slope.ToString()));
    }

    private readonly struct ChooseAction(OnnxTensor x, OnnxTensor scaled) : ITypeAction
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            T[] from = x.Array<T>(), other = scaled.Array<T>(), to = new T[from.Length];
            for (int i = 0; i < to.Length; i++)
            {
                to[i] = from[i] < T.Zero ? other[i] : from[i];
            }

            return new OnnxTensor(x.ElementType, x.Dims, to);
        }
    }

    /// <summary>Powers in double precision; the exponent may be of another type than the base, which decides the
    /// result's.</summary>
    public static OnnxValue?[] Pow(HostCall call)
    {
        OnnxTensor x = call.Tensor(0), y = call.Tensor(1);
        if (call.Opset < 7 && call.HasAttribute("axis"))
        {
            int axis = call.Axis(call.Int("axis", 0), x.Rank);
            y = y.WithDims([.. y.Dims, .. Enumerable.Repeat(1, x.Rank - axis - y.Rank)]);
        }

        int[] dims = Shapes.Broadcast(call, x.Dims, y.Dims);
        double[] a = Numbers.Doubles(Shapes.BroadcastTo(x, dims)), b = Numbers.Doubles(Shapes.BroadcastTo(y, dims));
        return HostCall.One(Normalizations.Rounded([.. a.Zip(b, Math.Pow)], dims, x.ElementType));
    }

    public static OnnxValue?[] Mean(HostCall call)
    {
        OnnxTensor sum = (OnnxTensor)Elementwise.Variadic<Add>()(call)[0]!;
        OnnxTensor count = Numbers.Convert(OnnxTensor.Create([(float)call.InputCount]), sum.ElementType);
        return HostCall.One(Elementwise.Binary<Divide>(call, sum, count));
    }

    public static OnnxValue?[] Mod(HostCall call) =>
        (call.Flag("fmod") ? Elementwise.Binary<Modulo>() : Elementwise.Binary<FloorModulo>())(call);

    public static OnnxValue?[] IsNaN(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        return HostCall.One(new OnnxTensor(OnnxElementType.Bool, x.Dims, Array.ConvertAll(Numbers.Doubles(x), double.IsNaN)));
    }

    public static OnnxValue?[] IsInf(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        bool positive = call.Int("detect_positive", 1) != 0, negative = call.Int("detect_negative", 1) != 0;
        return HostCall.One(new OnnxTensor(OnnxElementType.Bool, x.Dims, Array.ConvertAll(Numbers.Doubles(x), value =>
            (positive && double.IsPositiveInfinity(value)) || (negative && double.IsNegativeInfinity(value)))));
    }

    public static OnnxValue?[] BitShift(HostCall call)
    {
        bool left = call.Text("direction", "") == "LEFT";
        return Bits(call, (a, b) => b >= 64 ? 0 : left ? a << (int)b : a >> (int)b);
    }

    public static HostKernel Bitwise(Func<ulong, ulong, ulong> function) => call => Bits(call, function);

    // In 64 bits, cut to the type again: two's complement makes signed and unsigned alike.
    private static OnnxValue?[] Bits(HostCall call, Func<ulong, ulong, ulong> function)
    {
        OnnxTensor x = call.Tensor(0), y = call.Tensor(1);
        if (x.ElementType != y.ElementType || x.ElementType.IsFloat())
        {
            throw call.Error("integers of one type", $"{x} and {y}");
        }

        int[] dims = Shapes.Broadcast(call, x.Dims, y.Dims);
        ulong[] a = Numbers.Convert(Shapes.BroadcastTo(x, dims), OnnxElementType.UInt64).Array<ulong>();
        ulong[] b = Numbers.Convert(Shapes.BroadcastTo(y, dims), OnnxElementType.UInt64).Array<ulong>();
        var result = new OnnxTensor(OnnxElementType.UInt64, dims, a.Zip(b, function).ToArray());
        return HostCall.One(Numbers.Convert(result, x.ElementType));
    }

    public static OnnxValue?[] BitwiseNot(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        ulong[] a = Numbers.Convert(x, OnnxElementType.UInt64).Array<ulong>();
        return HostCall.One(Numbers.Convert(new OnnxTensor(OnnxElementType.UInt64, x.Dims, Array.ConvertAll(a, value => ~value)),
            x.ElementType));
    }

    public static OnnxValue?[] Unique(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        int axis = 0;
        if (call.HasAttribute("axis"))
        {
            axis = call.Axis(call.Int("axis", 0), x.Rank);
        }
        else
        {
            x = x.WithDims([x.Count]);
        }

        // Steps of the axis as rows.
        int[] order = [axis, .. Enumerable.Range(0, x.Rank).Where(other => other != axis)];
        OnnxTensor moved = Shapes.Transpose(x, order);
        int count = x.Dims[axis], length = count == 0 ? 0 : x.Count / count;
        IComparable[] values = [.. moved.Data.Cast<IComparable>()];
        Comparison<int> compare = (a, b) =>
        {
            for (int i = 0; i < length; i++)
            {
                int difference = values[(a * length) + i] is string text
                    ? string.CompareOrdinal(text, (string)values[(b * length) + i])
                    : values[(a * length) + i].CompareTo(values[(b * length) + i]);
                if (difference != 0)
                {
                    return difference;
                }
            }

            return 0;
        };
        List<int> sorted = [.. Enumerable.Range(0, count)];
        sorted.Sort((a, b) => compare(a, b) is not 0 and var difference ? difference : a.CompareTo(b));
        var groups = new List<List<int>>();
        foreach (int step in sorted)
        {
            if (groups.Count == 0 || compare(groups[^1][0], step) != 0)
            {
                groups.Add([]);
            }

            groups[^1].Add(step);
        }

        if (call.Int("sorted", 1) == 0)
        {
            groups.Sort((a, b) => a[0].CompareTo(b[0]));
        }

        var inverse = new long[count];
        for (int g = 0; g < groups.Count; g++)
        {
            foreach (int step in groups[g])
            {
                inverse[step] = g;
            }
        }

        int[] dims = [groups.Count, .. moved.Dims[1..]];
        int[] places = [.. groups.SelectMany(group => Enumerable.Range(group[0] * length, length))];
        OnnxTensor unique = Shapes.Take(moved, places, dims);
        int[] back = [.. Enumerable.Range(0, x.Rank).Select(other => Array.IndexOf(order, other))];
        return
        [
            Shapes.Transpose(unique, back),
            Layout.Vector([.. groups.Select(group => (long)group[0])]),
            Layout.Vector(inverse),
            Layout.Vector([.. groups.Select(group => (long)group.Count)]),
        ];
    }
}
