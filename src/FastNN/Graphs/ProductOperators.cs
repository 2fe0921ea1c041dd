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

    /// <summary>The sum of the products of two vectors' elements, as PyTorch's dot.</summary>
    /// <param name="a">[K].</param>
    /// <param name="b">[K].</param>
    /// <returns>A scalar.</returns>
    /// <exception cref="ShapeException">The operands are not two vectors of the same length.</exception>
    public static Value Dot(this Value a, Value b)
    {
        ArgumentNullException.ThrowIfNull(b);
        return a.Shape.Rank == 1 && b.Shape.Rank == 1
            ? a.Graph.Compose(() => a.MatMul(b))
            : throw new ShapeException($"Dot: expected two vectors [K], got {a.Shape} and {b.Shape}.");
    }

    /// <summary>A matrix times a vector, as PyTorch's mv.</summary>
    /// <param name="matrix">[M, K].</param>
    /// <param name="vector">[K].</param>
    /// <returns>[M].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Value MatVec(this Value matrix, Value vector)
    {
        ArgumentNullException.ThrowIfNull(vector);
        return matrix.Shape.Rank == 2 && vector.Shape.Rank == 1
            ? matrix.Graph.Compose(() => matrix.MatMul(vector))
            : throw new ShapeException($"MatVec: expected [M, K] and [K], got {matrix.Shape} and {vector.Shape}.");
    }

    /// <summary>
    /// Einstein's summation, as PyTorch's and NumPy's einsum: <c>Einsum("bij,bjk->bik", a, b)</c>. Letters name axes, those that
    /// the result lacks are summed, one that a term has twice is a diagonal, and "..." stands for axes that broadcast. Operands
    /// are joined from left to right, each pair by one batched matrix product.
    /// </summary>
    /// <param name="equation">Terms with commas between them, and behind "->" the result's; without an arrow the result has the
    /// axes of "..." and the letters that occur once, in the order of the alphabet.</param>
    /// <param name="operands">One for each term.</param>
    /// <returns>A value with the result's axes.</returns>
    /// <exception cref="ShapeException">The equation is not well formed or does not fit the operands; the message quotes
    /// it.</exception>
    public static Value Einsum(string equation, params ReadOnlySpan<Value> operands) => Graphs.Einsum.Of(equation, operands);

    /// <summary>y = x1 weight x2 + bias for each output, as PyTorch's bilinear: sum over i and j of x1[i] weight[o, i, j]
    /// x2[j].</summary>
    /// <param name="x1">[..., I].</param>
    /// <param name="x2">[..., J], with the same axes in front.</param>
    /// <param name="weight">[O, I, J].</param>
    /// <param name="bias">[O] or null.</param>
    /// <returns>[..., O].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Value Bilinear(this Value x1, Value x2, Value weight, Value? bias = null)
    {
        ArgumentNullException.ThrowIfNull(x2);
        ArgumentNullException.ThrowIfNull(weight);
        (Shape first, Shape second, Shape w) = (x1.Shape, x2.Shape, weight.Shape);
        if (w.Rank != 3 || first.Rank == 0 || second.Rank == 0 || first[..^1] != second[..^1] || first[-1] != w[1]
            || second[-1] != w[2] || (bias is not null && bias.Shape != new Shape(w[0])))
        {
            string third = bias is null ? "" : $" and bias {bias.Shape}";
            throw new ShapeException(
                $"Bilinear: expected [..., I], [..., J], weight [O, I, J] and bias [O], got {first}, {second}, weight {w}{third}.");
        }

        return x1.Graph.Compose(() =>
        {
            Value y = Einsum("...i,oij,...j->...o", x1, weight, x2);
            return bias is null ? y : y + bias;
        });
    }

    /// <summary>A sparse matrix times a dense one, with gradients for what is stored and for the dense one.</summary>
    /// <param name="x">[K, N].</param>
    /// <param name="pattern">[M, K]: which elements are stored.</param>
    /// <param name="values">What they are: [stored], or [stored, 4] for blocks of four rows. Default the matrix' own, as a
    /// constant.</param>
    /// <returns>[M, N].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Value SparseMatMul(this Value x, SparseMatrix pattern, Value? values = null)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        Graph graph = x.Graph;
        int stored = pattern.StoredBlocks;
        Shape shape = pattern.BlockRows == 1 ? new Shape(stored) : new Shape(stored, pattern.BlockRows);
        (int[] starts, int[] blocks, int[] rows) = pattern.ByColumns();
        return graph.Add(
            new SparseOp(pattern.Rows, pattern.Columns, pattern.BlockRows, stored),
            values ?? graph.Constant(pattern.Values, shape), x,
            Integers(pattern.RowStarts), Integers(pattern.ColumnIndices), Integers(starts), Integers(blocks), Integers(rows));

        Value Integers(ReadOnlySpan<int> numbers) => graph.ConstantInt32(numbers, new Shape(numbers.Length));
    }
}
