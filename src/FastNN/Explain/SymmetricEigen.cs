namespace FastNN.Explain;

/// <summary>Eigenvalues and eigenvectors of small symmetric matrices by Jacobi's rotations.</summary>
internal static class SymmetricEigen
{
    private const int MostSweeps = 60;

    /// <summary>The eigenvalues, falling, and the eigenvectors as columns. The matrix is overwritten.</summary>
    public static (double[] Values, double[,] Vectors) Solve(double[,] matrix)
    {
        int size = matrix.GetLength(0);
        var vectors = new double[size, size];
        for (int i = 0; i < size; i++)
        {
            vectors[i, i] = 1;
        }

        for (int sweep = 0; sweep < MostSweeps && !IsDiagonal(matrix, size); sweep++)
        {
            for (int p = 0; p < size; p++)
            {
                for (int q = p + 1; q < size; q++)
                {
                    Rotate(matrix, vectors, size, p, q);
                }
            }
        }

        int[] order = [.. Enumerable.Range(0, size).OrderByDescending(i => matrix[i, i])];
        var sorted = new double[size, size];
        for (int column = 0; column < size; column++)
        {
            for (int row = 0; row < size; row++)
            {
                sorted[row, column] = vectors[row, order[column]];
            }
        }

        return ([.. order.Select(i => matrix[i, i])], sorted);
    }

    private static bool IsDiagonal(double[,] matrix, int size)
    {
        double off = 0, on = 0;
        for (int i = 0; i < size; i++)
        {
            on += matrix[i, i] * matrix[i, i];
            for (int j = i + 1; j < size; j++)
            {
                off += matrix[i, j] * matrix[i, j];
            }
        }

        return off <= 1e-30 * on;
    }

    /// <summary>The rotation that makes one element zero (Golub and Van Loan, Matrix Computations, 8.5).</summary>
    private static void Rotate(double[,] matrix, double[,] vectors, int size, int p, int q)
    {
        if (matrix[p, q] == 0)
        {
            return;
        }

        double theta = (matrix[q, q] - matrix[p, p]) / (2 * matrix[p, q]);
        double tangent = double.CopySign(1, theta) / (Math.Abs(theta) + Math.Sqrt(1 + (theta * theta)));
        double cosine = 1 / Math.Sqrt(1 + (tangent * tangent)), sine = tangent * cosine;
        for (int i = 0; i < size; i++)
        {
            (matrix[i, p], matrix[i, q]) = Turn(matrix[i, p], matrix[i, q], cosine, sine);
        }

        for (int i = 0; i < size; i++)
        {
            (matrix[p, i], matrix[q, i]) = Turn(matrix[p, i], matrix[q, i], cosine, sine);
            (vectors[i, p], vectors[i, q]) = Turn(vectors[i, p], vectors[i, q], cosine, sine);
        }
    }

    private static (double First, double Second) Turn(double first, double second, double cosine, double sine) =>
        ((cosine * first) - (sine * second), (sine * first) + (cosine * second));
}
