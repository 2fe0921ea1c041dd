using FastNN.Ops;

namespace FastNN.Testing;

/// <summary>Reductions over axes, in double, from their definitions.</summary>
internal static class ReduceReference
{
    public static double[] Forward(ReduceFunction function, double[] x, Shape shape, int[] axes, int correction) =>
        [.. Groups(shape, axes).Select(group => Value(function, [.. group.Select(i => x[i])], correction))];

    public static double[] Backward(ReduceFunction function, double[] x, double[] dY, Shape shape, int[] axes, int correction)
    {
        var dX = new double[x.Length];
        List<int>[] groups = Groups(shape, axes);
        for (int output = 0; output < groups.Length; output++)
        {
            double[] terms = [.. groups[output].Select(i => x[i])];
            double y = Value(function, terms, correction), mean = terms.Sum() / terms.Length;
            int ties = terms.Count(term => term == y);
            for (int k = 0; k < terms.Length; k++)
            {
                dX[groups[output][k]] = dY[output] * Slope(function, terms, k, y, mean, ties, correction);
            }
        }

        return dX;
    }

    public static double[] Norm(float order, double[] x, Shape shape, int[] axes) =>
        [.. Groups(shape, axes).Select(group => Norm(order, [.. group.Select(i => Math.Abs(x[i]))]))];

    private static double Norm(float order, double[] sizes) => order switch
    {
        0 => sizes.Count(size => size != 0),
        float.PositiveInfinity => sizes.Max(),
        float.NegativeInfinity => sizes.Min(),
        _ => Math.Pow(sizes.Sum(size => Math.Pow(size, order)), 1.0 / order),
    };

    private static double Value(ReduceFunction function, double[] terms, int correction)
    {
        double mean = terms.Length == 0 ? double.NaN : terms.Sum() / terms.Length,
        largest = terms.Length == 0 ? double.NaN : terms.Max();
        double Variance() => terms.Sum(x => (x - mean) * (x - mean)) / Math.Max(0, terms.Length - correction);
        return function switch
        {
            ReduceFunction.Sum => terms.Sum(),
            ReduceFunction.Mean => mean,
            ReduceFunction.Max => largest,
            ReduceFunction.Min => terms.Min(),
            ReduceFunction.Prod => terms.Aggregate(1.0, (product, x) => product * x),
            ReduceFunction.Variance => Variance(),
            ReduceFunction.StandardDeviation => Math.Sqrt(Variance()),
            ReduceFunction.LogSumExp => largest + Math.Log(terms.Sum(x => Math.Exp(x - largest))),
            ReduceFunction.Norm1 => terms.Sum(Math.Abs),
            _ => Math.Sqrt(terms.Sum(x => x * x)),
        };
    }

    private static double Slope(ReduceFunction function, double[] terms, int k, double y, double mean, int ties, int correction)
    {
        double x = terms[k];
        return function switch
        {
            ReduceFunction.Sum => 1,
            ReduceFunction.Mean => 1.0 / terms.Length,
            ReduceFunction.Max or ReduceFunction.Min => x == y ? 1.0 / ties : 0,
            ReduceFunction.Prod => terms.Where((_, i) => i != k).Aggregate(1.0, (product, term) => product * term),
            ReduceFunction.Variance => 2 * (x - mean) / (terms.Length - correction),
            ReduceFunction.StandardDeviation => y == 0 ? 0 : (x - mean) / (terms.Length - correction) / y,
            ReduceFunction.LogSumExp => Math.Exp(x - y),
            ReduceFunction.Norm1 => Math.Sign(x),
            _ => y == 0 ? 0 : x / y,
        };
    }

    /// <summary>The elements of each output, in order.</summary>
    private static List<int>[] Groups(Shape shape, int[] axes)
    {
        bool[] reduced = [
            .. Enumerable.Range(0, shape.Rank).Select(axis => axes.Any(given => shape.NormalizeAxis(given) == axis))];
        int[] kept = [.. Enumerable.Range(0, shape.Rank).Where(axis => !reduced[axis])];
        var output = new Shape([.. kept.Select(axis => shape[axis])]);
        var groups = new List<int>[output.Count];
        for (int i = 0; i < groups.Length; i++)
        {
            groups[i] = [];
        }

        for (int i = 0; i < shape.Count; i++)
        {
            int[] place = RearrangeReference.Place(shape, i);
            groups[RearrangeReference.Index(output, [.. kept.Select(axis => place[axis])])].Add(i);
        }

        return groups;
    }
}
