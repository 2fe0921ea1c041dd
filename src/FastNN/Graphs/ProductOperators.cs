using FastNN.Ops;

namespace FastNN;

/// <summary>Products, as fluent calls on values.</summary>
public static class ProductOperators
{
    /// <summary>
    /// The matrix product, as NumPy's and PyTorch's matmul: axes in front of the last two broadcast; a vector on the left is a
    /// row, on the right a column, and its axis is left out of the result.
    /// </summary>
    /// <param name="a">[..., M, K] or [K].</param>
    /// <param name="b">[..., K, N] or [K].</param>
    /// <param name="transposeA">Exchange a's last two axes first: [..., K, M]; default false. Costs nothing.</param>
    /// <param name="transposeB">Exchange b's last two axes first: [..., N, K]; default false. Costs nothing.</param>
    /// <returns>[..., M, N].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Value MatMul(this Value a, Value b, bool transposeA = false, bool transposeB = false)
    {
        ArgumentNullException.ThrowIfNull(b);
        if (a.Shape.Rank == 0 || b.Shape.Rank == 0)
        {
            throw new ShapeException(
                $"MatMul: expected vectors or matrices, got {a.Shape} and {b.Shape}; multiply scalars with *.");
        }

        bool row = a.Shape.Rank == 1, column = b.Shape.Rank == 1;
        Value left = row ? a.Reshape([1, a.Shape[0]]) : a, right = column ? b.Reshape([b.Shape[0], 1]) : b;
        Value y = a.Graph.Add(new MatMulOp(transposeA && !row, transposeB && !column), left, right);
        if (!row && !column)
        {
            return y;
        }

        Shape matrix = y.Shape;
        Shape kept = row && column ? matrix[..^2] : row ? [.. matrix[..^2], matrix[-1]] : matrix[..^1];
        return y.Reshape(kept);
    }
}
