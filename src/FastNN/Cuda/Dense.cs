using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Dense layers as row-major matrix products. Small ones are one launch of a kernel of ours, bias, activation and the bias's gradient
/// included; large ones are cuBLAS's and one launch more for those.
/// </summary>
internal sealed unsafe partial class CudaDevice
{
    /// <summary>
    /// Multiplications up to which a product is ours. 2^21 is a few microseconds' work even for part of a GPU, about what launching
    /// costs: one launch instead of two is worth more there than cuBLAS's larger tiles.
    /// </summary>
    private const long SmallProduct = 1 << 21;

    /// <summary>The longest sums of ours: beyond, their order would be too plain for float32, and too few blocks would share the work.</summary>
    private const int SmallDepth = 4096;

    private const int SmallTile = 32, SmallThreads = 256;

    public void DenseForward(Tensor x, Tensor weight, Tensor? bias, Tensor y, Activation activation)
    {
        (int k, int n) = (weight.Shape[0], weight.Shape[1]);
        if (n > 0)
        {
            Multiply(Tensor.Index(y.Count / n), k, n, x.Address, weight.Address, y.Address, new EpilogueArguments(AddressOf(bias), activation.Id, activation.Scalars.First));
        }
    }

    public void DenseBackwardData(Tensor dY, Tensor weight, Tensor dX, bool accumulate)
    {
        (int k, int n) = (weight.Shape[0], weight.Shape[1]);
        if (k > 0)
        {
            MultiplyBackwardData(Tensor.Index(dX.Count / k), k, n, dY.Address, weight.Address, dX.Address, accumulate);
        }
    }

    public void DenseBackwardWeight(Tensor x, Tensor dY, Tensor? dWeight, Tensor? dBias, bool accumulateWeight, bool accumulateBias)
    {
        if (dWeight is null)
        {
            if (dBias is { Count: > 0 })
            {
                SumOverRows(dY.Address, dY.Count, Tensor.Index(dBias.Count), dBias.Address, accumulateBias);
            }

            return;
        }

        (int k, int n) = (dWeight.Shape[0], dWeight.Shape[1]);
        if (n > 0)
        {
            MultiplyBackwardWeight(Tensor.Index(dY.Count / n), k, n, x.Address, dY.Address, dWeight.Address, AddressOf(dBias), accumulateWeight, accumulateBias);
        }
    }

    /// <summary>y [m, n] = f(x [m, k] weight [k, n] + bias).</summary>
    private void Multiply(int m, int k, int n, nint x, nint weight, nint y, in EpilogueArguments epilogue)
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
    private void MultiplyBackwardData(int m, int k, int n, nint dY, nint weight, nint dX, bool accumulate)
    {
        if (IsSmall(m, k, n))
        {
            int vector = Vectors(n % 4 == 0 && IsAligned(dY, weight), k % 4 == 0 && IsAligned(dX));
            var arguments = new DenseBackwardDataArguments(dY, weight, dX, m, k, n, vector, accumulate ? 1 : 0, 0);
            Launch("dense", "dense_backward_data", SmallGrid(m, k), arguments);
            return;
        }

        Blas.Gemm(false, true, m, k, n, dY, n, weight, n, accumulate ? 1 : 0, dX, k);
    }

    /// <summary>dWeight [k, n] (=|+=) x^T dY, and dBias [n] (=|+=) the column sums of dY, unless its address is 0.</summary>
    private void MultiplyBackwardWeight(
        int m, int k, int n, nint x, nint dY, nint dWeight, nint dBias, bool accumulateWeight, bool accumulateBias)
    {
        if (IsSmall(k, n, m))
        {
            int vector = Vectors(k % 4 == 0 && IsAligned(x), n % 4 == 0 && IsAligned(dY, dWeight));
            var arguments = new DenseBackwardWeightArguments(
                x, dY, dWeight, dBias, m, k, n, vector, accumulateWeight ? 1 : 0, accumulateBias ? 1 : 0);
            Launch("dense", "dense_backward_weight", SmallGrid(dBias == 0 ? k : k + 1, n), arguments);
            return;
        }

        Blas.Gemm(true, false, k, n, m, x, k, dY, n, accumulateWeight ? 1 : 0, dWeight, n);
        if (dBias != 0)
        {
            SumOverRows(dY, (long)m * n, n, dBias, accumulateBias);
        }
    }

    private static bool IsSmall(int rows, int columns, int depth) =>
        depth <= SmallDepth && columns <= SmallProduct / 2 && (double)rows * columns * depth <= SmallProduct;

    private static Grid SmallGrid(int rows, int columns) => new(Blocks(rows, SmallTile), SmallThreads, Blocks(columns, SmallTile));

    private static int Vectors(bool first, bool second) => (first ? 1 : 0) | (second ? 2 : 0);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct DenseForwardArguments(nint X, nint Weight, nint Y, EpilogueArguments Epilogue, int M, int K, int N, int Vector);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct DenseBackwardDataArguments(
        nint DY, nint Weight, nint DX, int M, int K, int N, int Vector, int Accumulate, int Unused);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct DenseBackwardWeightArguments(
        nint X, nint DY, nint DWeight, nint DBias, int M, int K, int N, int Vector, int AccumulateWeight, int AccumulateBias);
}
