using System.Buffers;
using System.Text;
using System.Text.Json;

namespace FastNN.Hosting;

/// <summary>Training statistics as JSON.</summary>
internal static class StatisticsJson
{
    private const int Version = 1;
    private const int MaxBounds = 64;

    /// <summary>Writes them.</summary>
    public static string Write(TrainingStatistics statistics)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("version"u8, Version);
            if (statistics.Input is { } input)
            {
                json.WriteString("input"u8, input);
            }

            json.WriteStartArray("shape"u8);
            foreach (int extent in statistics.ExampleShape)
            {
                json.WriteNumberValue(extent);
            }

            json.WriteEndArray();
            json.WriteNumber("axis"u8, statistics.Axis);
            json.WriteNumber("examples"u8, statistics.Examples);
            json.WriteStartArray("features"u8);
            foreach (FeatureStatistics feature in statistics.Features)
            {
                Write(json, feature);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Reads them, and holds them against what they must be.</summary>
    /// <exception cref="FormatException">They are something else.</exception>
    public static TrainingStatistics Read(JsonElement root)
    {
        try
        {
            if (root.GetProperty("version").GetInt32() is var version && version != Version)
            {
                throw new FormatException($"expected training statistics of version {Version}, got {version}");
            }

            string? input = root.TryGetProperty("input", out JsonElement name) ? name.GetString() : null;
            var shape = new Shape([.. root.GetProperty("shape").EnumerateArray().Select(extent => extent.GetInt32())]);
            int axis = root.GetProperty("axis").GetInt32(), examples = root.GetProperty("examples").GetInt32();
            FeatureStatistics[] features = [.. root.GetProperty("features").EnumerateArray().Select(ReadFeature)];
            int wanted = axis == -1 ? 1 : (uint)axis < (uint)shape.Rank ? shape[axis] : throw new FormatException(
                $"expected an axis of shape {shape}, or -1, got {axis}");
            return examples < 1 ? throw new FormatException($"expected 1 example or more, got {examples}")
                : features.Length != wanted
                    ? throw new FormatException($"expected statistics of {wanted} features, got {features.Length}")
                : TrainingStatistics.Make(input, shape, axis, examples, features);
        }
        catch (Exception exception) when (exception is KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            throw new FormatException($"expected training statistics: {exception.Message}", exception);
        }
    }

    private static FeatureStatistics ReadFeature(JsonElement json)
    {
        float[] bounds = [.. json.GetProperty("bounds").EnumerateArray().Select(bound => bound.GetSingle())];
        double[] shares = [.. json.GetProperty("shares").EnumerateArray().Select(share => share.GetDouble())];
        string name = json.GetProperty("name").GetString() ?? throw new FormatException("expected a feature's name, got null");
        bool ascends = bounds.Zip(bounds.Skip(1)).All(pair => pair.First < pair.Second) && bounds.All(float.IsFinite);
        if (bounds.Length is < 1 or > MaxBounds || !ascends || shares.Length != bounds.Length + 1
            || shares.Any(share => share is not (>= 0 and <= 1)) || Math.Abs(shares.Sum() - 1) > 1e-3)
        {
            throw new FormatException(
                $"feature '{Formats.Quote.Text(name)}': expected 1 to {MaxBounds} ascending bounds and one share more, in all 1");
        }

        return new FeatureStatistics(
            name, json.GetProperty("mean").GetDouble(), json.GetProperty("deviation").GetDouble(), bounds, shares);
    }

    private static void Write(Utf8JsonWriter json, FeatureStatistics feature)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, feature.Name);
        json.WriteNumber("mean"u8, Math.Round(feature.Mean, 9));
        json.WriteNumber("deviation"u8, Math.Round(feature.StandardDeviation, 9));
        json.WriteStartArray("bounds"u8);
        foreach (float bound in feature.Bounds)
        {
            json.WriteNumberValue(bound);
        }

        json.WriteEndArray();
        json.WriteStartArray("shares"u8);
        foreach (double share in feature.Shares)
        {
            json.WriteNumberValue(Math.Round(share, 6));
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
