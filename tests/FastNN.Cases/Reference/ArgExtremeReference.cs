namespace FastNN.Testing;

/// <summary>
/// Places of extremes along an axis, from their definition: the first that nothing exceeds; NaN exceeds everything.
/// </summary>
internal static class ArgExtremeReference
{
    public static double[] Forward(double[] x, Shape shape, int axis, bool largest)
    {
        int outer = (int)shape.Product(0, axis), terms = shape[axis], inner = (int)shape.Product(axis + 1, shape.Rank);
        var y = new double[outer * inner];
        for (int output = 0; output < y.Length; output++)
        {
            double Term(int k) => x[(((output / inner * terms) + k) * inner) + (output % inner)];
            int best = 0;
            for (int k = 1; k < terms; k++)
            {
                bool exceeds = largest ? Term(k) > Term(best) : Term(k) < Term(best);
                best = !double.IsNaN(Term(best)) && (exceeds || double.IsNaN(Term(k))) ? k : best;
            }

            y[output] = best;
        }

        return y;
    }
}
