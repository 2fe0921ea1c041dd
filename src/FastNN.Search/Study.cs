using System.Globalization;

namespace FastNN.Search;

/// <summary>Whether small or large values are good. The numbers are those of Optuna's journal.</summary>
public enum SearchDirection
{
    /// <summary>Small values are good: losses, errors.</summary>
    Minimize = 1,

    /// <summary>Large values are good: accuracies, scores.</summary>
    Maximize = 2,
}

/// <summary>
/// A search: hands out trials, is told what came of them, and remembers. Trials may be asked for and told on several threads at
/// once, as long as each trial is used by one. With a <see cref="StudyJournal"/> every step is on the disk before the call that
/// made it returns.
/// </summary>
public sealed class Study
{
    private readonly Lock _gate = new();
    private readonly List<Trial> _trials = [];
    private readonly Sampler _sampler;
    private readonly Pruner? _pruner;
    private readonly StudyJournal? _journal;
    private readonly ulong _seed;

    /// <summary>A search.</summary>
    /// <param name="space">What is chosen.</param>
    /// <param name="sampler">Who chooses; null (default) for a <see cref="TpeSampler"/>.</param>
    /// <param name="direction">Whether small values are good (default) or large ones.</param>
    /// <param name="pruner">Who stops trials early; null (default) for nobody.</param>
    /// <param name="journal">Where the search is kept, and taken up again; null (default) for memory alone.</param>
    /// <param name="seed">Determines the values of every trial, given what came of those before.</param>
    /// <exception cref="InvalidDataException">The journal is damaged, or is of another search.</exception>
    public Study(
        SearchSpace space, Sampler? sampler = null, SearchDirection direction = SearchDirection.Minimize, Pruner? pruner = null,
        StudyJournal? journal = null, ulong seed = 0)
    {
        ArgumentNullException.ThrowIfNull(space);
        (Space, Direction) = (space, direction);
        (_sampler, _pruner, _journal, _seed) = (sampler ?? new TpeSampler(), pruner, journal, seed);
        journal?.Begin(this);
    }

    /// <summary>What is chosen.</summary>
    public SearchSpace Space { get; }

    /// <summary>Whether small or large values are good.</summary>
    public SearchDirection Direction { get; }

    /// <summary>All trials in the order of asking.</summary>
    public IReadOnlyList<Trial> Trials
    {
        get
        {
            lock (_gate)
            {
                return [.. _trials];
            }
        }
    }

    /// <summary>The best trial that was completed, or null.</summary>
    public Trial? Best =>
        Trials.Where(trial => trial.State == TrialState.Complete).MinBy(trial => Cost(trial.Value!.Value));

    /// <summary>Chooses the values of a new trial.</summary>
    /// <returns>The trial, to be told later.</returns>
    public Trial Ask()
    {
        lock (_gate)
        {
            int number = _trials.Count;
            var random = new Random(HashOf(_seed, number));
            var trial = new Trial(this, number, Space.FromUnit(_sampler.Suggest(this, random)));
            _journal?.Created(trial);
            _trials.Add(trial);
            return trial;
        }
    }

    /// <summary>Says what came of a trial.</summary>
    /// <param name="trial">One of this study that is running.</param>
    /// <param name="value">Its value; NaN fails it.</param>
    /// <exception cref="InvalidOperationException">The trial has ended.</exception>
    public void Tell(Trial trial, double value) =>
        End(trial, double.IsNaN(value) ? TrialState.Failed : TrialState.Complete, double.IsNaN(value) ? null : value);

    /// <summary>Says that a trial ended without a value.</summary>
    /// <param name="trial">One of this study that is running.</param>
    /// <param name="state">Pruned: its value is its last report. Failed: it has none.</param>
    /// <exception cref="ArgumentException">The state is another.</exception>
    /// <exception cref="InvalidOperationException">The trial has ended.</exception>
    public void Tell(Trial trial, TrialState state)
    {
        ArgumentNullException.ThrowIfNull(trial);
        if (state is not (TrialState.Pruned or TrialState.Failed))
        {
            throw new ArgumentException($"Study: expected Pruned or Failed without a value, got {state}.", nameof(state));
        }

        End(trial, state, state == TrialState.Pruned && trial.Reports.Count > 0 ? trial.Reports.Last().Value : null);
    }

    /// <summary>Asks, computes and tells until there are so many trials, those of the journal included.</summary>
    /// <param name="objective">Gives a trial's value; may report on the way and throw <see cref="TrialPrunedException"/>.</param>
    /// <param name="trials">Trials in all.</param>
    /// <param name="cancellationToken">Ends the search between two trials.</param>
    /// <exception cref="OperationCanceledException">The search was cancelled.</exception>
    public void Optimize(Func<Trial, double> objective, int trials, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(objective);
        while (Trials.Count < trials)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Trial trial = Ask();
            try
            {
                Tell(trial, objective(trial));
            }
            catch (TrialPrunedException)
            {
                Tell(trial, TrialState.Pruned);
            }
            catch
            {
                Tell(trial, TrialState.Failed);
                throw;
            }
        }
    }

    /// <summary>A value such that smaller is better; NaN is the worst.</summary>
    internal double Cost(double value) =>
        double.IsNaN(value) ? double.PositiveInfinity : Direction == SearchDirection.Minimize ? value : -value;

    /// <summary>
    /// What trials are ordered by: complete ones by value, then pruned ones by how far they came, then the rest.
    /// </summary>
    internal (int Class, int Steps, double Cost) Rank(Trial trial) => trial.State switch
    {
        TrialState.Complete => (0, 0, Cost(trial.Value!.Value)),
        TrialState.Pruned when trial.Value is { } value => (1, -trial.Reports.Last().Key, Cost(value)),
        _ => (2, 0, 0),
    };

    /// <summary>What trials reported at a step, as costs.</summary>
    internal double[] CostsAt(int step, IEnumerable<Trial> trials) =>
        [.. trials.Where(trial => trial.Reports.ContainsKey(step)).Select(trial => Cost(trial.Reports[step]))];

    /// <summary>Trials with a value from the best to the worst.</summary>
    internal Trial[] Ranked() =>
        [.. Trials.Where(trial => trial.State != TrialState.Running && trial.Value is not null).OrderBy(Rank)];

    internal bool Report(Trial trial, double value, int step)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(step);
        lock (_gate)
        {
            RequireRunning(trial);
            _journal?.Reported(trial, value, step);
            trial.Add(step, value);
            return _pruner?.GoesOn(this, trial, step) ?? true;
        }
    }

    /// <summary>Takes up a trial of the journal.</summary>
    internal Trial Restore(double[] values)
    {
        var trial = new Trial(this, _trials.Count, values);
        _trials.Add(trial);
        return trial;
    }

    private static int HashOf(ulong seed, int number)
    {
        // SplitMix64 (Steele et al., 2014): neighboring trials get streams that have nothing in common.
        ulong z = seed + (0x9E3779B97F4A7C15UL * ((ulong)number + 1));
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return (int)(z ^ (z >> 31));
    }

    private void End(Trial trial, TrialState state, double? value)
    {
        ArgumentNullException.ThrowIfNull(trial);
        lock (_gate)
        {
            RequireRunning(trial);
            _journal?.Ended(trial, state, value);
            (trial.State, trial.Value) = (state, value);
        }
    }

    private void RequireRunning(Trial trial)
    {
        if (trial.Study != this || trial.State != TrialState.Running)
        {
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture,
                $"Study: expected a running trial of this study, trial {trial.Number} {(trial.Study != this ? "is of another" : $"is {trial.State}")}."));
        }
    }
}

/// <summary>Thrown by an objective whose trial should not go on.</summary>
public sealed class TrialPrunedException() : Exception("The trial was pruned: others did better at the same step.");
