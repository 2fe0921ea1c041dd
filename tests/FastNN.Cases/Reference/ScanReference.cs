using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>Sums and products up to each place, each from its first term on, in double.</summary>
internal static class ScanReference
{
    public static double[] Forward(
        ScanFunction function, double[] x, Shape shape, int axis, bool exclusive, bool reverse)
    {
        var y = new double[x.Length];
        int terms = shape[axis], inner = Inner(shape, axis);
        for (int i = 0; i < x.Length; i++)
        {
            int place = i / inner % terms;
            double fold = function == ScanFunction.Sum ? 0 : 1;
            for (int term = 0; term < terms; term++)
            {
                if (IsTerm(term, place, exclusive, reverse))
                {
                    double value = x[i + ((term - place) * inner)];
                    fold = function == ScanFunction.Sum ? fold + value : fold * value;
                }
            }

            y[i] = fold;
        }

        return y;
    }

    /// <summary>Each term's slope is 1, or the product of the others that the place has.</summary>
    public static double[] Backward(
        ScanFunction function, double[] x, double[] dY, Shape shape, int axis, bool exclusive, bool reverse)
    {
        var dX = new double[x.Length];
        int terms = shape[axis], inner = Inner(shape, axis);
        for (int i = 0; i < x.Length; i++)
        {
            int place = i / inner % terms;
            for (int term = 0; term < terms; term++)
            {
                if (!IsTerm(term, place, exclusive, reverse))
                {
                    continue;
                }

                double slope = 1;
                for (int other = 0; other < terms && function == ScanFunction.Product; other++)
                {
                    slope *= other != term && IsTerm(other, place, exclusive, reverse) ? x[i + ((other - place) * inner)] : 1;
                }

                dX[i + ((term - place) * inner)] += dY[i] * slope;
            }
        }

        return dX;
    }

    private static bool IsTerm(int term, int place, bool exclusive, bool reverse) =>
        (reverse ? term > place : term < place) || (term == place && !exclusive);

    private static int Inner(Shape shape, int axis) => (int)shape.Product(axis + 1, shape.Rank);
}
