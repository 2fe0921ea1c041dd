using System.Text.Json;
using System.Text.Json.Serialization;

namespace FastNN.Hosting;

/// <summary>A model's settings in its folder: what NAME/model.json may say. Everything is optional.</summary>
internal sealed record ModelManifest
{
    /// <summary>The file's name.</summary>
    public const string FileName = "model.json";

    private const long MostBytes = 1 << 20;
    private const double MostMilliseconds = 1e9;

    /// <summary>Which versions are loaded; by default the highest.</summary>
    public VersionPolicy? Versions { get; init; }

    /// <summary>The most examples of one call.</summary>
    public int? MaxExamples { get; init; }

    /// <summary>The deadline of calls whose caller sets none, in milliseconds from their start.</summary>
    public double? CallTimeoutMilliseconds { get; init; }

    /// <summary>What is known of the data that the model was trained on: an object, kept as it stands there.</summary>
    public JsonElement? Statistics { get; init; }

    /// <summary>The names of the classes that the first output tells apart.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>How calls wait and are computed together.</summary>
    public BatchingManifest? Batching { get; init; }

    /// <summary>Whether the model computes zeros before it takes calls.</summary>
    public bool? WarmUp { get; init; }

    /// <summary>Extents for warm-up, by input.</summary>
    public IReadOnlyDictionary<string, int[]>? WarmUpDimensions { get; init; }

    /// <exception cref="FileFormatException">
    /// It is not JSON, or has a member that it may not have, or a value out of range.
    /// </exception>
    public static ModelManifest Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MostBytes)
            {
                throw new FileFormatException(path, 0, $"at most {MostBytes} bytes of settings", "more");
            }

            ModelManifest manifest = JsonSerializer.Deserialize(File.ReadAllBytes(path), HostingJson.Default.ModelManifest)
                ?? throw new FileFormatException(path, 0, "a JSON object", "null");
            return manifest.Fault() is { } fault ? throw new FileFormatException(path, 0, "valid settings", fault) : manifest;
        }
        catch (JsonException exception)
        {
            throw new FileFormatException(
                path, exception.BytePositionInLine ?? 0, "settings of a model as JSON", exception.Message, exception);
        }
    }

    /// <summary>Whether a version is to be loaded.</summary>
    /// <param name="number">The version.</param>
    /// <param name="place">How many versions that are there are higher.</param>
    public bool Wants(long number, int place) => Versions switch
    {
        { All: true } => true,
        { Specific: { } specific } => specific.Contains(number),
        { Latest: { } latest } => place < latest,
        _ => place == 0,
    };

    /// <summary>These settings, and others for what they do not say.</summary>
    public ServingSettings Over(ServingSettings defaults) => defaults with
    {
        MaxRows = MaxExamples ?? defaults.MaxRows,
        CallTimeout = CallTimeoutMilliseconds is { } timeout ? TimeSpan.FromMilliseconds(timeout) : defaults.CallTimeout,
        Statistics = Statistics,
        Labels = Labels ?? defaults.Labels,
        Batching = Batching?.Over(defaults.Batching) ?? defaults.Batching,
        WarmUp = WarmUp ?? defaults.WarmUp,
        WarmUpDimensions = WarmUpDimensions ?? defaults.WarmUpDimensions,
    };

    private string? Fault()
    {
        if (Versions is { } versions
            && (versions.All ? 1 : 0) + (versions.Latest is null ? 0 : 1) + (versions.Specific is null ? 0 : 1) != 1)
        {
            return "'versions' without exactly one of 'all', 'latest' and 'specific'";
        }

        return Versions is { Latest: < 1 } ? "'latest' below 1"
            : MaxExamples is < 1 ? "'maxExamples' below 1"
            : CallTimeoutMilliseconds is { } timeout && timeout is not (> 0 and <= MostMilliseconds)
                ? $"'callTimeoutMilliseconds' outside of 0 to {MostMilliseconds}"
            : Statistics is { ValueKind: not JsonValueKind.Object } ? "'statistics' that are no object"
            : ServingRules.Fault(Batching?.Over(new BatchingOptions()) ?? new BatchingOptions());
    }
}

/// <summary>Which versions of a model are loaded: one of the three is set.</summary>
internal sealed record VersionPolicy
{
    /// <summary>All of them.</summary>
    public bool All { get; init; }

    /// <summary>So many, the highest.</summary>
    public int? Latest { get; init; }

    /// <summary>These, as far as they are there.</summary>
    public IReadOnlyList<long>? Specific { get; init; }
}

/// <summary>Settings of batching in a file; what it does not say is as in the service's options.</summary>
internal sealed record BatchingManifest
{
    /// <inheritdoc cref="BatchingOptions.MaxBatch"/>
    public int? MaxBatch { get; init; }

    /// <summary><see cref="BatchingOptions.MaxDelay"/> in milliseconds.</summary>
    public double? MaxDelayMilliseconds { get; init; }

    /// <inheritdoc cref="BatchingOptions.QueueLength"/>
    public int? QueueLength { get; init; }

    /// <summary><see cref="BatchingOptions.Objective"/> in milliseconds.</summary>
    public double? ObjectiveMilliseconds { get; init; }

    /// <inheritdoc cref="BatchingOptions.BatchInvariant"/>
    public bool? BatchInvariant { get; init; }

    /// <inheritdoc cref="BatchingOptions.MaxConcurrency"/>
    public int? MaxConcurrency { get; init; }

    /// <summary>These settings, and others for what they do not say.</summary>
    public BatchingOptions Over(BatchingOptions defaults)
    {
        BatchingOptions options = ServingRules.Copy(defaults);
        options.MaxBatch = MaxBatch ?? defaults.MaxBatch;
        options.MaxDelay = MaxDelayMilliseconds is { } delay ? TimeSpan.FromMilliseconds(delay) : defaults.MaxDelay;
        options.QueueLength = QueueLength ?? defaults.QueueLength;
        options.Objective = ObjectiveMilliseconds is { } objective ? TimeSpan.FromMilliseconds(objective) : defaults.Objective;
        options.BatchInvariant = BatchInvariant ?? defaults.BatchInvariant;
        options.MaxConcurrency = MaxConcurrency ?? defaults.MaxConcurrency;
        return options;
    }
}

/// <summary>JSON of this assembly, read without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true)]
[JsonSerializable(typeof(ModelManifest))]
internal sealed partial class HostingJson : JsonSerializerContext;
