using System.Text.Json;
using FastNN.Data;

namespace FastNN.Hosting;

/// <summary>
/// What the examples look like that a model was trained on, feature by feature, or channel by channel for images. A service that
/// knows it tells when the inputs of its callers look different (the metric <c>fastnn.drift</c>).
/// </summary>
/// <example>
/// <code>
/// TrainingStatistics statistics = TrainingStatistics.Of(train);
/// statistics.AddTo("models/prices/1/model.safetensors");     // or to models/prices/model.json
/// </code>
/// </example>
public sealed class TrainingStatistics
{
    /// <summary>Examples that are measured at most, evenly spread: deciles of so many are exact to about 1 %.</summary>
    internal const int MaxExamples = 10_000;

    /// <summary>Features apart at most; of more, and of no clear channels, all values are taken together.</summary>
    internal const int MaxFeatures = 1024;

    private const int MaxChannels = 16;
    private const int MaxValues = 1 << 20;

    private TrainingStatistics(
        string? input, Shape exampleShape, int axis, int examples, IReadOnlyList<FeatureStatistics> features)
    {
        (Input, ExampleShape, Axis, Examples, Features) = (input, exampleShape, axis, examples, features);
        (Outer, Inner) = (1, 1);
        for (int i = 0; i < exampleShape.Rank; i++)
        {
            (Outer, Inner) = axis < 0 || i > axis ? (Outer, Inner * exampleShape[i])
                : i < axis ? (Outer * exampleShape[i], Inner)
                : (Outer, Inner);
        }
    }

    /// <summary>The name of the model's input; null for the first.</summary>
    public string? Input { get; private init; }

    /// <summary>The shape of one example.</summary>
    public Shape ExampleShape { get; }

    /// <summary>How many examples were measured.</summary>
    public int Examples { get; }

    /// <summary>Each feature or channel.</summary>
    public IReadOnlyList<FeatureStatistics> Features { get; }

    /// <summary>The axis of the example that tells features apart; -1 where all values are taken together.</summary>
    internal int Axis { get; }

    /// <summary>Values of one feature that lie apart.</summary>
    internal int Outer { get; }

    /// <summary>Values of one feature that lie together.</summary>
    internal int Inner { get; }

    /// <summary>
    /// Measures examples: each feature of a table, each channel of an image of up to 16 ([H, W, C] or [C, H, W]), each feature of
    /// a sequence [T, D]. Of more than 10,000 examples, so many are measured, evenly spread.
    /// </summary>
    /// <param name="train">
    /// The training examples, as callers of the model will send theirs: before a preprocessing that the model has in itself.
    /// </param>
    /// <param name="input">The name of the model's input; null, the default, for the first.</param>
    public static TrainingStatistics Of(Dataset train, string? input = null)
    {
        ArgumentNullException.ThrowIfNull(train);
        return Measure(
            train.Count, new Shape(train.ExampleShape), train.FeatureNames, input,
            (example, row) => train.CopyFeatures(example, row));
    }

    /// <summary>As <see cref="Of(Dataset, string?)"/>, of examples in an array.</summary>
    /// <param name="examples">One behind the other, row-major.</param>
    /// <param name="exampleShape">The shape of one.</param>
    /// <param name="input">The name of the model's input; null, the default, for the first.</param>
    /// <exception cref="ArgumentException">There is no example, or a part of one.</exception>
    public static TrainingStatistics Of(ReadOnlyMemory<float> examples, Shape exampleShape, string? input = null)
    {
        int size = checked((int)exampleShape.Count);
        if (size == 0 || examples.Length == 0 || examples.Length % size != 0)
        {
            throw new ArgumentException(
                $"expected values of one or more examples of shape {exampleShape}, got {examples.Length}", nameof(examples));
        }

        return Measure(examples.Length / size, exampleShape, [], input, (example, row) =>
            examples.Span.Slice(example * size, size).CopyTo(row));
    }

    /// <summary>
    /// Puts the statistics into a model's file, .safetensors, or into the settings beside a model of any kind, model.json; the
    /// rest of either stays as it is, and what was there of statistics is replaced.
    /// </summary>
    /// <param name="path">The file; of model.json it is made where there is none.</param>
    /// <exception cref="ArgumentException">The file is of another kind.</exception>
    /// <exception cref="IOException">The file cannot be read or written, or is malformed.</exception>
    public void AddTo(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        StatisticsFile.Add(path, ToJson());
    }

    /// <summary>The statistics as JSON, as files have them.</summary>
    public string ToJson() => StatisticsJson.Write(this);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The text.</param>
    /// <exception cref="FormatException">It is something else.</exception>
    public static TrainingStatistics Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            using var document = JsonDocument.Parse(json);
            return StatisticsJson.Read(document.RootElement);
        }
        catch (JsonException exception)
        {
            throw new FormatException($"expected training statistics as JSON: {exception.Message}", exception);
        }
    }

    /// <summary>Statistics that were measured before.</summary>
    internal static TrainingStatistics Make(
        string? input, Shape exampleShape, int axis, int examples, IReadOnlyList<FeatureStatistics> features) =>
        new(input, exampleShape, axis, examples, features);

    private static TrainingStatistics Measure(
        int count, Shape shape, IReadOnlyList<string> names, string? input, Action<int, float[]> copy)
    {
        int axis = AxisOf(shape), groups = axis < 0 ? 1 : shape[axis];
        var result = new TrainingStatistics(input, shape, axis, 0, []);
        int examples = Math.Min(count, MaxExamples), places = result.Outer * result.Inner;

        // Of large images some places of each, others in every example.
        int taken = Math.Clamp(MaxValues / examples, 1, places);
        var values = new float[groups][];
        for (int i = 0; i < groups; i++)
        {
            values[i] = new float[examples * taken];
        }

        var row = new float[checked((int)shape.Count)];
        for (int i = 0; i < examples; i++)
        {
            copy((int)((long)i * count / examples), row);
            for (int j = 0; j < taken; j++)
            {
                int place = (int)(((long)j * places / taken) + i) % places;
                for (int group = 0; group < groups; group++)
                {
                    values[group][(i * taken) + j] = row[result.IndexOf(group, place, groups)];
                }
            }
        }

        FeatureStatistics[] features =
        [
            .. values.Select((all, i) => FeatureStatistics.Of(
                i < names.Count && names.Count == groups ? names[i] : NameOf(axis, i), all)),
        ];
        return new TrainingStatistics(input, shape, axis, examples, features);
    }

    /// <summary>Where in an example a value of a feature stands.</summary>
    internal int IndexOf(int feature, int place, int features) =>
        (((place / Inner * features) + feature) * Inner) + (place % Inner);

    private static string NameOf(int axis, int feature) =>
        axis < 0 ? "all" : feature.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static int AxisOf(Shape shape) => shape.Rank switch
    {
        0 => -1,
        3 => shape[2] <= MaxChannels ? 2 : shape[0] <= MaxChannels ? 0 : -1,
        _ => shape[^1] <= MaxFeatures ? shape.Rank - 1 : -1,
    };
}
