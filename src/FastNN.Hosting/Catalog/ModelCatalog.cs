using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace FastNN.Hosting;

/// <summary>The models of a service.</summary>
internal sealed class ModelCatalog : IModelCatalog, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, ModelEntry> _entries = new(StringComparer.Ordinal);
    private readonly CatalogParts _parts;
    private readonly ModelFolder? _folder;
    private volatile bool _isLoaded;
    private volatile bool _isStopping;

    /// <param name="sources">The models that were registered.</param>
    /// <param name="folder">Further models; null for none.</param>
    /// <param name="parts">What they share.</param>
    public ModelCatalog(IEnumerable<ModelSource> sources, ModelFolder? folder, CatalogParts parts)
    {
        (_parts, _folder) = (parts, folder);
        foreach (ModelSource source in sources)
        {
            _entries[source.Name] = new ModelEntry(source, parts);
        }
    }

    /// <summary>Where calls' tensors come from.</summary>
    internal BufferPool Buffers => _parts.Buffers;

    /// <summary>Is told what models do.</summary>
    internal ServingTelemetry Telemetry => _parts.Telemetry;

    /// <inheritdoc/>
    public bool IsReady => _isLoaded && !_isStopping
        && _entries.Values.SelectMany(entry => entry.Versions)
            .All(model => model.Status.State is ModelState.Ready or ModelState.Unloaded);

    /// <inheritdoc/>
    public IReadOnlyList<ModelStatus> List() =>
    [
        .. _entries.Values.OrderBy(entry => entry.Name, StringComparer.Ordinal)
            .SelectMany(entry => entry.Versions.Reverse().Select(model => model.Status)),
    ];

    /// <inheritdoc/>
    public bool TryGet(string name, string? version, [NotNullWhen(true)] out IModel? model)
    {
        ArgumentNullException.ThrowIfNull(name);
        bool isKnown = _entries.TryGetValue(name, out ModelEntry? entry);
        model = isKnown && !_isStopping && entry!.Find(version) is { IsReady: true } found ? found : null;
        return model is not null;
    }

    /// <inheritdoc/>
    public IModel Find(string name, string? version)
    {
        if (TryGet(name, version, out IModel? model))
        {
            return model;
        }

        if (_isStopping)
        {
            throw ShuttingDown();
        }

        throw Entry(name).Find(version) is { } found ? found.NotReady() : NoVersion(name, version);
    }

    /// <inheritdoc/>
    public async Task LoadAsync(string name, string? version = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        RequireRunning();
        if (!_entries.ContainsKey(name) && _folder?.Find(name) is { } source)
        {
            _entries.TryAdd(name, new ModelEntry(source, _parts));
        }

        await Entry(name).LoadAsync(version, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task UnloadAsync(string name, string? version = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        RequireRunning();
        return Entry(name).UnloadAsync(version, cancellationToken);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ModelStatistics> Statistics(string? name = null, string? version = null)
    {
        IEnumerable<ModelEntry> entries = string.IsNullOrEmpty(name)
            ? _entries.Values.OrderBy(entry => entry.Name, StringComparer.Ordinal)
            : [Entry(name)];
        ModelStatistics[] statistics =
        [
            .. entries.SelectMany(entry => entry.Versions.Reverse())
                .Where(model => string.IsNullOrEmpty(version) ? model.Current is not null : model.Version == version)
                .Select(model => model.Counters.Read(model.Name, model.Version)),
        ];
        return statistics.Length > 0 || string.IsNullOrEmpty(version) ? statistics : throw NoVersion(name ?? "", version);
    }

    /// <summary>Loads all models; those that fail say so in their status and in the log.</summary>
    /// <exception cref="InferenceException">One that is required cannot be loaded.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        AddFromFolder();
        InferenceException? failure = null;
        foreach (ModelEntry entry in _entries.Values.OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            try
            {
                await entry.LoadAsync(null, cancellationToken).ConfigureAwait(false);
            }
            catch (InferenceException exception) when (!entry.IsRequired)
            {
                // Its status and the log have the reason.
                _ = exception;
            }
            catch (InferenceException exception)
            {
                failure ??= exception;
            }
        }

        _isLoaded = true;
        if (failure is not null)
        {
            throw failure;
        }
    }

    /// <summary>Loads what is new or has changed, and unloads what is gone.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        AddFromFolder();
        foreach (ModelEntry entry in _entries.Values)
        {
            await entry.RefreshAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Refuses new calls, finishes those that are begun until the token fires, and frees all models.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _isStopping = true;
        foreach (ServedModel model in _entries.Values.SelectMany(entry => entry.Versions))
        {
            model.Stop();
        }

        foreach (ModelEntry entry in _entries.Values)
        {
            await entry.CloseAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The entry of a name.</summary>
    /// <exception cref="InferenceException">There is none.</exception>
    internal ModelEntry Entry(string name) => _entries.TryGetValue(name, out ModelEntry? entry)
        ? entry
        : throw new InferenceException(InferenceFailure.NotFound, $"There is no model '{Formats.Quote.Text(name)}'.");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // Where the host was not stopped in order, nobody waits for calls.
        await StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        foreach (ModelEntry entry in _entries.Values)
        {
            entry.Dispose();
        }

        _entries.Clear();
    }

    private void AddFromFolder()
    {
        if (_folder is null)
        {
            return;
        }

        try
        {
            foreach (ModelSource source in _folder.Sources(_entries.ContainsKey))
            {
                _entries.TryAdd(source.Name, new ModelEntry(source, _parts));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _parts.Log.CannotReadFolder(exception);
        }
    }

    private void RequireRunning()
    {
        if (_isStopping)
        {
            throw ShuttingDown();
        }
    }

    /// <summary>What callers are told when the service ends.</summary>
    internal static InferenceException ShuttingDown() =>
        new(InferenceFailure.ShuttingDown, "The service is shutting down; send the call to another one.");

    private static InferenceException NoVersion(string name, string? version) => new(
        InferenceFailure.NotFound,
        string.IsNullOrEmpty(version)
            ? $"Model '{Formats.Quote.Text(name)}' has no version that is loaded."
            : $"Model '{Formats.Quote.Text(name)}' has no version {Formats.Quote.Text(version)}.");
}
