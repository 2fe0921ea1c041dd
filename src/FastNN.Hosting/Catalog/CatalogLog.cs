using Microsoft.Extensions.Logging;

namespace FastNN.Hosting;

/// <summary>What the catalog tells the log.</summary>
/// <param name="logger">The log.</param>
internal sealed partial class CatalogLog(ILogger logger)
{
    private readonly ILogger _logger = logger;

    /// <summary>The log itself.</summary>
    public ILogger Logger => _logger;

    [LoggerMessage(1, LogLevel.Debug, "Model {Model}, version {Version}: loading")]
    public partial void Loading(string model, string version);

    [LoggerMessage(
        2, LogLevel.Information,
        "Model {Model}, version {Version}: ready ({Platform}), loaded and warmed up in {Milliseconds} ms")]
    public partial void Ready(string model, string version, string platform, long milliseconds);

    [LoggerMessage(3, LogLevel.Error, "Model {Model}, version {Version}: cannot be loaded: {Reason}")]
    public partial void LoadFailed(string model, string version, string reason, Exception exception);

    [LoggerMessage(
        4, LogLevel.Error,
        "Model {Model}, version {Version}: its file changed and cannot be loaded, so the model from before stays: {Reason}")]
    public partial void ReloadFailed(string model, string version, string reason, Exception exception);

    [LoggerMessage(
        5, LogLevel.Information,
        "Model {Model}, version {Version}: the calls of the model from before are done, and its memory is free")]
    public partial void Drained(string model, string version);

    [LoggerMessage(6, LogLevel.Information, "Model {Model}, version {Version}: unloaded")]
    public partial void Unloaded(string model, string version);

    [LoggerMessage(
        7, LogLevel.Warning,
        "Model {Model}, version {Version}: calls that were begun have not been disposed in time; the model is freed without them")]
    public partial void CallsLeft(string model, string version);

    [LoggerMessage(8, LogLevel.Warning, "Model {Model}: its files or settings cannot be read; what is loaded stays")]
    public partial void CannotRead(string model, Exception exception);

    [LoggerMessage(9, LogLevel.Warning, "The folder of models cannot be read; what is loaded stays")]
    public partial void CannotReadFolder(Exception exception);

    [LoggerMessage(10, LogLevel.Warning, "Folder {Folder} among the models is left out: {Reason}")]
    public partial void FolderRefused(string folder, string reason);

    [LoggerMessage(
        11, LogLevel.Information,
        "Model {Model}, version {Version}: not warmed up, because extents of input {Input} are open; set WarmUpDimensions for it")]
    public partial void NotWarm(string model, string version, string input);

    [LoggerMessage(12, LogLevel.Error, "Looking for changed models failed; it is tried again")]
    public partial void RefreshFailed(Exception exception);

    [LoggerMessage(13, LogLevel.Information, "Serving {Models} models on {Device}")]
    public partial void Serving(int models, string device);

    [LoggerMessage(14, LogLevel.Information, "Shutting down: no further calls, those that are begun are finished")]
    public partial void Stopping();

    [LoggerMessage(15, LogLevel.Error, "Model {Model}: nothing to load in {Location}")]
    public partial void NothingThere(string model, string location);

    [LoggerMessage(
        16, LogLevel.Warning,
        "Model {Model}, version {Version}: examples are computed one at a time, or whole calls alone, because BatchInvariant is set and {Reason}")]
    public partial void NotInvariant(string model, string version, string reason);
}
