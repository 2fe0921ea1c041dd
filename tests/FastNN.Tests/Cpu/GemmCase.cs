using System.Collections.Concurrent;
using FastNN.Cpu;

namespace FastNN.Tests.Cpu;

/// <summary>
/// One product with its operands between guard zones, rows further apart than they are long, and its truth in double.
/// </summary>
internal sealed unsafe class GemmCase : IDisposable
{
    private const int PadA = 3;
    private const int PadB = 5;
    private const int PadC = 2;

    /// <summary>
    /// Sums of more than this many products are kept, for the rungs and epilogues that are compared with the same ones.
    /// </summary>
    private const long Kept = 1_000_000;

    private static readonly ConcurrentDictionary<(int M, int N, int K, bool TransA, bool TransB),
    (double Sum, double Magnitude)[]> Sums = new();

    private readonly GuardedBuffer _a;
    private readonly GuardedBuffer _b;
    private readonly GuardedBuffer _c;
    private readonly GuardedBuffer _bias;
    private readonly float[] _before;
    private readonly Activation _activation;

    public GemmCase(int m, int n, int k, bool transA, bool transB, bool bias, Activation activation, bool accumulate)
    {
        (int aRows, int aCols) = transA ? (k, m) : (m, k);
        (int bRows, int bCols) = transB ? (n, k) : (k, n);
        var random = new Random((((m * 10007) + n) * 10007) + k);
        _a = Matrix(aRows, aCols, PadA, random);
        _b = Matrix(bRows, bCols, PadB, random);
        _c = Matrix(m, n, PadC, random);
        _bias = Matrix(1, n, 0, random);
        _before = _c.Span.ToArray();
        _activation = activation;
        Product = new Product
        {
            M = m,
            N = n,
            K = k,
            TransA = transA,
            TransB = transB,
            A = _a.Pointer,
            Lda = aCols + PadA,
            B = _b.Pointer,
            Ldb = bCols + PadB,
            C = _c.Pointer,
            Ldc = n + PadC,
            Epilogue = new Epilogue(bias ? _bias.Pointer : null, activation, accumulate),
        };
    }

    public Product Product { get; }

    public float[] Result => _c.Span.ToArray();

    /// <summary>C as it was before the product.</summary>
    public void Reset() => _before.CopyTo(_c.Span);

    /// <summary>
    /// Every element within the error that summing k + 3 rounded terms in any order may have, and nothing else touched. The
    /// activations here have slopes up to 1.13, and some units in the last place of their own.
    /// </summary>
    public void Check()
    {
        _a.AssertIntact("A");
        _b.AssertIntact("B");
        _c.AssertIntact("C");
        _bias.AssertIntact("bias");
        Product p = Product;
        (double Sum, double Magnitude)[] sums = (long)p.M * p.N * p.K > Kept
            ? Sums.GetOrAdd((p.M, p.N, p.K, p.TransA, p.TransB), _ => AddUp())
            : AddUp();
        for (int i = 0; i < p.M; i++)
        {
            for (int j = 0; j < p.N; j++)
            {
                (double expected, double magnitude) = Truth(i, j, sums[(i * p.N) + j]);
                double bound = (1.2 * (p.K + 3) * Math.Pow(2, -24) * magnitude) + (1e-6 * Math.Abs(expected)) + 1e-7;
                float actual = p.C[(i * p.Ldc) + j];
                if (!(Math.Abs(actual - expected) <= bound))
                {
                    string shape = $"{p.M}x{p.N}x{p.K}, {p.TransA}, {p.TransB}";
                    Assert.Fail($"C[{i}, {j}] is {actual}, not {expected} +- {bound} ({shape})");
                }
            }

            for (int j = p.N; i < p.M - 1 && j < p.Ldc; j++)
            {
                Assert.That(p.C[(i * p.Ldc) + j], Is.NaN, $"C is written between its rows, at [{i}, {j}]");
            }
        }
    }

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
        _c.Dispose();
        _bias.Dispose();
    }

    // What lies between the rows is NaN: who reads it spoils the result, who writes it is found.
    private static GuardedBuffer Matrix(int rows, int cols, int pad, Random random)
    {
        var buffer = new GuardedBuffer(Math.Max(0, ((long)rows * (cols + pad)) - pad));
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < cols; j++)
            {
                buffer.Pointer[(i * (cols + pad)) + j] = (random.NextSingle() * 2) - 1;
            }
        }

        return buffer;
    }

    /// <summary>The product in double, and the sum of its terms' magnitudes.</summary>
    private (double Sum, double Magnitude)[] AddUp()
    {
        Product p = Product;
        // One row after the other, whichever way B lies.
        var b = new double[p.K * p.N];
        for (int q = 0; q < p.K; q++)
        {
            for (int j = 0; j < p.N; j++)
            {
                b[(q * p.N) + j] = p.TransB ? p.B[(j * p.Ldb) + q] : p.B[(q * p.Ldb) + j];
            }
        }

        var sums = new (double Sum, double Magnitude)[p.M * p.N];
        for (int i = 0; i < p.M; i++)
        {
            Span<(double Sum, double Magnitude)> row = sums.AsSpan(i * p.N, p.N);
            for (int q = 0; q < p.K; q++)
            {
                double x = p.TransA ? p.A[(q * p.Lda) + i] : p.A[(i * p.Lda) + q];
                ReadOnlySpan<double> line = b.AsSpan(q * p.N, p.N);
                for (int j = 0; j < row.Length; j++)
                {
                    double term = x * line[j];
                    row[j].Sum += term;
                    row[j].Magnitude += Math.Abs(term);
                }
            }
        }

        return sums;
    }

    private (double Value, double Magnitude) Truth(int i, int j, (double Sum, double Magnitude) product)
    {
        Product p = Product;
        double bias = p.Epilogue.Bias != null ? p.Epilogue.Bias[j] : 0;
        double before = p.Epilogue.Accumulate ? _before[(i * p.Ldc) + j] : 0;
        return (Activate(product.Sum + bias + before), product.Magnitude + Math.Abs(bias) + Math.Abs(before));
    }

    private double Activate(double x) => ActivationsReference.Value(_activation, x);
}
