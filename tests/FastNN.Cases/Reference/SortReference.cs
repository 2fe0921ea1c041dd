namespace FastNN.Testing;

/// <summary>Sorting along an axis by insertion of each element behind those that come before it, in double.</summary>
internal static class SortReference
{
    /// <summary>For each place of the output [outer, kept, inner], the element of x that stands there.</summary>
    public static int[] Order(double[] x, Shape shape, int axis, int kept, bool descending)
    {
        int terms = shape[axis], inner = (int)shape.Product(axis + 1, shape.Rank), outer = (int)shape.Product(0, axis);
        var order = new int[outer * kept * inner];
        for (int row = 0; row < outer * inner; row++)
        {
            int first = (row / inner * terms * inner) + (row % inner);

            // LINQ's orders are stable.
            IEnumerable<int> places = Enumerable.Range(0, terms);
            int[] sorted = [.. descending
                ? places.OrderByDescending(term => x[first + (term * inner)])
                : places.OrderBy(term => x[first + (term * inner)])];
            for (int i = 0; i < kept; i++)
            {
                order[(((row / inner * kept) + i) * inner) + (row % inner)] = first + (sorted[i] * inner);
            }
        }

        return order;
    }
}
