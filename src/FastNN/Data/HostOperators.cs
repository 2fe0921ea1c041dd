using System.Numerics;

namespace FastNN;

/// <summary>What depends on the data in its shape, and is computed on the host for that reason.</summary>
public static class HostOperators
{
    /// <summary>
    /// Where the elements other than 0 stand, in the order of memory, as PyTorch's nonzero; NaN is one of them.
    /// </summary>
    /// <typeparam name="T">Of the elements.</typeparam>
    /// <param name="values">The elements of a tensor, row by row.</param>
    /// <param name="shape">Its shape.</param>
    /// <returns>For each, its place along every axis.</returns>
    /// <exception cref="ShapeException">The shape has another number of elements.</exception>
    public static int[][] NonZero<T>(ReadOnlySpan<T> values, Shape shape)
        where T : INumberBase<T>
    {
        if (values.Length != shape.Count)
        {
            throw new ShapeException($"NonZero: expected {shape.Count} elements of shape {shape}, got {values.Length}.");
        }

        List<int[]> places = [];
        for (int i = 0; i < values.Length; i++)
        {
            if (T.IsZero(values[i]))
            {
                continue;
            }

            var place = new int[shape.Rank];
            int rest = i;
            for (int axis = shape.Rank - 1; axis >= 0; axis--)
            {
                (rest, place[axis]) = Math.DivRem(rest, shape[axis]);
            }

            places.Add(place);
        }

        return [.. places];
    }
}
