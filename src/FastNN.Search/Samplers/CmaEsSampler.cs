namespace FastNN.Search;

/// <summary>
/// The evolution strategy with covariance matrix adaptation (Hansen, 2016, "The CMA Evolution Strategy: A Tutorial", with its
/// default parameters): for numbers, and functions that are smooth at a larger scale. Generations are those of the trials'
/// numbers, so a search that is loaded from its journal goes on as if it had never stopped. Choices are drawn evenly.
/// </summary>
public sealed class CmaEsSampler : Sampler
{
    private readonly double _deviation;
    private readonly int? _population;

    /// <summary>A sampler.</summary>
    /// <param name="deviation">The first standard deviation as a share of each range; default 0.3.</param>
    /// <param name="population">Trials of a generation; null (default) for 4 + 3 ln(parameters).</param>
    /// <exception cref="ArgumentOutOfRangeException">The deviation is not above 0, or the population is below 4.</exception>
    public CmaEsSampler(double deviation = 0.3, int? population = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(deviation);
        ArgumentOutOfRangeException.ThrowIfLessThan(population ?? 4, 4, nameof(population));
        (_deviation, _population) = (deviation, population);
    }

    internal override double[] Suggest(Study study, Random random)
    {
        IReadOnlyList<SearchParameter> parameters = study.Space.Parameters;
        int[] numbers =
        [
            .. Enumerable.Range(0, parameters.Count).Where(i => !parameters[i].IsUnordered && parameters[i].Count != 1),
        ];
        double[] unit = Uniform(parameters.Count, random);
        if (numbers.Length == 0)
        {
            return unit;
        }

        int population = _population ?? 4 + (int)(3 * Math.Log(numbers.Length));
        var state = new CmaEs(numbers.Length, _deviation, population);
        IReadOnlyList<Trial> trials = study.Trials;

        // Whole generations of the past, those that failed or were pruned as their worst; one whose trials are still under way is
        // left to the next trial.
        for (int first = 0; first + population <= trials.Count; first += population)
        {
            Trial[] generation = [.. trials.Skip(first).Take(population)];
            if (generation.Any(trial => trial.State == TrialState.Running))
            {
                break;
            }

            double[][] ranked =
            [
                .. generation.OrderBy(study.Rank).Select(trial => Pick(study.Space.ToUnit(trial.Values), numbers)),
            ];
            state.Update(ranked);
        }

        double[] drawn = state.Draw(random);
        for (int i = 0; i < numbers.Length; i++)
        {
            unit[numbers[i]] = drawn[i];
        }

        return unit;
    }

    private static double[] Pick(double[] unit, int[] indices) => Array.ConvertAll(indices, index => unit[index]);
}
