using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>Folds of integers, term by term, in 64 bits.</summary>
internal static class ReduceIntegersReference
{
    public static double[] Forward(IntegerFold fold, double[] x, Shape shape, int[] axes)
    {
        int[] kept = [.. Enumerable.Range(0, shape.Rank).Where(axis => !axes.Contains(axis))];
        int outputs = kept.Aggregate(1, (product, axis) => product * shape[axis]);
        var y = new long[outputs];
        Array.Fill(y, fold switch
        {
            IntegerFold.Prod or IntegerFold.All => 1,
            IntegerFold.Min => long.MaxValue,
            IntegerFold.Max => long.MinValue,
            _ => 0,
        });
        for (int i = 0; i < x.Length; i++)
        {
            int output = 0;
            foreach (int axis in kept)
            {
                output = (output * shape[axis]) + (int)(i / shape.Product(axis + 1, shape.Rank) % shape[axis]);
            }

            long term = (long)x[i];
            y[output] = fold switch
            {
                IntegerFold.Sum => y[output] + term,
                IntegerFold.Prod => y[output] * term,
                IntegerFold.Min => Math.Min(y[output], term),
                IntegerFold.Max => Math.Max(y[output], term),
                IntegerFold.Any => y[output] != 0 || term != 0 ? 1 : 0,
                _ => y[output] != 0 && term != 0 ? 1 : 0,
            };
        }

        return Array.ConvertAll(y, value => (double)value);
    }
}
