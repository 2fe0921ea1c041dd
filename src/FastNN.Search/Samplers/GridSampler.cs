namespace FastNN.Search;

/// <summary>
/// Tries all combinations, the last parameter fastest. Parameters without a finite number of values get evenly spaced ones, the
/// bounds included. After the last combination the first come again.
/// </summary>
/// <param name="points">Values of a parameter that is a continuum; default 5, at least 2.</param>
public sealed class GridSampler(int points = 5) : Sampler
{
    private readonly int _points = points >= 2
        ? points
        : throw new ArgumentOutOfRangeException(nameof(points), $"GridSampler: expected at least 2 points, got {points}.");

    /// <summary>How many combinations a space has.</summary>
    /// <param name="space">The space.</param>
    public long Combinations(SearchSpace space)
    {
        ArgumentNullException.ThrowIfNull(space);
        return space.Parameters.Aggregate(1L, (product, parameter) => checked(product * PointsOf(parameter)));
    }

    internal override double[] Suggest(Study study, Random random)
    {
        IReadOnlyList<SearchParameter> parameters = study.Space.Parameters;
        long rest = study.Trials.Count % Combinations(study.Space);
        var unit = new double[parameters.Count];
        for (int i = unit.Length - 1; i >= 0; i--)
        {
            int count = PointsOf(parameters[i]), index = (int)(rest % count);
            rest /= count;
            unit[i] = parameters[i].Count > 0 ? (index + 0.5) / count : (double)index / (count - 1);
        }

        return unit;
    }

    private int PointsOf(SearchParameter parameter) => parameter.Count > 0 ? parameter.Count : _points;
}
