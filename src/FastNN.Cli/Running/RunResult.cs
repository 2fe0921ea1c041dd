using System.Security.Cryptography;

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
    string Recipe, string Device, int Threads, long Parameters, TestMetrics Metrics, string WeightsSha256);

/// <summary>How a network does on the test data.</summary>
internal sealed record TestResult(double Loss, ConfusionMatrix Confusion)
{
    public ClassificationReport Report { get; } = new(Confusion);

    public TestMetrics Metrics => new(Loss, Report.Accuracy, Report.Classes, Report.MacroAverage, Report.WeightedAverage);
}

/// <summary>A <see cref="TestResult"/> as JSON has it.</summary>
internal sealed record TestMetrics(
    double TestLoss, double TestAccuracy, IReadOnlyList<ClassMetrics> PerClass, ClassMetrics MacroAverage,
    ClassMetrics WeightedAverage);
