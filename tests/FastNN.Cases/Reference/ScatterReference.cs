namespace FastNN.Testing;

/// <summary>Elements put where indices say, in double: the last of those with one place stays, and has the gradient.</summary>
internal static class ScatterReference
{
    public static double[] Put(double[] picked, int[] elements, double[] table)
    {
        double[] result = [.. table];
        for (int i = 0; i < elements.Length; i++)
        {
            result[elements[i]] = picked[i];
        }

        return result;
    }

    public static double[]?[] PutBackward(double[] dY, int[] elements, int[] from, int sources)
    {
        double[] dTable = [.. dY], dSource = new double[sources];
        for (int i = 0; i < elements.Length; i++)
        {
            dTable[elements[i]] = 0;
            dSource[from[i]] = Array.LastIndexOf(elements, elements[i]) == i ? dY[elements[i]] : 0;
        }

        return [dTable, null, dSource];
    }
}
