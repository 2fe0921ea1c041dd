namespace FastNN.Testing;

/// <summary>Elements by their indices, in double: which element of a table belongs to which element of what is picked.</summary>
internal static class GatherReference
{
    /// <summary>PyTorch's gather: one index for each element.</summary>
    /// <returns>For each index the element of the table.</returns>
    public static int[] Elements(double[] index, Shape indices, Shape table, int axis) => [.. index.Select((value, i) =>
    {
        int[] place = RearrangeReference.Place(indices, i);
        place[table.NormalizeAxis(axis)] = (int)value;
        return RearrangeReference.Index(table, place);
    })];

    /// <summary>For each index the element of a source that may have more of them.</summary>
    public static int[] Sources(Shape indices, Shape source) =>
        [.. Enumerable.Range(0, (int)indices.Count).Select(
            i => RearrangeReference.Index(source, RearrangeReference.Place(indices, i)))];

    /// <summary>PyTorch's index_select, with the indices' axes in place of the table's.</summary>
    public static int[] Slices(double[] index, Shape indices, Shape table, int axis)
    {
        int at = table.NormalizeAxis(axis);
        var y = new Shape([.. table[..at], .. indices, .. table[(at + 1)..]]);
        return [.. Enumerable.Range(0, (int)y.Count).Select(i =>
        {
            int[] place = RearrangeReference.Place(y, i);
            int chosen = (int)index[RearrangeReference.Index(indices, place[at..(at + indices.Rank)])];
            return RearrangeReference.Index(table, [.. place[..at], chosen, .. place[(at + indices.Rank)..]]);
        })];
    }

    public static double[] Pick(double[] table, int[] elements) => Array.ConvertAll(elements, element => table[element]);

    public static double[] Add(double[] picked, int[] elements, double[] table)
    {
        double[] sums = [.. table];
        for (int i = 0; i < elements.Length; i++)
        {
            sums[elements[i]] += picked[i];
        }

        return sums;
    }
}
