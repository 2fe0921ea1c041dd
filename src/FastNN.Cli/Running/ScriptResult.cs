using FastNN.Cli.Recipes;

namespace FastNN.Cli.Running;

/// <summary>What `train` writes as JSON for a recipe that is a program of its own.</summary>
internal sealed record ScriptResult
{
    public required string Recipe { get; init; }

    public required string Device { get; init; }

    public required int Threads { get; init; }

    public required ulong Seed { get; init; }

    public required bool Quick { get; init; }

    public required double Seconds { get; init; }

    /// <summary>The recipe's outcome; passed only where <see cref="Conditions"/> hold too.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>What else the run has to reach.</summary>
    public required IReadOnlyList<Outcome> Conditions { get; init; }

    public required IReadOnlyDictionary<string, double> Figures { get; init; }

    /// <summary>The loss of every step by phase.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<float>> Losses { get; init; }

    /// <summary>The SHA-256 of every file kept by its name.</summary>
    public required IReadOnlyDictionary<string, string> Files { get; init; }
}
