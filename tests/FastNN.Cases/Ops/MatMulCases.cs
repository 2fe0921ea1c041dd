using FastNN.Ops;

namespace FastNN.Testing;

internal sealed class MatMulCases : IOpCases
{
    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach ((bool transposeA, bool transposeB) in new[] { (false, false), (false, true), (true, false), (true, true) })
            {
                foreach ((int[] batchA, int[] batchB, int m, int n, int k) in new (int[], int[], int, int, int)[]
                {
                    ([], [], 1, 1, 1), ([], [], 7, 13, 17), ([3], [3], 7, 5, 33), ([3], [], 13, 7, 5), ([], [3], 13, 7, 5),
                    ([2, 1], [3], 4, 8, 12),
                    ([2, 3], [1, 3], 31, 33, 9), ([5, 1, 2], [1, 4, 1], 3, 2, 7), ([64], [64], 3, 5, 7),
                    ([2], [2], 160, 144, 129),
                })
                {
                    yield return Case(batchA, batchB, m, n, k, transposeA, transposeB);
                }
            }

            // Large enough for cuBLAS with batches that are no single run.
            yield return Case([2, 1], [1, 2], 129, 129, 128, false, false);
            foreach ((int[] a, int[] b) in new (int[], int[])[] { ([7], [7]), ([7], [7, 5]), ([5, 7], [7]), ([3, 5, 7], [7]), (
                [7], [3, 7, 5]) })
            {
                yield return Vectors(new Shape(a), new Shape(b));
            }
        }
    }

    private static OpCase Case(int[] batchA, int[] batchB, int m, int n, int k, bool transposeA, bool transposeB)
    {
        Shape a = new([.. batchA, transposeA ? k : m, transposeA ? m : k]),
        b = new([.. batchB, transposeB ? n : k, transposeB ? k : n]);
        Shape y = new([.. Broadcasting.Of("MatMul", new Shape(batchA), new Shape(batchB)), m, n]);
        return new OpCase(
            $"{a}{(transposeA ? "T" : "")} {b}{(transposeB ? "T" : "")}", [OpInput.Uniform("a", a), OpInput.Uniform("b", b)],
            values => values[0].MatMul(values[1], transposeA, transposeB),
            values => MatMulReference.Forward(values[0], a, values[1], b, y, transposeA, transposeB))
        {
            Samples = (double)y.Count * k > 1e6 ? 1 : (double)y.Count * k > 20_000 ? 4 : 16,
            Tolerance = 2e-6 * Math.Sqrt(Math.Max(k, Math.Max(m, n) * Math.Max(1, y.Count / ((double)m * n)))),
            ReferenceBackward = (values, dY) => MatMulReference.Backward(
                values[0], a, values[1], b, y, transposeA, transposeB, dY),
        };
    }

    private static OpCase Vectors(Shape a, Shape b)
    {
        Shape left = a.Rank == 1 ? new(1, a[0]) : a, right = b.Rank == 1 ? new(b[0], 1) : b;
        Shape y = new([.. Broadcasting.Of("MatMul", left[..^2], right[..^2]), left[-2], right[-1]]);
        return new OpCase(
            $"{a} {b}", [OpInput.Uniform("a", a), OpInput.Uniform("b", b)], values => values[0].MatMul(values[1]),
            values => MatMulReference.Forward(values[0], left, values[1], right, y, false, false))
        {
            Tolerance = 1e-5,
            ReferenceBackward = (values, dY) => MatMulReference.Backward(values[0], left, values[1], right, y, false, false, dY),
        };
    }
}
