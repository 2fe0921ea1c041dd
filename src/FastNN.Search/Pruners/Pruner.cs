namespace FastNN.Search;

/// <summary>Decides from the values that trials report on the way which of them go on.</summary>
public abstract class Pruner
{
    private protected Pruner()
    {
    }

    /// <summary>Whether a trial should go on after its last report.</summary>
    internal abstract bool GoesOn(Study study, Trial trial, int step);
}

/// <summary>
/// Stops a trial whose best report is worse than the median of what the others had reported at that step (Golovin et al., 2017).
/// </summary>
/// <param name="startup">Trials that have to be complete before; default 5.</param>
/// <param name="warmup">Steps that every trial may take; default 0.</param>
public sealed class MedianPruner(int startup = 5, int warmup = 0) : Pruner
{
    internal override bool GoesOn(Study study, Trial trial, int step)
    {
        Trial[] complete = [.. study.Trials.Where(other => other != trial && other.State == TrialState.Complete)];
        double[] reports = study.CostsAt(step, complete);
        if (step <= warmup || complete.Length < startup || reports.Length == 0)
        {
            return true;
        }

        Array.Sort(reports);
        double median = (reports[(reports.Length - 1) / 2] + reports[reports.Length / 2]) / 2;
        return trial.Reports.Values.Min(study.Cost) <= median;
    }
}

/// <summary>
/// Asynchronous successive halving (Li et al., 2020): at steps that grow by a factor, only the best share of the trials that came
/// so far goes on.
/// </summary>
public sealed class SuccessiveHalvingPruner : Pruner
{
    private readonly int _first;
    private readonly int _factor;

    /// <summary>A pruner.</summary>
    /// <param name="first">The step of the first decision; default 1.</param>
    /// <param name="factor">What the steps of decisions grow by, and one in how many goes on; default 3, at least 2.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small.</exception>
    public SuccessiveHalvingPruner(int first = 1, int factor = 3)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(factor, 2);
        (_first, _factor) = (first, factor);
    }

    internal override bool GoesOn(Study study, Trial trial, int step) => GoesOn(study, trial, step, study.Trials);

    /// <summary>The same among some of the trials.</summary>
    internal bool GoesOn(Study study, Trial trial, int step, IEnumerable<Trial> rivals)
    {
        if (!IsRung(step))
        {
            return true;
        }

        double own = study.Cost(trial.Reports[step]);
        double[] costs = study.CostsAt(step, rivals);

        // With fewer than a factor of trials the best of them goes on.
        int go = Math.Max(costs.Length / _factor, 1);
        return costs.Count(cost => cost < own) < go;
    }

    private bool IsRung(int step)
    {
        long rung = _first;
        while (rung < step)
        {
            rung *= _factor;
        }

        return rung == step;
    }
}

/// <summary>
/// Hyperband (Li et al., 2018): several <see cref="SuccessiveHalvingPruner"/>s side by side, from one that decides early to one
/// that never does; trials are dealt out to them in turn, so that neither slow starters nor slow searches lose all.
/// </summary>
public sealed class HyperbandPruner : Pruner
{
    private readonly SuccessiveHalvingPruner[] _brackets;
    private readonly int[] _deal;
    private readonly int _stride;

    /// <summary>A pruner.</summary>
    /// <param name="first">The first step at which a trial can be stopped; default 1.</param>
    /// <param name="last">The steps of a whole trial.</param>
    /// <param name="factor">As for successive halving; default 3.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small.</exception>
    public HyperbandPruner(int last, int first = 1, int factor = 3)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(last, first);
        ArgumentOutOfRangeException.ThrowIfLessThan(factor, 2);
        var brackets = new List<SuccessiveHalvingPruner>();
        for (long rung = first; rung <= last; rung *= factor)
        {
            brackets.Add(new SuccessiveHalvingPruner((int)rung, factor));
        }

        _brackets = [.. brackets];

        // A bracket that decides later costs more per trial and gets fewer of them, as in the paper: the sums are about equal.
        int rungs = brackets.Count;
        _deal =
        [
            .. Enumerable.Range(0, rungs).SelectMany(bracket => Enumerable.Repeat(
                bracket, (int)Math.Ceiling(rungs * Math.Pow(factor, rungs - 1 - bracket) / (rungs - bracket)))),
        ];
        _stride = Stride(_deal.Length);
    }

    internal override bool GoesOn(Study study, Trial trial, int step)
    {
        int bracket = Of(trial);
        return _brackets[bracket].GoesOn(study, trial, step, study.Trials.Where(other => Of(other) == bracket));
    }

    // The dealt hand is walked in strides that share no factor with its length, so that brackets alternate.
    private int Of(Trial trial) => _deal[(int)((long)trial.Number * _stride % _deal.Length)];

    private static int Stride(int length)
    {
        int stride = (int)(length * 0.618) | 1;
        while (Gcd(stride, length) != 1)
        {
            stride++;
        }

        return stride;
    }

    private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
}
