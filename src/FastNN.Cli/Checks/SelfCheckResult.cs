namespace FastNN.Cli.Checks;

/// <summary>What a check computed on one device.</summary>
/// <param name="Outputs">Of inference, before any step.</param>
/// <param name="Losses">Of each step.</param>
/// <param name="Gradients">Of the first step, by parameter.</param>
/// <param name="Parameters">After the last step.</param>
internal sealed record SelfCheckResult(
    float[] Outputs, float[] Losses, IReadOnlyDictionary<string, float[]> Gradients, IReadOnlyDictionary<string,
    float[]> Parameters)
{
    /// <summary>
    /// The largest difference allowed, as a part of the largest of the numbers compared: what another order of float32 sums may
    /// do.
    /// </summary>
    public const double Tolerance = 1e-4;

    /// <summary>
    /// What may be compared with numbers that other machines computed: the outputs, the losses and the gradients, in one number
    /// each.
    /// </summary>
    public double[] Digest =>
    [
        Norm(Outputs), .. Losses.Select(loss => (double)loss),
        Math.Sqrt(Gradients.Values.Sum(values => Math.Pow(Norm(values), 2))),
    ];

    /// <summary>The first thing that differs by too much, or null; and how much of what is allowed the worst took.</summary>
    public (string? Fault, double Worst) Compare(SelfCheckResult expected)
    {
        double worst = 0;
        foreach ((string what, float[] actual, float[] wanted) in Pairs(expected))
        {
            double scale = wanted.Max(value => Math.Abs((double)value));
            for (int i = 0; i < wanted.Length; i++)
            {
                double difference = Math.Abs((double)actual[i] - wanted[i]) / Math.Max(scale, 1e-6);
                // A number that is none differs from all.
                if (!(difference <= Tolerance))
                {
                    FormattableString fault = $"{what}[{i}] is {actual[i]:R}, expected {wanted[i]:R} (the largest is {scale:G3})";
                    return (FormattableString.Invariant(fault), double.PositiveInfinity);
                }

                worst = Math.Max(worst, difference);
            }
        }

        return (null, worst / Tolerance);
    }

    /// <summary>Whether every bit is the same.</summary>
    public bool Equal(SelfCheckResult other) => Pairs(other).All(pair => pair.Actual.AsSpan().SequenceEqual(pair.Expected));

    private IEnumerable<(string What, float[] Actual, float[] Expected)> Pairs(SelfCheckResult expected) =>
    [
        ("output", Outputs, expected.Outputs),
        ("loss of step", Losses, expected.Losses),
        .. expected.Gradients.Select(gradient => ($"gradient of {gradient.Key}", Gradients[gradient.Key], gradient.Value)),
        .. expected.Parameters.Select(
            values => ($"{values.Key} after {SelfCheck.Steps} steps", Parameters[values.Key], values.Value)),
    ];

    private static double Norm(float[] values) => Math.Sqrt(values.Sum(value => (double)value * value));
}
