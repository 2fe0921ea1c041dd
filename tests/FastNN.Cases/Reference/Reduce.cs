namespace FastNN.Testing;

/// <summary>What a loss makes of the losses of its elements.</summary>
internal static class Reduce
{
    public static double[] Forward(Reduction reduction, double[] losses) => reduction switch
    {
        Reduction.Mean => [losses.Average()],
        Reduction.Sum => [losses.Sum()],
        _ => losses,
    };

    /// <param name="slopes">Of each element's loss.</param>
    public static double[] Backward(Reduction reduction, double[] slopes, double[] dLoss) => reduction switch
    {
        Reduction.Mean => Array.ConvertAll(slopes, slope => slope * dLoss[0] / slopes.Length),
        Reduction.Sum => Array.ConvertAll(slopes, slope => slope * dLoss[0]),
        _ => [.. slopes.Zip(dLoss, (slope, upstream) => slope * upstream)],
    };
}
