namespace FastNN.Search;

/// <summary>Chooses the values of the next trial.</summary>
public abstract class Sampler
{
    private protected Sampler()
    {
    }

    /// <summary>Chooses a place in the unit cube.</summary>
    /// <param name="study">What has been tried so far.</param>
    /// <param name="random">Made for this trial alone, from the study's seed and the trial's number.</param>
    internal abstract double[] Suggest(Study study, Random random);

    private protected static double[] Uniform(int count, Random random)
    {
        var unit = new double[count];
        for (int i = 0; i < count; i++)
        {
            unit[i] = random.NextDouble();
        }

        return unit;
    }
}

/// <summary>Draws every value evenly (Bergstra and Bengio, 2012).</summary>
public sealed class RandomSampler : Sampler
{
    internal override double[] Suggest(Study study, Random random) => Uniform(study.Space.Parameters.Count, random);
}
