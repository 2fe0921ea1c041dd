using System.Globalization;
using System.Numerics;
using System.Numerics.Tensors;

namespace FastNN.Onnx.Host;

/// <summary>Matrix products of any type.</summary>
internal static class Products
{
    public static OnnxValue?[] MatMul(HostCall call) => HostCall.One(MatMul(call, call.Tensor(0), call.Tensor(1)));

    /// <summary>NumPy's matmul: batches broadcast, vectors are rows on the left and columns on the right.</summary>
    public static OnnxTensor MatMul(HostCall call, OnnxTensor a, OnnxTensor b)
    {
        if (a.Rank == 0 || b.Rank == 0 || a.ElementType != b.ElementType)
        {
            throw call.Error("two tensors of one type and at least one axis", $"{a} and {b}");
        }

        int[] left = a.Rank == 1 ? [1, a.Dims[0]] : a.Dims, right = b.Rank == 1 ? [b.Dims[0], 1] : b.Dims;
        int m = left[^2], k = left[^1], n = right[^1];
        if (right[^2] != k)
        {
            throw call.Error(string.Create(CultureInfo.InvariantCulture, $"a second input with {k} rows"), b.ToString());
        }

        int[] batches = Shapes.Broadcast(call, left[..^2], right[..^2]);
        int[] xs = BatchPlaces(left[..^2], batches), ys = BatchPlaces(right[..^2], batches);
        OnnxTensor product = Numbers.Dispatch(a.ElementType, new MatMulAction(a, b, xs, ys, m, k, n));
        int[] dims = [.. batches, .. a.Rank == 1 ? [] : (int[])[m], .. b.Rank == 1 ? [] : (int[])[n]];
        return product.WithDims(dims);
    }

    private static int[] BatchPlaces(int[] from, int[] to) =>
        Shapes.BroadcastPlaces(from, to) ?? [.. Enumerable.Range(0, Shapes.Product(to))];

    private readonly struct MatMulAction(OnnxTensor a, OnnxTensor b, int[] xs, int[] ys, int m, int k, int n) : ITypeAction
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            T[] x = a.Array<T>(), y = b.Array<T>();
            var z = new T[Shapes.Product([xs.Length, m, n])];
            for (int batch = 0; batch < xs.Length; batch++)
            {
                Multiply(x.AsSpan(xs[batch] * m * k, m * k), y.AsSpan(ys[batch] * k * n, k * n), z.AsSpan(batch * m * n, m * n),
                    m, k, n);
            }

            return new OnnxTensor(a.ElementType, [z.Length], z);
        }
    }

    /// <summary>z += x y for row-major matrices, a row of y at a time.</summary>
    public static void Multiply<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> z, int m, int k, int n)
        where T : unmanaged, INumber<T>
    {
        for (int row = 0; row < m; row++)
        {
            Span<T> sums = z.Slice(row * n, n);
            for (int inner = 0; inner < k; inner++)
            {
                TensorPrimitives.MultiplyAdd(y.Slice(inner * n, n), x[(row * k) + inner], sums, sums);
            }
        }
    }

    public static OnnxValue?[] Gemm(HostCall call)
    {
        OnnxTensor a = Matrix(call, 0, "transA"), b = Matrix(call, 1, "transB");
        OnnxTensor product = Scale(MatMul(call, a, b), call.Float("alpha", 1));
        if (call.Optional(2) is { } c)
        {
            c = Scale(c, call.Float("beta", 1));
            int[] dims = Shapes.Broadcast(call, product.Dims, c.Dims);
            if (!dims.AsSpan().SequenceEqual(product.Dims))
            {
                throw call.Error($"a third input that broadcasts to {OnnxTensor.Text(product.Dims)}", c.ToString());
            }

            product = Elementwise.Binary<Add>(call, product, c);
        }

        return HostCall.One(product);
    }

    private static OnnxTensor Matrix(HostCall call, int input, string transposed)
    {
        OnnxTensor matrix = call.Tensor(input);

        // The oldest opsets see everything behind the first axis as one.
        if (matrix.Rank != 2 && call.Opset < 7 && matrix.Rank > 0)
        {
            matrix = matrix.WithDims([matrix.Dims[0], Shapes.Product(matrix.Dims.AsSpan(1))]);
        }

        if (matrix.Rank != 2)
        {
            throw call.Error(string.Create(CultureInfo.InvariantCulture, $"a matrix as input {input}"), matrix.ToString());
        }

        return call.Flag(transposed) ? Shapes.Transpose(matrix, [1, 0]) : matrix;
    }

    private static OnnxTensor Scale(OnnxTensor tensor, float factor) =>
        factor == 1 ? tensor : Numbers.Dispatch(tensor.ElementType, new ScaleAction(tensor, factor));

    private readonly struct ScaleAction(OnnxTensor tensor, double factor) : ITypeAction
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            T by = T.CreateTruncating(factor);
            return new OnnxTensor(tensor.ElementType, tensor.Dims, Array.ConvertAll(tensor.Array<T>(), value => value * by));
        }
    }

    public static OnnxValue?[] MatMulInteger(HostCall call)
    {
        OnnxTensor a = Quantization.WithoutZeroPoint(call, call.Tensor(0), call.Optional(2), row: true);
        OnnxTensor b = Quantization.WithoutZeroPoint(call, call.Tensor(1), call.Optional(3), row: false);
        return HostCall.One(MatMul(call, a, b));
    }

    /// <summary>
    /// Einsum: every letter is an axis, those missing from the output are summed over. Contracted by brute force over all
    /// letters; networks' own products are compiled.
    /// </summary>
    public static OnnxValue?[] Einsum(HostCall call)
    {
        string equation = call.Text("equation", "").Replace(" ", "", StringComparison.Ordinal);
        string[] sides = equation.Split("->");
        string[] terms = sides[0].Split(',');
        if (terms.Length != call.InputCount || sides.Length > 2)
        {
            throw call.Error("an equation with a term for every input", equation);
        }

        // The axes of an ellipsis become digits, counted from the right, as they broadcast.
        int ellipsis = 0;
        for (int i = 0; i < terms.Length; i++)
        {
            if (terms[i].Contains("...", StringComparison.Ordinal))
            {
                ellipsis = Math.Max(ellipsis, call.Tensor(i).Rank - (terms[i].Length - 3));
            }
        }

        for (int i = 0; i < terms.Length; i++)
        {
            int own = Math.Max(0, call.Tensor(i).Rank - (terms[i].Length - 3));
            terms[i] = terms[i].Replace("...", Digits(ellipsis)[(ellipsis - Math.Min(own, ellipsis))..],
                StringComparison.Ordinal);
            if (terms[i].Length != call.Tensor(i).Rank)
            {
                throw call.Error($"a term with {call.Tensor(i).Rank} letters for input {i}", equation);
            }
        }

        string output = sides.Length == 2
            ? sides[1].Replace("...", Digits(ellipsis), StringComparison.Ordinal)
            : Digits(ellipsis) + string.Concat(string.Concat(terms).Where(char.IsLetter).GroupBy(c => c).Where(g =>
                g.Count() == 1).Select(g => g.Key).Order());
        string letters = output + string
            .Concat(string.Concat(terms).Distinct().Where(c => !output.Contains(c, StringComparison.Ordinal)));
        int[] dims = Array.ConvertAll(letters.ToCharArray(), letter => Extent(call, terms, letter));
        return HostCall.One(Numbers.Dispatch(call.Tensor(0).ElementType,
            new EinsumAction(call, terms, letters, output.Length, dims)));
    }

    private static string Digits(int count) => string.Concat(Enumerable.Range(0, count).Select(i => (char)('0' + i)));

    private static int Extent(HostCall call, string[] terms, char letter)
    {
        int extent = 1;
        for (int i = 0; i < terms.Length; i++)
        {
            for (int axis = 0; axis < terms[i].Length; axis++)
            {
                int own = call.Tensor(i).Dims[axis];
                if (terms[i][axis] == letter && own != 1)
                {
                    extent = extent == 1 || extent == own ? own
                        : throw call.Error($"one extent for '{letter}'", $"{extent} and {own}");
                }
            }
        }

        return extent;
    }

    private readonly struct EinsumAction(HostCall call, string[] terms, string letters, int outputs, int[] dims) : ITypeAction
    {
        public OnnxTensor Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            int[] kept = dims[..outputs];
            int inner = Shapes.Product(dims.AsSpan(outputs));
            var data = new T[terms.Length][];
            var places = new int[terms.Length][];
            for (int i = 0; i < terms.Length; i++)
            {
                OnnxTensor tensor = call.Tensor(i);
                data[i] = tensor.Array<T>();
                int[] own = Shapes.Strides(tensor.Dims), strides = new int[dims.Length];
                for (int axis = 0; axis < tensor.Rank; axis++)
                {
                    // A letter that occurs twice in a term walks along the diagonal.
                    strides[letters.IndexOf(terms[i][axis], StringComparison.Ordinal)] += tensor.Dims[axis] == 1 ? 0 : own[axis];
                }

                places[i] = Shapes.Places(dims, strides, 0);
            }

            var result = new T[Shapes.Product(kept)];
            for (int o = 0, at = 0; o < result.Length; o++)
            {
                T sum = T.Zero;
                for (int i = 0; i < inner; i++, at++)
                {
                    T product = data[0][places[0][at]];
                    for (int t = 1; t < data.Length; t++)
                    {
                        product *= data[t][places[t][at]];
                    }

                    sum += product;
                }

                result[o] = sum;
            }

            return new OnnxTensor(call.Tensor(0).ElementType, kept, result);
        }
    }

    /// <summary>Determinants by elimination with pivots.</summary>
    public static OnnxValue?[] Det(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        if (x.Rank < 2 || x.Dims[^1] != x.Dims[^2])
        {
            throw call.Error("square matrices", x.ToString());
        }

        int n = x.Dims[^1];
        double[] all = Numbers.Doubles(x);
        int[] dims = x.Dims[..^2];
        var result = new double[Shapes.Product(dims)];
        for (int b = 0; b < result.Length; b++)
        {
            result[b] = Determinant(all.AsSpan(b * n * n, n * n).ToArray(), n);
        }

        return HostCall.One(Numbers.Convert(new OnnxTensor(OnnxElementType.Float64, dims, result), x.ElementType));
    }

    private static double Determinant(double[] a, int n)
    {
        double product = 1;
        for (int column = 0; column < n; column++)
        {
            int pivot = column;
            for (int row = column + 1; row < n; row++)
            {
                pivot = Math.Abs(a[(row * n) + column]) > Math.Abs(a[(pivot * n) + column]) ? row : pivot;
            }

            if (a[(pivot * n) + column] == 0)
            {
                return 0;
            }

            if (pivot != column)
            {
                product = -product;
                for (int i = 0; i < n; i++)
                {
                    (a[(pivot * n) + i], a[(column * n) + i]) = (a[(column * n) + i], a[(pivot * n) + i]);
                }
            }

            product *= a[(column * n) + column];
            for (int row = column + 1; row < n; row++)
            {
                double factor = a[(row * n) + column] / a[(column * n) + column];
                for (int i = column; i < n; i++)
                {
                    a[(row * n) + i] -= factor * a[(column * n) + i];
                }
            }
        }

        return product;
    }
}
