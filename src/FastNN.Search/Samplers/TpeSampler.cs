namespace FastNN.Search;

/// <summary>
/// Tree-structured Parzen estimators (Bergstra et al., 2011): divides the trials into the best and the others, estimates the
/// density of each, and takes of several places drawn from the best that where their density is highest compared with the
/// others'. Trials under way count among the others, so that parallel trials do not crowd one place.
/// </summary>
public sealed class TpeSampler : Sampler
{
    /// <summary>The spread of a uniform density, about.</summary>
    private const double Spread = 0.2;

    private readonly int _startup;
    private readonly int _candidates;

    /// <summary>A sampler.</summary>
    /// <param name="startup">Trials drawn evenly before; default 10.</param>
    /// <param name="candidates">Places compared for each trial; default 24.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive.</exception>
    public TpeSampler(int startup = 10, int candidates = 24)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(startup);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(candidates);
        (_startup, _candidates) = (startup, candidates);
    }

    internal override double[] Suggest(Study study, Random random)
    {
        SearchSpace space = study.Space;
        Trial[] ended = study.Ranked();
        if (ended.Length < _startup)
        {
            return Uniform(space.Parameters.Count, random);
        }

        int good = Math.Min((int)Math.Ceiling(0.1 * ended.Length), 25);
        double[][] best = [.. ended[..good].Select(trial => space.ToUnit(trial.Values))];
        double[][] others =
        [
            .. ended[good..].Select(trial => space.ToUnit(trial.Values)),
            .. study.Trials.Where(trial => trial.State == TrialState.Running).Select(trial => space.ToUnit(trial.Values)),
        ];
        var above = new ParzenEstimator(space, best, Ones(best.Length));

        // Scott's rule: in several dimensions narrow kernels leave gaps in which no other trial seems near, so that the places
        // next to the best few would look better than anything else.
        double width = Spread * Math.Pow(others.Length + 1, -1.0 / (space.Parameters.Count + 4));
        var below = new ParzenEstimator(space, others, Ones(others.Length), width);
        double[]? chosen = null;
        double highest = double.NegativeInfinity;
        for (int i = 0; i < _candidates; i++)
        {
            double[] place = above.Draw(random);
            double gain = above.LogDensity(place) - below.LogDensity(place);
            if (chosen is null || gain > highest)
            {
                (chosen, highest) = (place, gain);
            }
        }

        return chosen!;
    }

    private static double[] Ones(int count) => [.. Enumerable.Repeat(1.0, count)];
}
