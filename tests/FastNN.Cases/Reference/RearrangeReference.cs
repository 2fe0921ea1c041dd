namespace FastNN.Testing;

/// <summary>Elements picked by their places, in double: y[place] = x[source(place)], and its gradient.</summary>
internal static class RearrangeReference
{
    public static double[] Pick(double[] x, Shape from, Shape to, Func<int[], int[]> source)
    {
        var y = new double[to.Count];
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = x[Index(from, source(Place(to, i)))];
        }

        return y;
    }

    /// <summary>Each element of dY goes to where its value came from; the others have none.</summary>
    public static double[] PickBackward(double[] dY, Shape from, Shape to, Func<int[], int[]> source)
    {
        var dX = new double[from.Count];
        for (int i = 0; i < dY.Length; i++)
        {
            dX[Index(from, source(Place(to, i)))] += dY[i];
        }

        return dX;
    }

    /// <summary>The place of element i in a shape.</summary>
    public static int[] Place(Shape shape, int i)
    {
        var place = new int[shape.Rank];
        for (int axis = shape.Rank - 1; axis >= 0; axis--)
        {
            place[axis] = i % shape[axis];
            i /= shape[axis];
        }

        return place;
    }

    /// <summary>The element at a place.</summary>
    public static int Index(Shape shape, int[] place)
    {
        int index = 0;
        for (int axis = 0; axis < place.Length; axis++)
        {
            index = (index * shape[axis]) + place[axis];
        }

        return index;
    }
}
