namespace FastNN.Testing;

/// <summary>Batched matrix products with broadcasting, index by index, in double.</summary>
internal static class MatMulReference
{
    public static double[] Forward(double[] a, Shape aShape, double[] b, Shape bShape, Shape y, bool transposeA, bool transposeB)
    {
        var result = new double[y.Count];
        ForEach(aShape, bShape, y, transposeA, transposeB, (i, j, k) => result[i] += a[j] * b[k]);
        return result;
    }

    public static double[][] Backward(
        double[] a, Shape aShape, double[] b, Shape bShape, Shape y, bool transposeA, bool transposeB, double[] dY)
    {
        double[] dA = new double[a.Length], dB = new double[b.Length];
        ForEach(aShape, bShape, y, transposeA, transposeB, (i, j, k) =>
        {
            dA[j] += dY[i] * b[k];
            dB[k] += dY[i] * a[j];
        });
        return [dA, dB];
    }

    /// <summary>Every product of an element of a and one of b, with the output it belongs to.</summary>
    private static void ForEach(Shape a, Shape b, Shape y, bool transposeA, bool transposeB, Action<int, int, int> term)
    {
        int depth = transposeA ? a[-2] : a[-1];
        for (int i = 0; i < y.Count; i++)
        {
            int[] place = RearrangeReference.Place(y, i);
            (int row, int column) = (place[^2], place[^1]);
            int left = Batch(a, place), right = Batch(b, place);
            for (int k = 0; k < depth; k++)
            {
                term(i, (left * a[-2] * a[-1]) + (transposeA ? (k * a[-1]) + row : (row * a[-1]) + k),
                    (right * b[-2] * b[-1]) + (transposeB ? (column * b[-1]) + k : (k * b[-1]) + column));
            }
        }
    }

    private static int Batch(Shape operand, int[] place)
    {
        int index = 0;
        for (int axis = 0; axis < operand.Rank - 2; axis++)
        {
            index = (index * operand[axis]) + (operand[axis] == 1 ? 0 : place[place.Length - operand.Rank + axis]);
        }

        return index;
    }
}
