namespace FastNN.Search;

/// <summary>Where a trial stands. The numbers are those of Optuna's journal.</summary>
public enum TrialState
{
    /// <summary>It has been asked for and not been told.</summary>
    Running = 0,

    /// <summary>It ended with a value.</summary>
    Complete = 1,

    /// <summary>It was stopped early, because others did better.</summary>
    Pruned = 2,

    /// <summary>It ended without a value.</summary>
    Failed = 3,
}

/// <summary>One set of values with what came of it.</summary>
public sealed class Trial
{
    private readonly double[] _values;
    private SortedDictionary<int, double> _reports = [];

    internal Trial(Study study, int number, double[] values) => (Study, Number, _values) = (study, number, values);

    internal Study Study { get; }

    /// <summary>Its number, counted from 0 in the order of asking.</summary>
    public int Number { get; }

    /// <summary>Where it stands.</summary>
    public TrialState State { get; internal set; }

    /// <summary>What was told of it; of a pruned trial its last report; null before, and of a failed one.</summary>
    public double? Value { get; internal set; }

    /// <summary>The values reported on the way by step, such as the validation loss by epoch.</summary>
    public IReadOnlyDictionary<int, double> Reports => _reports;

    internal ReadOnlySpan<double> Values => _values;

    /// <summary>The value of a <see cref="FloatParameter"/>.</summary>
    /// <param name="name">The parameter's name.</param>
    /// <exception cref="ArgumentException">The space has no such parameter.</exception>
    public double Float(string name) => Of<FloatParameter>(name).Value;

    /// <summary>The value of an <see cref="IntParameter"/>.</summary>
    /// <param name="name">The parameter's name.</param>
    /// <exception cref="ArgumentException">The space has no such parameter.</exception>
    public int Int(string name) => (int)Of<IntParameter>(name).Value;

    /// <summary>The value of a <see cref="ChoiceParameter"/>.</summary>
    /// <param name="name">The parameter's name.</param>
    /// <exception cref="ArgumentException">The space has no such parameter.</exception>
    public string Choice(string name)
    {
        (ChoiceParameter parameter, double value) = Of<ChoiceParameter>(name);
        return parameter.Choices[(int)value];
    }

    /// <summary>The value of any parameter as text.</summary>
    /// <param name="name">The parameter's name.</param>
    /// <exception cref="ArgumentException">The space has no such parameter.</exception>
    public string Text(string name)
    {
        int index = Study.Space.IndexOf(name);
        return Study.Space.Parameters[index].Text(_values[index]);
    }

    /// <summary>Reports a value on the way, so that a pruner can compare it with those of other trials.</summary>
    /// <param name="value">The value; NaN counts as the worst.</param>
    /// <param name="step">How far the trial is, such as the epoch; from 1 on.</param>
    /// <returns>Whether the trial should go on; where not, tell it as <see cref="TrialState.Pruned"/>.</returns>
    /// <exception cref="InvalidOperationException">The trial has ended.</exception>
    public bool Report(double value, int step) => Study.Report(this, value, step);

    /// <summary>Sets a value that a journal holds.</summary>
    internal void Set(int index, double value) => _values[index] = value;

    /// <summary>Others may be reading the reports, so they are replaced whole.</summary>
    internal void Add(int step, double value) => _reports = new SortedDictionary<int, double>(_reports) { [step] = value };

    private (T Parameter, double Value) Of<T>(string name)
        where T : SearchParameter
    {
        int index = Study.Space.IndexOf(name);
        return Study.Space.Parameters[index] is T parameter
            ? (parameter, _values[index])
            : throw new ArgumentException(
                $"Trial: expected a {typeof(T).Name} '{name}', it is a {Study.Space.Parameters[index].GetType().Name}.", nameof(name));
    }
}
