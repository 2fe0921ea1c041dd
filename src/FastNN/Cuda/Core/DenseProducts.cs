using System.Runtime.InteropServices;

namespace FastNN.Cuda;

/// <summary>
/// Products of two matrices, which dense layers are and convolutions of 1x1: small ones by our kernels, large ones by cuBLAS.
/// </summary>
internal abstract unsafe partial class CudaFacet
{
    /// <summary>
    /// Multiplications up to which our kernels compute a product. 2^21 is a few microseconds' work even for part of a GPU, about
    /// what launching costs: one launch instead of two is worth more there than cuBLAS's larger tiles.
    /// </summary>
    private const long SmallProduct = 1 << 21;

    /// <summary>
    /// The longest sums of our kernels: beyond, their order would be too plain for float32, and too few blocks would share the
    /// work.
    /// </summary>
    private const int SmallDepth = 4096;

    protected const int SmallTile = 32, SmallThreads = 256;

    /// <summary>y [m, n] = f(x [m, k] weight [k, n] + bias).</summary>
    protected void Multiply(int m, int k, int n, nint x, nint weight, nint y, in EpilogueArguments epilogue)
    {
        if (IsSmall(m, n, k))
        {
            int vector = Vectors(k % 4 == 0 && IsAligned(x), n % 4 == 0 && IsAligned(weight, y));
            Launch("dense", "dense_forward", SmallGrid(m, n), new DenseForwardArguments(x, weight, y, epilogue, m, k, n, vector));
            return;
        }

        Blas.Gemm(false, false, m, n, k, x, k, weight, n, 0, y, n);
        if (!epilogue.IsIdentity)
        {
            FinishColumns(y, (long)m * n, n, epilogue);
        }
    }

    /// <summary>dX [m, k] (=|+=) dY [m, n] weight^T.</summary>
    protected void MultiplyBackwardData(int m, int k, int n, nint dY, nint weight, nint dX, bool accumulate)
    {
        if (IsSmall(m, k, n))
        {
            Launch("dense", "dense_backward_data", SmallGrid(m, k), DataArguments(m, k, n, dY, weight, dX, accumulate));
            return;
        }

        Blas.Gemm(false, true, m, k, n, dY, n, weight, n, accumulate ? 1 : 0, dX, k);
    }

    /// <summary>dWeight [k, n] (=|+=) x^T dY, and dBias [n] (=|+=) the column sums of dY, unless its address is 0.</summary>
    protected void MultiplyBackwardWeight(
        int m, int k, int n, nint x, nint dY, nint dWeight, nint dBias, bool accumulateWeight, bool accumulateBias)
    {
        if (IsSmall(k, n, m))
        {
            Launch(
                "dense", "dense_backward_weight", SmallGrid(dBias == 0 ? k : k + 1, n),
                WeightArguments(m, k, n, x, dY, dWeight, dBias, accumulateWeight, accumulateBias));
            return;
        }

        Blas.Gemm(true, false, k, n, m, x, k, dY, n, accumulateWeight ? 1 : 0, dWeight, n);
        if (dBias != 0)
        {
            SumOverRows(dY, (long)m * n, n, dBias, accumulateBias);
        }
    }

    /// <summary>All gradients of a small product in one launch; none of them may be in another's place.</summary>
    protected void MultiplyBackward(
        int m, int k, int n, nint x, nint weight, nint dY, nint dX, bool accumulateX, nint dWeight, bool accumulateWeight,
        nint dBias, bool accumulateBias)
    {
        Grid data = SmallGrid(m, k), weights = SmallGrid(dBias == 0 ? k : k + 1, n);
        Launch(
            "dense", "dense_backward", new Grid(checked((data.X * data.Y) + (weights.X * weights.Y)), SmallThreads),
            new DenseBackwardArguments(
                DataArguments(m, k, n, dY, weight, dX, accumulateX),
                WeightArguments(m, k, n, x, dY, dWeight, dBias, accumulateWeight, accumulateBias), data.X, data.X * data.Y,
                weights.X, 0));
    }

    private static DenseBackwardDataArguments DataArguments(
        int m, int k, int n, nint dY, nint weight, nint dX, bool accumulate) => new(
        dY, weight, dX, m, k, n, Vectors(n % 4 == 0 && IsAligned(dY, weight), k % 4 == 0 && IsAligned(dX)), accumulate ? 1 : 0,
        0);

    private static DenseBackwardWeightArguments WeightArguments(
        int m, int k, int n, nint x, nint dY, nint dWeight, nint dBias, bool accumulateWeight, bool accumulateBias) => new(
        x, dY, dWeight, dBias, m, k, n, Vectors(k % 4 == 0 && IsAligned(x), n % 4 == 0 && IsAligned(dY, dWeight)),
        accumulateWeight ? 1 : 0, accumulateBias ? 1 : 0);

    protected static bool IsSmall(long rows, int columns, int depth) =>
        depth <= SmallDepth && columns <= SmallProduct / 2 && (double)rows * columns * depth <= SmallProduct;

    protected static Grid SmallGrid(int rows, int columns) =>
        new(Blocks(rows, SmallTile), SmallThreads, Blocks(columns, SmallTile));

    protected static int Vectors(bool first, bool second) => (first ? 1 : 0) | (second ? 2 : 0);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct DenseForwardArguments(
        nint X, nint Weight, nint Y, EpilogueArguments Epilogue, int M, int K, int N, int Vector);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct DenseBackwardDataArguments(
        nint DY, nint Weight, nint DX, int M, int K, int N, int Vector, int Accumulate, int Unused);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct DenseBackwardWeightArguments(
        nint X, nint DY, nint DWeight, nint DBias, int M, int K, int N, int Vector, int AccumulateWeight, int AccumulateBias);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct DenseBackwardArguments(
        DenseBackwardDataArguments Data, DenseBackwardWeightArguments Weight, int DataRows, int DataBlocks, int WeightRows,
        int Unused);
}
