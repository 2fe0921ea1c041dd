using System.Globalization;

namespace FastNN.Cli.Recipes;

/// <summary>A value that a run has to reach.</summary>
/// <param name="Name">What is measured, such as "test accuracy".</param>
/// <param name="Wanted">The bound.</param>
/// <param name="AtMost">Whether smaller is better, as for errors.</param>
internal sealed record Goal(string Name, double Wanted, bool AtMost = false)
{
    /// <summary>Compares a value with the bound. NaN passes nothing.</summary>
    public Outcome Judge(double value) =>
        new(Name, value, Wanted, AtMost ? "at most" : "at least", AtMost ? value <= Wanted : value >= Wanted);

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Name} {(AtMost ? "at most" : "at least")} {Wanted:0.####}");
}

/// <summary>How a run did: what --json writes as <c>outcome</c>.</summary>
internal sealed record Outcome(string Name, double Value, double Wanted, string Bound, bool Passed)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Name} {Value:0.####}, wanted {Bound} {Wanted:0.####}: {(Passed ? "passed" : "missed")}");
}
