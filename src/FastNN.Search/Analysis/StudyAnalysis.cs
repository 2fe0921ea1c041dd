namespace FastNN.Search;

/// <summary>How much a parameter matters.</summary>
/// <param name="Name">The parameter.</param>
/// <param name="Share">What share of the objective's variance over the whole space it explains by itself, from 0 to 1.</param>
public sealed record ParameterImportance(string Name, double Share);

/// <summary>What the trials of a search tell of its space.</summary>
public static class StudyAnalysis
{
    private const int Trees = 64;

    /// <summary>
    /// The importance of each parameter by functional analysis of variance (fANOVA; Hutter, Hoos and Leyton-Brown, 2014): 64
    /// regression trees are grown on the completed trials, and of each tree's variance over the space, in which every value of a
    /// parameter counts alike (its logarithm where that is searched), the share is taken that the parameter explains by itself,
    /// whatever the others are. What the shares leave of 1 is explained by parameters together only.
    /// </summary>
    /// <param name="study">The search; trials that were pruned or failed, and infinite values, are left out.</param>
    /// <param name="seed">Determines which trials each tree sees; default 0.</param>
    /// <returns>The parameters, the most important first; none where fewer than two trials have different values.</returns>
    public static IReadOnlyList<ParameterImportance> Importance(this Study study, ulong seed = 0)
    {
        ArgumentNullException.ThrowIfNull(study);
        Trial[] trials = Completed(study);
        double[] values = [.. trials.Select(trial => trial.Value!.Value)];
        if (values.Distinct().Count() < 2)
        {
            return [];
        }

        IReadOnlyList<SearchParameter> parameters = study.Space.Parameters;
        var forest = new RegressionForest(
            [.. trials.Select(trial => study.Space.ToUnit(trial.Values))], values,
            [.. parameters.Select(parameter => parameter.IsUnordered ? parameter.Count : 0)], Trees, new Random((int)seed));
        var shares = new double[parameters.Count];
        int counted = 0;
        foreach (IReadOnlyList<RegressionForest.Leaf> leaves in forest.Trees)
        {
            double mean = leaves.Sum(leaf => leaf.Volume * leaf.Value);
            double all = leaves.Sum(leaf => leaf.Volume * (leaf.Value - mean) * (leaf.Value - mean));
            if (!(all > 0))
            {
                continue;
            }

            counted++;
            for (int axis = 0; axis < shares.Length; axis++)
            {
                shares[axis] += VarianceOf(leaves, axis, mean) / all;
            }
        }

        return
        [
            .. parameters
                .Select((parameter, axis) => new ParameterImportance(
                    parameter.Name, counted == 0 ? 0 : Math.Clamp(shares[axis] / counted, 0, 1)))
                .OrderByDescending(importance => importance.Share),
        ];
    }

    /// <summary>Trials that ended with a finite value, in the order of asking.</summary>
    internal static Trial[] Completed(Study study) =>
        [.. study.Trials.Where(trial => trial.State == TrialState.Complete && double.IsFinite(trial.Value!.Value))];

    /// <summary>The variance, along one axis, of a tree's mean over all others.</summary>
    private static double VarianceOf(IReadOnlyList<RegressionForest.Leaf> leaves, int axis, double mean)
    {
        double variance = 0;
        if (leaves[0].Sides[axis].Allowed is { } choices)
        {
            for (int choice = 0; choice < choices.Length; choice++)
            {
                double there = MeanAt(leaves, axis, side => side.Allowed![choice]);
                variance += (there - mean) * (there - mean) / choices.Length;
            }

            return variance;
        }

        double[] borders =
        [
            .. leaves.Select(leaf => leaf.Sides[axis].Low).Append(1).Distinct().Order(),
        ];
        for (int i = 1; i < borders.Length; i++)
        {
            double low = borders[i - 1], high = borders[i];
            double there = MeanAt(leaves, axis, side => side.Low <= low && side.High >= high);
            variance += (high - low) * (there - mean) * (there - mean);
        }

        return variance;
    }

    /// <summary>The mean of the leaves that cross a place of an axis, over all other axes.</summary>
    private static double MeanAt(
        IReadOnlyList<RegressionForest.Leaf> leaves, int axis, Func<RegressionForest.Side, bool> crosses) =>
        leaves.Where(leaf => crosses(leaf.Sides[axis])).Sum(leaf => leaf.Value * leaf.Volume / leaf.Sides[axis].Length);
}
