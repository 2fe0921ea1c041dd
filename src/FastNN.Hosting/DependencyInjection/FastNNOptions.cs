namespace FastNN.Hosting;

/// <summary>
/// What a service computes, and where. Bound from configuration by <c>AddFastNN(configuration.GetSection("FastNN"))</c>, checked
/// when the service starts.
/// </summary>
public sealed class FastNNOptions
{
    private Device? _device;

    /// <summary>Models by name: those of <see cref="FastNNBuilder.AddModel"/>, and those of the configuration.</summary>
    public IDictionary<string, ModelOptions> Models { get; } = new Dictionary<string, ModelOptions>(StringComparer.Ordinal);

    /// <summary>
    /// A folder of further models, NAME/VERSION/model.onnx or model.safetensors; null, the default, for none. Relative to the
    /// application's content root.
    /// </summary>
    public string? Folder { get; set; }

    /// <summary>Where models run: <c>cpu</c>, the default, <c>cuda</c>, or <c>best</c> for a GPU where there is one.</summary>
    public string Device { get; set; } = "cpu";

    /// <summary>Worker threads of a CPU; 0, the default, for one per logical processor.</summary>
    public int Threads { get; set; }

    /// <summary>How calls wait and are computed together, for models without settings of their own.</summary>
    public BatchingOptions Batching { get; set; } = new();

    /// <summary>The most examples of one call, for models without a setting of their own. Default 1024.</summary>
    public int MaxExamples { get; set; } = 1024;

    /// <summary>
    /// The deadline of calls whose caller sets none, from their start, for models without a setting of their own: a call that
    /// cannot be answered by then is refused. Default <see cref="Timeout.InfiniteTimeSpan"/>, which is none.
    /// </summary>
    public TimeSpan CallTimeout { get; set; } = Timeout.InfiniteTimeSpan;

    /// <summary>Whether models are loaded anew when their files change. Default true.</summary>
    public bool WatchFiles { get; set; } = true;

    /// <summary>
    /// How often files are looked at. What has changed is loaded when it has been the same for two looks. Default 2 s.
    /// </summary>
    public TimeSpan WatchInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Whether a service does not start where a registered model cannot be loaded. Models of the folder are never required.
    /// Default true.
    /// </summary>
    public bool RequireModels { get; set; } = true;

    /// <summary>How long a model that is unloaded or replaced waits for calls that were begun. Default 30 s.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The caller's own device; null for one that the service makes. A method, because properties are bound from configuration.
    /// </summary>
    internal Device? GetOwnDevice() => _device;

    /// <summary>Serves the models of a folder too, NAME/VERSION/model.onnx or model.safetensors.</summary>
    /// <param name="folder">The folder; relative to the application's content root.</param>
    /// <returns>The options.</returns>
    public FastNNOptions FromFolder(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        Folder = folder;
        return this;
    }

    /// <summary>Runs models on a device of the caller's, who disposes it when the service has ended.</summary>
    /// <param name="device">The device.</param>
    /// <returns>The options.</returns>
    public FastNNOptions UseDevice(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        _device = device;
        return this;
    }
}
