using System.Numerics;

namespace FastNN.Onnx.Host;

/// <summary>What a reduction makes of a row of elements.</summary>
internal interface IRowFunction
{
    static abstract T Invoke<T>(ReadOnlySpan<T> row)
        where T : unmanaged, INumber<T>, IMinMaxValue<T>;
}

/// <summary>Operators that make one element of many: reductions, extremes, scans.</summary>
internal static class Reductions
{
    /// <summary>A tensor's reduced axes moved to the end: rows, and the shape that is left.</summary>
    internal readonly record struct Rows(OnnxTensor Tensor, int Length, int[] Kept, int[] Dims)
    {
        public static Rows Of(HostCall call, OnnxTensor x, long[]? axes, bool keep)
        {
            int[] gone = axes is null
                ? [.. Enumerable.Range(0, x.Rank)]
                : [.. axes.Select(axis => call.Axis(axis, x.Rank)).Distinct().Order()];
            int[] kept = [.. Enumerable.Range(0, x.Rank).Where(axis => Array.IndexOf(gone, axis) < 0)];
            int[] dims = keep
                ? [.. Enumerable.Range(0, x.Rank).Select(axis => Array.IndexOf(gone, axis) < 0 ? x.Dims[axis] : 1)]
                : Array.ConvertAll(kept, axis => x.Dims[axis]);
            int[] order = [.. kept, .. gone];
            OnnxTensor moved = order.SequenceEqual(Enumerable.Range(0, x.Rank)) ? x : Shapes.Transpose(x, order);
            return new Rows(moved, Shapes.Product(Array.ConvertAll(gone, axis => x.Dims[axis])), kept, dims);
        }
    }

    private readonly struct ReduceAction<TFunction>(Rows rows) : ITypeAction
        where TFunction : IRowFunction
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            T[] from = rows.Tensor.Array<T>(), to = new T[Shapes.Product(rows.Dims)];
            for (int i = 0; i < to.Length; i++)
            {
                to[i] = TFunction.Invoke<T>(from.AsSpan(i * rows.Length, rows.Length));
            }

            return new OnnxTensor(rows.Tensor.ElementType, rows.Dims, to);
        }
    }

    public static HostKernel Reduce<TFunction>()
        where TFunction : IRowFunction => call =>
        {
            OnnxTensor x = call.Tensor(0);
            long[]? axes = call.Longs(1) ?? call.Ints("axes");
            if (axes is null or [])
            {
                if (call.Flag("noop_with_empty_axes"))
                {
                    return HostCall.One(ReduceNothing<TFunction>(x));
                }

                axes = null;
            }

            bool isBool = x.ElementType == OnnxElementType.Bool;
            OnnxTensor numbers = isBool ? Numbers.Convert(x, OnnxElementType.UInt8) : x;
            var rows = Rows.Of(call, numbers, axes, call.Int("keepdims", 1) != 0);
            OnnxTensor result = Numbers.Dispatch(numbers.ElementType, new ReduceAction<TFunction>(rows));
            return HostCall.One(isBool ? Numbers.Convert(result, OnnxElementType.Bool) : result);
        };

    // Without axes each element is a row of its own.
    private static OnnxTensor ReduceNothing<TFunction>(OnnxTensor x)
        where TFunction : IRowFunction =>
        Numbers.Dispatch(x.ElementType, new ReduceAction<TFunction>(new Rows(x, 1, [], x.Dims)));

    public static OnnxValue?[] ArgMax(HostCall call) => Arg(call, largest: true);

    public static OnnxValue?[] ArgMin(HostCall call) => Arg(call, largest: false);

    private static OnnxValue?[] Arg(HostCall call, bool largest)
    {
        OnnxTensor x = call.Tensor(0);
        var rows = Rows.Of(call, x, [call.Int("axis", 0)], call.Int("keepdims", 1) != 0);
        return HostCall.One(rows.Length > 0 || Shapes.Product(rows.Dims) == 0
            ? Numbers.Dispatch(x.ElementType, new ArgAction(rows, largest, call.Flag("select_last_index")))
            : throw call.Error("at least one element along the axis", x.ToString()));
    }

    private readonly struct ArgAction(Rows rows, bool largest, bool last) : ITypeAction
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            T[] from = rows.Tensor.Array<T>();
            var to = new long[Shapes.Product(rows.Dims)];
            for (int i = 0; i < to.Length; i++)
            {
                ReadOnlySpan<T> row = from.AsSpan(i * rows.Length, rows.Length);
                int best = 0;
                for (int k = 1; k < row.Length; k++)
                {
                    bool better = largest ? row[k] > row[best] : row[k] < row[best];
                    if (better || (last && row[k] == row[best]) || (T.IsNaN(row[k]) && !T.IsNaN(row[best])))
                    {
                        best = k;
                    }
                }

                to[i] = best;
            }

            return new OnnxTensor(OnnxElementType.Int64, rows.Dims, to);
        }
    }

    public static OnnxValue?[] TopK(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        int axis = call.Axis(call.Int("axis", -1), x.Rank), extent = x.Dims[axis];
        long k = call.Long(1) ?? call.Int("k", -1);
        if (k < 0 || k > extent)
        {
            throw call.Error($"k from 0 to {extent}", $"{k}");
        }

        var order = new TopKAction(x, axis, (int)k, call.Int("largest", 1) != 0);
        OnnxTensor places = Numbers.Dispatch(x.ElementType, order);
        int[] chosen = places.Array<int>(), dims = (int[])x.Dims.Clone();
        dims[axis] = (int)k;
        int stride = Shapes.Strides(x.Dims)[axis];
        return
        [
            Shapes.Take(x, chosen, dims),
            new OnnxTensor(OnnxElementType.Int64, dims, Array.ConvertAll(chosen, place => (long)(place / stride % extent))),
        ];
    }

    private readonly struct TopKAction(OnnxTensor x, int axis, int k, bool largest) : ITypeAction
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            T[] from = x.Array<T>();
            int extent = x.Dims[axis], inner = Shapes.Product(x.Dims.AsSpan(axis + 1)),
                outer = Shapes.Product(x.Dims.AsSpan(0, axis));
            var places = new int[outer * k * inner];
            var order = new int[extent];
            int sign = largest ? -1 : 1;
            for (int o = 0; o < outer; o++)
            {
                for (int i = 0; i < inner; i++)
                {
                    int start = (o * extent * inner) + i;
                    for (int e = 0; e < extent; e++)
                    {
                        order[e] = start + (e * inner);
                    }

                    // Of equal elements the first comes first; NaN counts as the largest.
                    Array.Sort(order, (a, b) => (sign * Compare(from[a], from[b])) is not 0 and var c ? c : a.CompareTo(b));
                    for (int e = 0; e < k; e++)
                    {
                        places[(((o * k) + e) * inner) + i] = order[e];
                    }
                }
            }

            return new OnnxTensor(OnnxElementType.Int32, [places.Length], places);
        }

        private static int Compare<T>(T a, T b)
            where T : unmanaged, INumber<T> => T.IsNaN(a) ? (T.IsNaN(b) ? 0 : 1) : T.IsNaN(b) ? -1 : a.CompareTo(b);
    }

    public static OnnxValue?[] CumSum(HostCall call) => Scan<Add>(call);

    public static OnnxValue?[] CumProd(HostCall call) => Scan<Multiply>(call);

    private static OnnxValue?[] Scan<TFunction>(HostCall call)
        where TFunction : IBinary
    {
        OnnxTensor x = call.Tensor(0);
        int axis = call.Axis(call.Long(1) ?? 0, x.Rank);
        return HostCall.One(Numbers.Dispatch(
            x.ElementType, new ScanAction<TFunction>(x, axis, call.Flag("exclusive"), call.Flag("reverse"))));
    }

    private readonly struct ScanAction<TFunction>(OnnxTensor x, int axis, bool exclusive, bool reverse) : ITypeAction
        where TFunction : IBinary
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            T[] from = x.Array<T>(), to = new T[from.Length];
            int extent = x.Dims[axis], inner = Shapes.Product(x.Dims.AsSpan(axis + 1)),
                outer = Shapes.Product(x.Dims.AsSpan(0, axis));
            T neutral = TFunction.Invoke(T.Zero, T.One) == T.One ? T.Zero : T.One;
            for (int o = 0; o < outer; o++)
            {
                for (int i = 0; i < inner; i++)
                {
                    T sum = neutral;
                    for (int e = 0; e < extent; e++)
                    {
                        int place = (((o * extent) + (reverse ? extent - 1 - e : e)) * inner) + i;
                        T next = TFunction.Invoke(sum, from[place]);
                        to[place] = exclusive ? sum : next;
                        sum = next;
                    }
                }
            }

            return new OnnxTensor(x.ElementType, x.Dims, to);
        }
    }

    public static OnnxValue?[] Softmax(HostCall call) => Rowwise(call, RowSoftmax.Instance);

    public static OnnxValue?[] LogSoftmax(HostCall call) => Rowwise(call, RowLogSoftmax.Instance);

    public static OnnxValue?[] Hardmax(HostCall call) => Rowwise(call, RowHardmax.Instance);

    /// <summary>A function of rows along an axis; before opset 13 of all axes from one on.</summary>
    private static OnnxValue?[] Rowwise(HostCall call, RowDelegate function)
    {
        OnnxTensor x = call.Tensor(0);
        bool single = x.ElementType != OnnxElementType.Float64;
        double[] values = (double[])Numbers.Doubles(x).Clone();
        var moved = new OnnxTensor(OnnxElementType.Float64, x.Dims, values);
        int axis = x.Rank == 0 ? 0 : call.Axis(call.Int("axis", call.Opset >= 13 ? -1 : 1), x.Rank);
        int length = call.Opset < 13 ? Shapes.Product(x.Dims.AsSpan(axis)) : x.Rank == 0 ? 1 : x.Dims[axis];
        int[]? order = null;
        if (call.Opset >= 13 && axis < x.Rank - 1)
        {
            order = [.. Enumerable.Range(0, x.Rank)];
            (order[axis], order[^1]) = (order[^1], order[axis]);
            moved = Shapes.Transpose(moved, order);
        }

        double[] rows = moved.Array<double>();
        for (int at = 0; at + length <= rows.Length && length > 0; at += length)
        {
            function(rows.AsSpan(at, length));
        }

        // The exchange of two axes is its own inverse.
        OnnxTensor result = order is null ? moved : Shapes.Transpose(moved, order);
        return HostCall.One(single ? Numbers.Convert(result, x.ElementType) : result);
    }

    private delegate void RowDelegate(Span<double> row);

    private static class RowSoftmax
    {
        public static readonly RowDelegate Instance = row =>
        {
            double max = row[0], sum = 0;
            foreach (double value in row)
            {
                max = Math.Max(max, value);
            }

            foreach (ref double value in row)
            {
                value = Math.Exp(value - max);
                sum += value;
            }

            foreach (ref double value in row)
            {
                value /= sum;
            }
        };
    }

    private static class RowLogSoftmax
    {
        public static readonly RowDelegate Instance = row =>
        {
            double max = row[0], sum = 0;
            foreach (double value in row)
            {
                max = Math.Max(max, value);
            }

            foreach (double value in row)
            {
                sum += Math.Exp(value - max);
            }

            double log = Math.Log(sum) + max;
            foreach (ref double value in row)
            {
                value -= log;
            }
        };
    }

    private static class RowHardmax
    {
        public static readonly RowDelegate Instance = row =>
        {
            int best = 0;
            for (int i = 1; i < row.Length; i++)
            {
                best = row[i] > row[best] ? i : best;
            }

            row.Clear();
            row[best] = 1;
        };
    }
}

/// <summary>What a sum adds of each element.</summary>
internal interface ITerm
{
    static abstract T Of<T>(T x)
        where T : unmanaged, INumber<T>;
}

internal readonly struct Itself : ITerm
{
    public static T Of<T>(T x)
        where T : unmanaged, INumber<T> => x;
}

internal readonly struct Magnitude : ITerm
{
    public static T Of<T>(T x)
        where T : unmanaged, INumber<T> => x < T.Zero ? T.Zero - x : x;
}

internal readonly struct Squared : ITerm
{
    public static T Of<T>(T x)
        where T : unmanaged, INumber<T> => x * x;
}

/// <summary>A sum: of floats in double precision, so that long rows keep their digits, of integers in their own type.</summary>
internal readonly struct RowSum<TTerm> : IRowFunction
    where TTerm : ITerm
{
    public static T Invoke<T>(ReadOnlySpan<T> row)
        where T : unmanaged, INumber<T>, IMinMaxValue<T>
    {
        if (typeof(T) == typeof(float) || typeof(T) == typeof(double))
        {
            return T.CreateTruncating(InDouble(row));
        }

        T sum = T.Zero;
        foreach (T value in row)
        {
            sum += TTerm.Of(value);
        }

        return sum;
    }

    public static double InDouble<T>(ReadOnlySpan<T> row)
        where T : unmanaged, INumber<T>
    {
        double sum = 0;
        foreach (T value in row)
        {
            sum += TTerm.Of(double.CreateTruncating(value));
        }

        return sum;
    }
}

internal readonly struct RowMean : IRowFunction
{
    public static T Invoke<T>(ReadOnlySpan<T> row)
        where T : unmanaged, INumber<T>, IMinMaxValue<T> => T.CreateTruncating(RowSum<Itself>.InDouble(row) / row.Length);
}

internal readonly struct RowProduct : IRowFunction
{
    public static T Invoke<T>(ReadOnlySpan<T> row)
        where T : unmanaged, INumber<T>, IMinMaxValue<T>
    {
        T product = T.One;
        foreach (T value in row)
        {
            product *= value;
        }

        return product;
    }
}

/// <summary>The largest; of nothing, minus infinity or the type's least value.</summary>
internal readonly struct RowMaximum : IRowFunction
{
    public static T Invoke<T>(ReadOnlySpan<T> row)
        where T : unmanaged, INumber<T>, IMinMaxValue<T>
    {
        T max = Extremes.Lowest<T>();
        foreach (T value in row)
        {
            max = T.Max(max, value);
        }

        return max;
    }
}

/// <summary>The least; of nothing, infinity or the type's largest value.</summary>
internal readonly struct RowMinimum : IRowFunction
{
    public static T Invoke<T>(ReadOnlySpan<T> row)
        where T : unmanaged, INumber<T>, IMinMaxValue<T>
    {
        T min = Extremes.Highest<T>();
        foreach (T value in row)
        {
            min = T.Min(min, value);
        }

        return min;
    }
}

internal readonly struct RowNorm : IRowFunction
{
    public static T Invoke<T>(ReadOnlySpan<T> row)
        where T : unmanaged, INumber<T>, IMinMaxValue<T> => T.CreateTruncating(Math.Sqrt(RowSum<Squared>.InDouble(row)));
}

internal readonly struct RowLogSum : IRowFunction
{
    public static T Invoke<T>(ReadOnlySpan<T> row)
        where T : unmanaged, INumber<T>, IMinMaxValue<T> => T.CreateTruncating(Math.Log(RowSum<Itself>.InDouble(row)));
}

/// <summary>The largest is taken out, so that no exponential overflows.</summary>
internal readonly struct RowLogSumExp : IRowFunction
{
    public static T Invoke<T>(ReadOnlySpan<T> row)
        where T : unmanaged, INumber<T>, IMinMaxValue<T>
    {
        double max = double.NegativeInfinity, sum = 0;
        foreach (T value in row)
        {
            max = Math.Max(max, double.CreateTruncating(value));
        }

        if (double.IsInfinity(max))
        {
            return T.CreateTruncating(max);
        }

        foreach (T value in row)
        {
            sum += Math.Exp(double.CreateTruncating(value) - max);
        }

        return T.CreateTruncating(Math.Log(sum) + max);
    }
}

/// <summary>The ends of a type, infinities where it has them.</summary>
internal static class Extremes
{
    public static T Lowest<T>()
        where T : unmanaged, INumber<T>, IMinMaxValue<T> =>
        typeof(T) == typeof(float) || typeof(T) == typeof(double) ? T.CreateTruncating(double.NegativeInfinity) : T.MinValue;

    public static T Highest<T>()
        where T : unmanaged, INumber<T>, IMinMaxValue<T> =>
        typeof(T) == typeof(float) || typeof(T) == typeof(double) ? T.CreateTruncating(double.PositiveInfinity) : T.MaxValue;
}
