using System.Numerics.Tensors;

namespace FastNN.Explain;

/// <summary>
/// The directions in which data varies most (principal component analysis): found by subspace iteration with a Rayleigh-Ritz step
/// (Halko, Martinsson and Tropp, 2011), in double precision, without a covariance matrix. The same data gives the same
/// components.
/// </summary>
public sealed class PrincipalComponents
{
    /// <summary>Directions that are iterated beside those wanted, so that those converge faster.</summary>
    private const int Oversampling = 8;
    private const int MostIterations = 300;
    private const double Tolerance = 1e-10;

    private readonly double[] _mean;
    private readonly double[][] _components;
    private readonly double[] _variances;

    private PrincipalComponents(double[] mean, double[][] components, double[] variances, double total)
    {
        (_mean, _components, _variances) = (mean, components, variances);
        VarianceShares = [.. variances.Select(variance => total > 0 ? variance / total : 0)];
    }

    /// <summary>Numbers of an example.</summary>
    public int Width => _mean.Length;

    /// <summary>How many components there are.</summary>
    public int Count => _components.Length;

    /// <summary>The sample variance (over N - 1) of each component, falling.</summary>
    public IReadOnlyList<double> Variances => _variances;

    /// <summary>Each component's share of the whole variance, 0 to 1.</summary>
    public IReadOnlyList<double> VarianceShares { get; }

    /// <summary>A component: a vector of length 1, whose greatest element by magnitude is positive.</summary>
    /// <param name="index">Which one, from 0.</param>
    /// <returns>Its <see cref="Width"/> elements.</returns>
    public float[] Component(int index) => [.. _components[index].Select(value => (float)value)];

    /// <summary>Finds the components of data.</summary>
    /// <param name="data">Examples, [N, width], finite, at least two.</param>
    /// <param name="width">Numbers of an example.</param>
    /// <param name="count">How many components, at most the width and the number of examples; default 2.</param>
    /// <returns>The components.</returns>
    /// <exception cref="ArgumentException">The data is no two or more rows of the width, or a number is not finite.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The count is out of range.</exception>
    public static PrincipalComponents Fit(ReadOnlySpan<float> data, int width, int count = 2)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        int rows = data.Length / width;
        if (rows < 2 || data.Length % width != 0)
        {
            throw new ArgumentException(
                $"PrincipalComponents: expected two or more examples of {width} numbers, got {data.Length} numbers.", nameof(data));
        }

        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Math.Min(rows, width));
        double[][] centered = Center(data, rows, width, out double[] mean);
        int size = Math.Min(width, count + Oversampling);
        double[][] basis = FirstBasis(size, width);
        double[] values = [];
        for (int iteration = 0; iteration < MostIterations; iteration++)
        {
            double[][] products = Multiply(centered, basis, width);
            double[] before = values;
            (values, double[][] rotated) = Rotate(basis, products);
            if (IsConverged(before, values, count) || iteration + 1 == MostIterations)
            {
                basis = rotated;
                break;
            }

            Orthonormalize(products);
            basis = products;
        }

        foreach (double[] component in basis)
        {
            int greatest = TensorPrimitives.IndexOfMaxMagnitude<double>(component);
            if (component[greatest] < 0)
            {
                TensorPrimitives.Negate(component, component);
            }
        }

        double total = centered.Sum(row => TensorPrimitives.SumOfSquares<double>(row));
        return new PrincipalComponents(
            mean, basis[..count], [.. values.Take(count).Select(value => Math.Max(0, value) / (rows - 1))], total / (rows - 1));
    }

    /// <summary>Examples by their components.</summary>
    /// <param name="data">Examples, [N, width].</param>
    /// <returns>[N, count].</returns>
    /// <exception cref="ArgumentException">The data is not a whole number of rows of the width.</exception>
    public float[] Transform(ReadOnlySpan<float> data)
    {
        if (data.Length % Width != 0)
        {
            throw new ArgumentException(
                $"PrincipalComponents: expected examples of {Width} numbers, got {data.Length} numbers.", nameof(data));
        }

        var result = new float[data.Length / Width * Count];
        var row = new double[Width];
        for (int i = 0; i < data.Length / Width; i++)
        {
            TensorPrimitives.ConvertTruncating<float, double>(data.Slice(i * Width, Width), row);
            TensorPrimitives.Subtract(row, _mean, row);
            for (int j = 0; j < Count; j++)
            {
                result[(i * Count) + j] = (float)TensorPrimitives.Dot<double>(row, _components[j]);
            }
        }

        return result;
    }

    private static double[][] Center(ReadOnlySpan<float> data, int rows, int width, out double[] mean)
    {
        var centered = new double[rows][];
        mean = new double[width];
        for (int i = 0; i < rows; i++)
        {
            centered[i] = new double[width];
            TensorPrimitives.ConvertTruncating<float, double>(data.Slice(i * width, width), centered[i]);
            TensorPrimitives.Add(mean, centered[i], mean);
        }

        TensorPrimitives.Divide(mean, rows, mean);
        if (!double.IsFinite(TensorPrimitives.Sum<double>(mean)))
        {
            throw new ArgumentException("PrincipalComponents: expected finite numbers, got NaN or infinity.", nameof(data));
        }

        foreach (double[] row in centered)
        {
            TensorPrimitives.Subtract(row, mean, row);
        }

        return centered;
    }

    private static double[][] FirstBasis(int size, int width)
    {
        // Any directions do that are in general position; these are the same on every machine.
        var random = new SplitMix(0x9E3779B97F4A7C15);
        var basis = new double[size][];
        for (int i = 0; i < size; i++)
        {
            basis[i] = new double[width];
            for (int j = 0; j < width; j++)
            {
                basis[i][j] = random.Next() - 0.5;
            }
        }

        Orthonormalize(basis);
        return basis;
    }

    /// <summary>Rows of a basis times the scatter matrix of the data.</summary>
    private static double[][] Multiply(double[][] data, double[][] basis, int width)
    {
        var products = new double[basis.Length][];
        for (int i = 0; i < products.Length; i++)
        {
            products[i] = new double[width];
        }

        // Each product has one thread, so its sum has one order.
        Parallel.For(0, basis.Length, i =>
        {
            foreach (double[] row in data)
            {
                double along = TensorPrimitives.Dot<double>(row, basis[i]);
                TensorPrimitives.MultiplyAdd(row, along, products[i], products[i]);
            }
        });
        return products;
    }

    /// <summary>The eigenvectors of the scatter matrix within the space of a basis.</summary>
    private static (double[] Values, double[][] Basis) Rotate(double[][] basis, double[][] products)
    {
        int size = basis.Length;
        var matrix = new double[size, size];
        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j < size; j++)
            {
                matrix[i, j] = (TensorPrimitives.Dot<double>(basis[i], products[j])
                    + TensorPrimitives.Dot<double>(basis[j], products[i])) / 2;
            }
        }

        (double[] values, double[,] vectors) = SymmetricEigen.Solve(matrix);
        var rotated = new double[size][];
        for (int i = 0; i < size; i++)
        {
            rotated[i] = new double[basis[0].Length];
            for (int j = 0; j < size; j++)
            {
                TensorPrimitives.MultiplyAdd(basis[j], vectors[j, i], rotated[i], rotated[i]);
            }
        }

        return (values, rotated);
    }

    /// <summary>Gram and Schmidt, twice over each row, which is as orthogonal as Householder's.</summary>
    private static void Orthonormalize(double[][] basis)
    {
        for (int i = 0; i < basis.Length; i++)
        {
            double before = TensorPrimitives.Norm<double>(basis[i]);
            for (int pass = 0; pass < 2; pass++)
            {
                for (int j = 0; j < i; j++)
                {
                    double along = TensorPrimitives.Dot<double>(basis[i], basis[j]);
                    TensorPrimitives.MultiplyAdd(basis[j], -along, basis[i], basis[i]);
                }
            }

            double norm = TensorPrimitives.Norm<double>(basis[i]);
            // What is left of a row within the space of those before it is rounding; data may have fewer directions than the
            // basis.
            if (norm > 1e-12 * before)
            {
                TensorPrimitives.Divide(basis[i], norm, basis[i]);
            }
            else
            {
                Array.Clear(basis[i]);
            }
        }
    }

    private static bool IsConverged(double[] before, double[] values, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (before.Length == 0 || Math.Abs(values[i] - before[i]) > Tolerance * Math.Abs(values[0]))
            {
                return false;
            }
        }

        return true;
    }

    private struct SplitMix(ulong state)
    {
        private ulong _state = state;

        public double Next()
        {
            ulong z = _state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
        }
    }
}
