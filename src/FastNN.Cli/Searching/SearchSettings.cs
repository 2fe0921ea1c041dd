using FastNN.Cli.Recipes;
using FastNN.Search;

namespace FastNN.Cli.Searching;

/// <summary>What `fastnn search` was asked for.</summary>
internal sealed record SearchSettings
{
    public required SupervisedRecipe Recipe { get; init; }

    public required SearchSpace Space { get; init; }

    public required Sampler Sampler { get; init; }

    public required Pruner? Pruner { get; init; }

    /// <summary>Trials in all, those of the journal included.</summary>
    public required int Trials { get; init; }

    /// <summary>Processes at a time.</summary>
    public required int Parallel { get; init; }

    public required string Journal { get; init; }

    /// <summary>The HTML file that the search is drawn into, or null.</summary>
    public string? Plots { get; init; }

    public required ulong Seed { get; init; }

    /// <summary>Options of train that every trial gets.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }
}
