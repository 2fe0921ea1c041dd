namespace FastNN.Hosting;

/// <summary>A model of a service.</summary>
public sealed class ModelOptions
{
    private Func<Layer>? _factory;
    private TrainingStatistics? _statistics;

    /// <summary>
    /// The file, .onnx or .safetensors; relative to the application's content root.
    /// </summary>
    public string? File { get; set; }

    /// <summary>The most examples of one call; null, the default, for <see cref="FastNNOptions.MaxExamples"/>.</summary>
    public int? MaxExamples { get; set; }

    /// <summary>
    /// The deadline of calls whose caller sets none, from their start; null, the default, for
    /// <see cref="FastNNOptions.CallTimeout"/>.
    /// </summary>
    public TimeSpan? CallTimeout { get; set; }

    /// <summary>
    /// The names of the classes that the first output tells apart; empty, the default, for those that the file names.
    /// </summary>
    public IList<string> Labels { get; } = [];

    /// <summary>How calls wait and are computed together; null, the default, for <see cref="FastNNOptions.Batching"/>.</summary>
    public BatchingOptions? Batching { get; set; }

    /// <summary>
    /// Whether the model computes zeros before it takes calls, so that the first call finds everything ready and a model that
    /// cannot run is found out. Default true.
    /// </summary>
    public bool WarmUp { get; set; } = true;

    /// <summary>
    /// Extents for warm-up by the names of inputs, where the model leaves others open than the number of examples: those of a
    /// usual call.
    /// </summary>
    public IDictionary<string, int[]> WarmUpDimensions { get; } = new Dictionary<string, int[]>(StringComparer.Ordinal);

    /// <summary>
    /// Makes the network whose weights the file has; null where the file says what it is. A method, because properties are
    /// bound from configuration.
    /// </summary>
    internal Func<Layer>? GetFactory() => _factory;

    /// <summary>What the model was trained on; null where the file may say it.</summary>
    internal TrainingStatistics? GetStatistics() => _statistics;

    /// <summary>Reads the model from a file that says what it is: an ONNX file, or what <c>model.Save</c> wrote.</summary>
    /// <param name="path">The file, .onnx or .safetensors; relative to the application's content root.</param>
    /// <returns>The options.</returns>
    public ModelOptions FromFile(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        (File, _factory) = (path, null);
        return this;
    }

    /// <summary>Reads weights from a file into a network that code makes.</summary>
    /// <param name="path">The file, .safetensors; relative to the application's content root.</param>
    /// <param name="model">Makes the network, built; called each time that the file is loaded.</param>
    /// <returns>The options.</returns>
    public ModelOptions FromSafetensors(string path, Func<Layer> model)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentNullException.ThrowIfNull(model);
        (File, _factory) = (path, model);
        return this;
    }

    /// <summary>
    /// Says what the model was trained on, so that the service tells when its callers' inputs look different; without it, what
    /// the file has of it is taken.
    /// </summary>
    /// <param name="statistics">What was measured.</param>
    /// <returns>The options.</returns>
    public ModelOptions WithStatistics(TrainingStatistics statistics)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        _statistics = statistics;
        return this;
    }
}
