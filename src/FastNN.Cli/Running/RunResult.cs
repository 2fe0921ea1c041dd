using System.Security.Cryptography;
using System.Text.Json;

namespace FastNN.Cli.Running;

/// <summary>What a run gave; the JSON object has these fields, under these names in camel case.</summary>
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

    public required TestResult Metrics { get; init; }

    public required string WeightsSha256 { get; init; }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("recipe", Recipe);
        json.WriteString("device", Device);
        json.WriteNumber("threads", Threads);
        json.WriteNumber("seed", Seed);
        json.WriteNumber("epochs", Epochs);
        json.WriteNumber("batch", Batch);
        json.WriteNumber("parameters", Parameters);
        json.WriteNumber("secondsPerEpoch", SecondsPerEpoch);
        json.WriteNumber("imagesPerSecond", ImagesPerSecond);
        json.WriteNumber("planPeakBytes", PlanPeakBytes);
        json.WriteNumber("planLowerBoundBytes", PlanLowerBoundBytes);
        json.WriteStartArray("losses");
        foreach (float loss in Losses)
        {
            json.WriteNumberValue(loss);
        }

        json.WriteEndArray();
        json.WritePropertyName("metrics");
        Metrics.Write(json);
        json.WriteString("weightsSha256", WeightsSha256);
        json.WriteEndObject();
    }

    /// <summary>The sum of a file, in lower-case hexadecimal.</summary>
    public static string Sha256(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}

/// <summary>How a network does on the test data.</summary>
internal sealed record TestResult(double Loss, ConfusionMatrix Confusion)
{
    public ClassificationReport Report { get; } = new(Confusion);

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("testLoss", Loss);
        json.WriteNumber("testAccuracy", Report.Accuracy);
        json.WriteStartArray("perClass");
        foreach (ClassMetrics metrics in Report.Classes)
        {
            Write(json, metrics);
        }

        json.WriteEndArray();
        json.WritePropertyName("macroAverage");
        Write(json, Report.MacroAverage);
        json.WritePropertyName("weightedAverage");
        Write(json, Report.WeightedAverage);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ClassMetrics metrics)
    {
        json.WriteStartObject();
        json.WriteString("name", metrics.Name);
        json.WriteNumber("precision", metrics.Precision);
        json.WriteNumber("recall", metrics.Recall);
        json.WriteNumber("f1", metrics.F1);
        json.WriteNumber("support", metrics.Support);
        json.WriteEndObject();
    }
}
