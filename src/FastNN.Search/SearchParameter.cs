using System.Globalization;

namespace FastNN.Search;

/// <summary>
/// Something to be chosen. Its values are numbers: those of a <see cref="FloatParameter"/> or an <see cref="IntParameter"/>
/// themselves, and the index of a <see cref="ChoiceParameter"/>'s choice. Samplers see all of them on the unit interval.
/// </summary>
public abstract class SearchParameter
{
    private protected SearchParameter(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
    }

    /// <summary>Its name, unique in its space.</summary>
    public string Name { get; }

    /// <summary>How many values there are; 0 for a continuum.</summary>
    internal abstract int Count { get; }

    /// <summary>Whether the order of the values means nothing.</summary>
    internal virtual bool IsUnordered => false;

    /// <summary>Whether a value lies in the range.</summary>
    public abstract bool Contains(double value);

    /// <summary>A value as text: that of a choice, or the number.</summary>
    public virtual string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>Where a value lies: a value of a finite set in the middle of its share.</summary>
    internal abstract double ToUnit(double value);

    /// <summary>The value at a place in [0, 1].</summary>
    internal abstract double FromUnit(double unit);

    private protected static double RequireFinite(double value, string name, string which) => double.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(which, $"Parameter {name}: expected a finite bound, got {value}.");
}

/// <summary>A number between two bounds, both included.</summary>
public sealed class FloatParameter : SearchParameter
{
    /// <summary>A number.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="low">The lowest value.</param>
    /// <param name="high">The highest value.</param>
    /// <param name="log">Whether its logarithm is searched evenly, as for learning rates; then the bounds are above 0.</param>
    /// <param name="step">The distance of the values allowed, beginning with the lowest; 0 (default) for all.</param>
    /// <exception cref="ArgumentException">The bounds do not fit.</exception>
    public FloatParameter(string name, double low, double high, bool log = false, double step = 0)
        : base(name)
    {
        RequireFinite(low, name, nameof(low));
        RequireFinite(high, name, nameof(high));
        if (low > high || (log && (low <= 0 || step != 0)) || !(step >= 0))
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"Parameter {name}: expected low <= high, above 0 and without a step where log is set, and a step of at least 0, got low {low}, high {high}, log {log}, step {step}."));
        }

        (Low, IsLog, Step) = (low, log, step);
        High = step > 0 ? low + (Math.Floor(((high - low) / step) + 1e-9) * step) : high;
    }

    /// <summary>The lowest value.</summary>
    public double Low { get; }

    /// <summary>The highest value; with a step the last that it reaches.</summary>
    public double High { get; }

    /// <summary>Whether its logarithm is searched evenly.</summary>
    public bool IsLog { get; }

    /// <summary>The distance of the values allowed; 0 for all.</summary>
    public double Step { get; }

    internal override int Count => Step > 0 ? (int)Math.Round((High - Low) / Step) + 1 : Low == High ? 1 : 0;

    /// <inheritdoc/>
    public override bool Contains(double value) => value >= Low && value <= High;

    internal override double ToUnit(double value) => Count > 0
        ? ((Step > 0 ? Math.Round((value - Low) / Step) : 0) + 0.5) / Count
        : IsLog ? Math.Log(value / Low) / Math.Log(High / Low) : (value - Low) / (High - Low);

    internal override double FromUnit(double unit) => Count > 0
        ? Low + (Step * Math.Min((int)(unit * Count), Count - 1))
        : Math.Clamp(IsLog ? Low * Math.Pow(High / Low, unit) : Low + (unit * (High - Low)), Low, High);
}

/// <summary>A whole number between two bounds, both included.</summary>
public sealed class IntParameter : SearchParameter
{
    /// <summary>A whole number.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="low">The lowest value.</param>
    /// <param name="high">The highest value.</param>
    /// <param name="log">Whether its logarithm is searched evenly, as for widths; then the bounds are above 0.</param>
    /// <param name="step">The distance of the values allowed, beginning with the lowest; default 1.</param>
    /// <exception cref="ArgumentException">The bounds do not fit.</exception>
    public IntParameter(string name, int low, int high, bool log = false, int step = 1)
        : base(name)
    {
        if (low > high || (log && (low <= 0 || step != 1)) || step < 1)
        {
            throw new ArgumentException(
                $"Parameter {name}: expected low <= high, above 0 and with a step of 1 where log is set, and a step of at least 1, got low {low}, high {high}, log {log}, step {step}.");
        }

        (Low, IsLog, Step) = (low, log, step);
        High = low + ((high - low) / step * step);
    }

    /// <summary>The lowest value.</summary>
    public int Low { get; }

    /// <summary>The highest value that the steps reach.</summary>
    public int High { get; }

    /// <summary>Whether its logarithm is searched evenly.</summary>
    public bool IsLog { get; }

    /// <summary>The distance of the values allowed.</summary>
    public int Step { get; }

    // A logarithmic range is a continuum whose values are rounded: equal shares would not be even in the logarithm.
    internal override int Count => Low == High ? 1 : IsLog ? 0 : ((High - Low) / Step) + 1;

    /// <inheritdoc/>
    public override bool Contains(double value) => value >= Low && value <= High && value == Math.Floor(value);

    internal override double ToUnit(double value) => Count > 0
        ? (((value - Low) / Step) + 0.5) / Count
        : Math.Log(value / (Low - 0.5)) / Math.Log((High + 0.5) / (Low - 0.5));

    internal override double FromUnit(double unit) => Count > 0
        ? Low + ((double)Step * Math.Min((int)(unit * Count), Count - 1))
        : Math.Clamp(Math.Round((Low - 0.5) * Math.Pow((High + 0.5) / (Low - 0.5), unit)), Low, High);
}

/// <summary>One of several choices without an order.</summary>
public sealed class ChoiceParameter : SearchParameter
{
    private readonly string[] _choices;

    /// <summary>One of several choices.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="choices">The choices, each once.</param>
    /// <exception cref="ArgumentException">There are none, or two are the same.</exception>
    public ChoiceParameter(string name, params IEnumerable<string> choices)
        : base(name)
    {
        _choices = [.. choices];
        if (_choices.Length == 0 || _choices.Distinct().Count() != _choices.Length)
        {
            throw new ArgumentException(
                $"Parameter {name}: expected one choice or more, each once, got '{string.Join("', '", _choices)}'.", nameof(choices));
        }
    }

    /// <summary>The choices.</summary>
    public IReadOnlyList<string> Choices => _choices;

    internal override int Count => _choices.Length;

    internal override bool IsUnordered => true;

    /// <inheritdoc/>
    public override bool Contains(double value) => value >= 0 && value < _choices.Length && value == Math.Floor(value);

    /// <inheritdoc/>
    public override string Text(double value) => _choices[(int)value];

    internal override double ToUnit(double value) => (value + 0.5) / Count;

    internal override double FromUnit(double unit) => Math.Min((int)(unit * Count), Count - 1);
}
