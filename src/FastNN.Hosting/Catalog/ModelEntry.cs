namespace FastNN.Hosting;

/// <summary>All versions of one model. What changes them runs one at a time; what reads them takes no lock.</summary>
/// <param name="source">Where they come from.</param>
/// <param name="parts">What all models of the catalog share.</param>
internal sealed class ModelEntry(ModelSource source, CatalogParts parts) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private readonly Dictionary<long, string> _seen = [];
    private ServedModel[] _versions = [];
    private volatile bool _isClosed;

    /// <summary>The model's name.</summary>
    public string Name => source.Name;

    /// <summary>Whether the service is not to start without it.</summary>
    public bool IsRequired => source.IsRequired;

    /// <summary>The versions, the highest first.</summary>
    public IReadOnlyList<ServedModel> Versions => Volatile.Read(ref _versions);

    /// <summary>One version; null or empty for the highest that is ready, or, where none is, the highest.</summary>
    public ServedModel? Find(string? version)
    {
        ServedModel[] versions = Volatile.Read(ref _versions);
        foreach (ServedModel candidate in versions)
        {
            if (string.IsNullOrEmpty(version) ? candidate.IsReady : candidate.Version == version)
            {
                return candidate;
            }
        }

        return string.IsNullOrEmpty(version) && versions.Length > 0 ? versions[0] : null;
    }

    /// <summary>Takes note of the versions that are there, without loading any.</summary>
    public void Scan() => Note(source.Scan());

    /// <summary>Loads or reloads one version, or those of the policy.</summary>
    /// <exception cref="InferenceException">There is no such version, or one could not be loaded.</exception>
    public async Task LoadAsync(string? version, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            IReadOnlyList<VersionFile> files = ScanOrThrow();
            Note(files);
            VersionFile[] chosen = [.. files.Where(file => Chooses(version, file)).OrderByDescending(file => file.Number)];
            if (chosen.Length == 0)
            {
                parts.Log.NothingThere(Name, source.Location);
                throw new InferenceException(InferenceFailure.NotFound, string.IsNullOrEmpty(version)
                    ? $"Model '{Name}': expected a file of a version that its policy chooses, found none."
                    : $"Model '{Name}' has no version {Formats.Quote.Text(version)}.");
            }

            InferenceException? failure = null;
            foreach (VersionFile file in chosen)
            {
                failure ??= await LoadAsync(file, cancellationToken).ConfigureAwait(false);
            }

            if (string.IsNullOrEmpty(version))
            {
                await UnloadAsync(model => !chosen.Any(file => file.Number == model.Number), cancellationToken)
                    .ConfigureAwait(false);
            }

            if (failure is not null)
            {
                throw failure;
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Unloads one version or all, and keeps files that change from loading them again.</summary>
    /// <exception cref="InferenceException">There is no such version.</exception>
    public async Task UnloadAsync(string? version, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            bool all = string.IsNullOrEmpty(version);
            if (!all && Find(version) is null)
            {
                throw new InferenceException(
                    InferenceFailure.NotFound, $"Model '{Name}' has no version {Formats.Quote.Text(version!)}.");
            }

            foreach (ServedModel model in Versions.Where(model => all || model.Version == version))
            {
                model.IsHeldBack = true;
            }

            await UnloadAsync(model => all || model.Version == version, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>
    /// Looks whether files have changed, and loads what has been the same for two looks: a file that is being written is left
    /// alone.
    /// </summary>
    /// <returns>Whether there was something to do.</returns>
    public async Task<bool> RefreshAsync(CancellationToken cancellationToken)
    {
        if (_isClosed || !await _gate.WaitAsync(0, cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        try
        {
            if (_isClosed || TryScan() is not { } files)
            {
                return false;
            }

            Note(files);
            bool changed = false;
            foreach (VersionFile file in files.Where(file => file.IsWanted).OrderByDescending(file => file.Number))
            {
                bool isStable = _seen.TryGetValue(file.Number, out string? seen) && seen == file.Stamp;
                _seen[file.Number] = file.Stamp;
                if (isStable && Find(Text(file.Number)) is { IsHeldBack: false } model && model.Stamp != file.Stamp)
                {
                    changed = true;
                    await LoadAsync(file, cancellationToken).ConfigureAwait(false);
                }
            }

            // Versions that are gone or wanted no more go when what takes their place answers, and never the last one: a folder
            // that cannot be read for a while must not end a service.
            bool OthersAnswer(ServedModel model) => files.Any(file => file.IsWanted && file.Number != model.Number
                && Find(Text(file.Number)) is { IsReady: true });
            changed |= await UnloadAsync(
                model => !files.Any(file => file.IsWanted && file.Number == model.Number) && OthersAnswer(model),
                cancellationToken).ConfigureAwait(false);
            return changed;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Unloads all; calls that are begun when the token fires are ended.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            _isClosed = true;
            foreach (ServedModel model in Versions)
            {
                if (model.Current is not null)
                {
                    model.Set(ModelState.Unloading, "the service is shutting down");
                    await EndAsync(model.Swap(null), cancellationToken).ConfigureAwait(false);
                    model.Set(ModelState.Unloaded, "the service has shut down");
                }
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();

    private static bool Chooses(string? version, VersionFile file) =>
        string.IsNullOrEmpty(version) ? file.IsWanted : Text(file.Number) == version;

    private static string Text(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private IReadOnlyList<VersionFile> ScanOrThrow()
    {
        try
        {
            return source.Scan();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            parts.Log.CannotRead(Name, exception);
            throw new InferenceException(
                InferenceFailure.NotReady, $"Model '{Name}': {LoadFailure.Describe(exception, "")}.", exception);
        }
    }

    private IReadOnlyList<VersionFile>? TryScan()
    {
        try
        {
            return source.Scan();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            parts.Log.CannotRead(Name, exception);
            return null;
        }
    }

    /// <summary>Keeps the versions that are there or loaded.</summary>
    private void Note(IReadOnlyList<VersionFile> files)
    {
        ServedModel[] versions = _versions;
        IEnumerable<ServedModel> kept = versions.Where(
            model => model.Current is not null || files.Any(file => file.Number == model.Number));
        IEnumerable<ServedModel> added = files.Where(file => !Array.Exists(versions, model => model.Number == file.Number))
            .Select(file => new ServedModel(Name, file.Number, parts.Time, parts.Telemetry));
        Volatile.Write(ref _versions, [.. kept.Concat(added).OrderByDescending(model => model.Number)]);
    }

    /// <summary>Loads a version, warms it up and puts it in the place of the present one; null, or why that failed.</summary>
    private async Task<InferenceException?> LoadAsync(VersionFile file, CancellationToken cancellationToken)
    {
        ServedModel model = Find(Text(file.Number))!;
        model.IsHeldBack = false;
        LoadedModel? before = model.Current;
        if (before is null)
        {
            model.ResetCounters();
            model.Set(ModelState.Loading, "being loaded");
        }

        long start = parts.Time.GetTimestamp();
        LoadedModel? loaded = null;
        try
        {
            parts.Log.Loading(Name, model.Version);
            loaded = await Task.Run(() => Make(model, file, before), cancellationToken).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }
        catch (Exception exception)
        {
            if (loaded is not null)
            {
                await loaded.RetireAsync().ConfigureAwait(false);
            }

            if (exception is OperationCanceledException && cancellationToken.IsCancellationRequested)
            {
                if (before is null)
                {
                    model.Set(ModelState.Unloaded, "loading was cancelled");
                }

                throw;
            }

            // Not tried again before the file changes once more.
            model.Stamp = file.Stamp;
            parts.Telemetry.ModelLoaded(Name, model.Version, parts.Time.GetElapsedTime(start), exception);
            return Failed(model, before, LoadFailure.Describe(exception, file.Path), exception);
        }

        model.Stamp = file.Stamp;
        model.Swap(loaded);
        model.Set(ModelState.Ready);
        TimeSpan duration = parts.Time.GetElapsedTime(start);
        parts.Telemetry.ModelLoaded(Name, model.Version, duration);
        parts.Log.Ready(Name, model.Version, loaded.Engine.Platform, (long)duration.TotalMilliseconds);
        if (before is not null)
        {
            await EndAsync(before, CancellationToken.None).ConfigureAwait(false);
            parts.Log.Drained(Name, model.Version);
        }

        return null;
    }

    private InferenceException Failed(ServedModel model, LoadedModel? before, string reason, Exception exception)
    {
        if (before is null)
        {
            model.Set(ModelState.Failed, reason);
            parts.Log.LoadFailed(Name, model.Version, reason, exception);
        }
        else
        {
            parts.Log.ReloadFailed(Name, model.Version, reason, exception);
        }

        return new InferenceException(
            InferenceFailure.NotReady, $"Model '{Name}', version {model.Version}, could not be loaded: {reason}.", exception);
    }

    private LoadedModel Make(ServedModel model, VersionFile file, LoadedModel? before)
    {
        ServingSettings settings = source.Settings();
        IModelEngine engine = parts.Loader.Load(Name, file.Path, source.Factory, settings);
        LoadedModel loaded;
        try
        {
            loaded = new LoadedModel(Name, model.Version, engine, settings, model.Counters, parts.Buffers, parts.Time,
                parts.Telemetry.Of(Name, model.Version))
            {
                Drift = DriftMonitor.Find(Name, model.Version, file.Path, settings, engine.Inputs, parts.Time, parts.Log.Logger),
            };
        }
        catch
        {
            engine.Dispose();
            throw;
        }

        try
        {
            WarmUp.Run(loaded, before?.RecentShapes ?? [], parts.Log);
            return loaded;
        }
        catch
        {
            loaded.Release();
            throw;
        }
    }

    private async Task<bool> UnloadAsync(Func<ServedModel, bool> choose, CancellationToken cancellationToken)
    {
        bool any = false;
        foreach (ServedModel model in Versions.Where(choose))
        {
            if (model.Current is null)
            {
                model.Set(ModelState.Unloaded, "not loaded");
                continue;
            }

            any = true;
            model.Set(ModelState.Unloading, "being unloaded");
            Task ending = EndAsync(model.Swap(null), CancellationToken.None);
            model.Stamp = "";
            try
            {
                await ending.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                model.Set(ModelState.Unloaded, "unloaded");
                parts.Log.Unloaded(Name, model.Version);
            }
        }

        return any;
    }

    /// <summary>Waits for the last calls of a model that nobody can begin any more, for a while, and frees it.</summary>
    private async Task EndAsync(LoadedModel? model, CancellationToken cancellationToken)
    {
        if (model is null)
        {
            return;
        }

        try
        {
            await model.RetireAsync().WaitAsync(parts.DrainTimeout, parts.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            parts.Log.CallsLeft(Name, model.Version);
            await model.CloseAsync().ConfigureAwait(false);
        }

        CollectSoon();
    }

    /// <summary>
    /// Has the collector take what a model left, once nothing here refers to it any more. It is old by then, and a service that
    /// allocates nothing for its requests hardly ever collects what is old: it would grow with every reload for minutes.
    /// </summary>
    private static void CollectSoon() => ThreadPool.UnsafeQueueUserWorkItem(
        static _ => GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false), null);
}
