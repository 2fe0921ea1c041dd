namespace FastNN.Testing;

internal sealed class SparseCases : IOpCases
{
    public static IEnumerable<OpCase> Cases =>
        from sizes in new (int Rows, int Columns, int Width, double Stored)[]
        {
            (4, 1, 1, 1), (4, 7, 3, 0.5), (8, 13, 17, 0.3), (12, 17, 31, 0.2), (32, 33, 129, 0.1), (64, 31, 33, 0.05),
            (16, 8, 7, 0),
            (160, 129, 300, 0.1),
        }
        from block in new[] { 1, 4 }
        select Case(sizes.Rows, sizes.Columns, sizes.Width, sizes.Stored, block);

    /// <summary>A matrix of which about so much is stored, the same at every call.</summary>
    public static SparseMatrix Matrix(int rows, int columns, double stored, int block)
    {
        var random = new Random((rows * 31) + columns);
        var dense = new float[rows * columns];
        for (int i = 0; i < dense.Length; i++)
        {
            dense[i] = random.NextDouble() < stored ? (float)(0.1 + random.NextDouble()) : 0;
        }

        return SparseMatrix.FromDense(dense, rows, columns, blockRows: block);
    }

    private static OpCase Case(int rows, int columns, int width, double stored, int block)
    {
        SparseMatrix pattern = Matrix(rows, columns, stored, block);
        int blocks = pattern.StoredBlocks;
        return new OpCase(
            $"[{rows}, {columns}] with {blocks} blocks of {block} times {width}",
            [
                OpInput.Uniform("values", block == 1 ? new Shape(blocks) : new Shape(blocks, block)),
                OpInput.Uniform("x", new Shape(columns, width))],
            values => values[1].SparseMatMul(pattern, values[0]),
            values => SparseReference.Forward(pattern, values[0], values[1], width))
        {
            Samples = rows > 100 ? 4 : 16,
            Tolerance = 2e-6 * Math.Max(4, Math.Sqrt(Math.Max(columns, Math.Max(rows, width)))),
            ReferenceBackward = (values, dY) => SparseReference.Backward(pattern, values[0], values[1], width, dY),
        };
    }
}
