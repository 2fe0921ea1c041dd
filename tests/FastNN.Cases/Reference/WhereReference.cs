namespace FastNN.Testing;

/// <summary>condition ? a : b with NumPy's broadcasting, index by index, in double.</summary>
internal static class WhereReference
{
    public static double[] Forward(Shape y, Shape[] shapes, double[][] values)
    {
        var result = new double[y.Count];
        for (int i = 0; i < result.Length; i++)
        {
            int branch = values[0][Index(y, shapes[0], i)] != 0 ? 1 : 2;
            result[i] = values[branch][Index(y, shapes[branch], i)];
        }

        return result;
    }

    public static double[]?[] Backward(Shape y, Shape[] shapes, double[][] values, double[] dY)
    {
        double[]?[] gradients = [null, new double[shapes[1].Count], new double[shapes[2].Count]];
        for (int i = 0; i < dY.Length; i++)
        {
            int branch = values[0][Index(y, shapes[0], i)] != 0 ? 1 : 2;
            gradients[branch]![Index(y, shapes[branch], i)] += dY[i];
        }

        return gradients;
    }

    /// <summary>The element of an operand that meets element i of the whole.</summary>
    public static int Index(Shape whole, Shape operand, int i)
    {
        int[] place = RearrangeReference.Place(whole, i)[(whole.Rank - operand.Rank)..];
        for (int axis = 0; axis < place.Length; axis++)
        {
            place[axis] = operand[axis] == 1 ? 0 : place[axis];
        }

        return RearrangeReference.Index(operand, place);
    }
}
