using System.Security.Cryptography;
using System.Text.Json.Serialization;
using FastNN.Cli.Recipes;

namespace FastNN.Cli.Running;

/// <summary>What `train` writes as JSON.</summary>
internal sealed record RunResult
{
    public required string Recipe { get; init; }

    public required string Device { get; init; }

    public required int Threads { get; init; }

    public required ulong Seed { get; init; }

    public required int Epochs { get; init; }

    public required int Batch { get; init; }

    public required long Parameters { get; init; }

    public required double SecondsPerEpoch { get; init; }

    public required double ImagesPerSecond { get; init; }

    public required long PlanPeakBytes { get; init; }

    public required long PlanLowerBoundBytes { get; init; }

    public required bool Quick { get; init; }

    public required Outcome Outcome { get; init; }

    public required IReadOnlyList<float> Losses { get; init; }

    public required TestMetrics Metrics { get; init; }

    public required string WeightsSha256 { get; init; }

    /// <summary>The SHA-256 of a file, in lower-case hexadecimal.</summary>
    public static string Sha256(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}

/// <summary>What `evaluate` writes as JSON.</summary>
internal sealed record EvaluationResult(
    string Recipe, string Device, int Threads, long Parameters, TestMetrics Metrics, Outcome Outcome, string WeightsSha256);

/// <summary>How a network does on the test data.</summary>
internal sealed record TestResult(Evaluation Evaluation, Outcome Outcome)
{
    /// <summary>The report by class, or null where the loss has no classes.</summary>
    public ClassificationReport? Report { get; } =
        Evaluation.Confusion is { } confusion ? new ClassificationReport(confusion) : null;

    public TestMetrics Metrics => new(Evaluation.Loss)
    {
        TestAccuracy = Report?.Accuracy,
        PerClass = Report?.Classes,
        MacroAverage = Report?.MacroAverage,
        WeightedAverage = Report?.WeightedAverage,
        Values = Evaluation.Metrics.Count == 0
            ? null
            : Evaluation.Metrics.Names.ToDictionary(name => name, name => Evaluation.Metrics[name]),
    };
}

/// <summary>A <see cref="TestResult"/> as JSON has it: what a loss without classes does not have is left out.</summary>
internal sealed record TestMetrics(double TestLoss)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? TestAccuracy { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ClassMetrics>? PerClass { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ClassMetrics? MacroAverage { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ClassMetrics? WeightedAverage { get; init; }

    /// <summary>The recipe's metrics by name.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, double>? Values { get; init; }
}
