using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>
/// Products of matrices in batches: C [M, N] = the sum over the reduced batches of op(A) [M, K] op(B) [K, N], for each kept
/// batch. As stored A is [K, M] where it is transposed, B [N, K].
/// </summary>
/// <param name="Kept">Batches of C. First, second, third: elements from one to the next of A, B and C, 0 where one
/// repeats.</param>
/// <param name="Reduced">Batches that are summed, likewise.</param>
internal sealed record MatMulGeometry(
    int M, int N, int K, bool TransposeA, bool TransposeB, StridedAxes Kept, StridedAxes Reduced)
{
    /// <summary>Elements from row to row of A as stored.</summary>
    public int StrideA => TransposeA ? M : K;

    /// <summary>Likewise of B.</summary>
    public int StrideB => TransposeB ? K : N;

    /// <summary>
    /// The product over these batch axes; where C repeats along one, it is summed. Batches that lie in a row are folded into one
    /// product where that is the same: into M where B is one matrix, into K where C is.
    /// </summary>
    public static unsafe MatMulGeometry Of(
        int m, int n, int k, bool transposeA, bool transposeB, ReadOnlySpan<(int Extent, long A, long B, long C)> batches)
    {
        StridedAxes kept = default, reduced = default;
        foreach ((int extent, long a, long b, long c) in batches)
        {
            if (c == 0)
            {
                reduced.Append(extent, a, b);
            }
            else
            {
                kept.Append(extent, a, b, c);
            }
        }

        bool isFree = m > 0 && n > 0 && k > 0;
        if (isFree && kept.Rank == 1 && reduced.Rank == 0 && !transposeA
            && (kept.First[0], kept.Second[0], kept.Third[0]) == ((long)m * k, 0, (long)m * n)
            && (long)m * kept.Extents[0] <= int.MaxValue)
        {
            return new MatMulGeometry(m * kept.Extents[0], n, k, transposeA, transposeB, default, reduced);
        }

        if (isFree && kept.Rank == 0 && reduced.Rank == 1 && transposeA && !transposeB
            && (reduced.First[0], reduced.Second[0]) == ((long)k * m, (long)k * n)
            && (long)k * reduced.Extents[0] <= int.MaxValue)
        {
            return new MatMulGeometry(m, n, k * reduced.Extents[0], transposeA, transposeB, kept, default);
        }

        return new MatMulGeometry(m, n, k, transposeA, transposeB, kept, reduced);
    }
}

internal partial interface IProducts
{
    /// <summary>c (=|+=) the products of the geometry. Sums over batches are in their order.</summary>
    void MatMul(Tensor a, Tensor b, Tensor c, MatMulGeometry geometry, bool accumulate);
}
