using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Matrix products in batches: small ones are one launch of our own tiles for all batches, summed or not; large ones are
/// cuBLAS's, one call where the batches are evenly spaced, else one each.
/// </summary>
internal sealed unsafe partial class CudaProducts
{
    private const int MaxGridZ = 65535;

    public void MatMul(Tensor a, Tensor b, Tensor c, MatMulGeometry geometry, bool accumulate)
    {
        (int m, int n, int k) = (geometry.M, geometry.N, geometry.K);
        if (c.Count == 0)
        {
            return;
        }

        if (k == 0 || geometry.Reduced.Count == 0)
        {
            if (!accumulate)
            {
                Fill(c, 0);
            }

            return;
        }

        StridedAxes kept = geometry.Kept, reduced = geometry.Reduced;
        int batches = (int)kept.Count, terms = (int)reduced.Count;
        if (IsSmall(m, n, k))
        {
            int vector = (StaysAligned(a, geometry.StrideA, 0, kept, reduced) ? 1 : 0)
                | (StaysAligned(b, geometry.StrideB, 1, kept, reduced) ? 2 : 0)
                | (StaysAligned(c, n, 2, kept, reduced) ? 4 : 0);
            string kernel = (geometry.TransposeA, geometry.TransposeB, terms > 1) switch
            {
                (false, false, false) => "matmul_nn",
                (false, true, false) => "matmul_nt",
                (true, false, false) => "matmul_tn",
                (true, true, false) => "matmul_tt",
                (false, false, true) => "matmul_sum_nn",
                (false, true, true) => "matmul_sum_nt",
                (true, false, true) => "matmul_sum_tn",
                _ => "matmul_sum_tt",
            };
            for (int first = 0; first < batches; first += MaxGridZ)
            {
                Grid grid = SmallGrid(m, n) with { Z = Math.Min(MaxGridZ, batches - first) };
                Launch(
                    "matmul", kernel, grid,
                    new MatMulArguments(
                        a.Address, b.Address, c.Address, kept, reduced, first, terms, m, n, k, vector, accumulate ? 1 : 0, 0));
            }

            return;
        }

        bool even = kept.Rank <= 1;
        for (int batch = 0; batch < (even ? 1 : batches); batch++)
        {
            kept.LocateElement(batch, out nint firstA, out nint firstB, out nint firstC);
            for (int term = 0; term < terms; term++)
            {
                reduced.LocateElement(term, out nint moreA, out nint moreB, out _);
                float beta = accumulate || term > 0 ? 1 : 0;
                nint left = At(a, firstA + moreA), right = At(b, firstB + moreB), to = At(c, firstC);
                if (even && batches > 1)
                {
                    Blas.GemmBatched(
                        geometry.TransposeA, geometry.TransposeB, m, n, k, left, geometry.StrideA, kept.First[0], right,
                        geometry.StrideB, kept.Second[0],
                        beta, to, n, kept.Third[0], batches);
                }
                else
                {
                    Blas.Gemm(
                        geometry.TransposeA, geometry.TransposeB, m, n, k, left, geometry.StrideA, right, geometry.StrideB, beta,
                        to, n);
                }
            }
        }

        static nint At(Tensor tensor, nint element) => tensor.Address + (element * sizeof(float));
    }

    /// <summary>Whether every row of every batch of an operand begins on 16 bytes.</summary>
    private static bool StaysAligned(Tensor tensor, int stride, int operand, in StridedAxes kept, in StridedAxes reduced)
    {
        long bits = stride;
        for (int axis = 0; axis < kept.Rank; axis++)
        {
            bits |= operand == 0 ? kept.First[axis] : operand == 1 ? kept.Second[axis] : kept.Third[axis];
        }

        for (int axis = 0; axis < reduced.Rank; axis++)
        {
            bits |= operand == 0 ? reduced.First[axis] : operand == 1 ? reduced.Second[axis] : 0;
        }

        return bits % 4 == 0 && IsAligned(tensor.Address);
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct MatMulArguments(
        nint A, nint B, nint C, StridedAxes Kept, StridedAxes Reduced, int FirstBatch, int Terms, int M, int N, int K, int Vector,
        int Accumulate, int Unused);
}
