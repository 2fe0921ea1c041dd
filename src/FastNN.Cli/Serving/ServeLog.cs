using System.Globalization;
using Microsoft.Extensions.Logging;

namespace FastNN.Cli.Serving;

/// <summary>
/// The server's log: a line of text each, to standard error. While models load, what the catalog tells of them goes to the
/// display instead.
/// </summary>
internal sealed class ServeLog(TextWriter error) : ILoggerProvider
{
    private const string Catalog = "FastNN.Hosting";

    // That the service has started and that it stops: the command says so itself.
    private const int Serving = 13;
    private const int Stopping = 14;

    private readonly Lock _lock = new();

    /// <summary>
    /// Is told by name and version which model is ready or failed, and its milliseconds; null when the server runs.
    /// </summary>
    public Action<string, string, long?>? Progress { get; set; }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private void Write(string category, LogLevel level, EventId id, object? state, string text, Exception? exception)
    {
        if (category == Catalog && id.Id is Serving or Stopping)
        {
            return;
        }

        if (category == Catalog && Progress is { } progress && state is IReadOnlyList<KeyValuePair<string, object?>> values
            && Find(values, "Model") is string model && Find(values, "Version") is string version)
        {
            if (level == LogLevel.Error || Find(values, "Milliseconds") is not null)
            {
                progress(model, version, Find(values, "Milliseconds") as long?);
            }

            if (level != LogLevel.Warning)
            {
                return;
            }
        }

        string name = level switch
        {
            LogLevel.Critical or LogLevel.Error => "error",
            LogLevel.Warning => "warning",
            _ => "info",
        };
        // The catalog's own messages have the reason; of others the whole failure is told, for the log is the one place that has
        // it.
        string line = string.Create(
            CultureInfo.InvariantCulture, $"{DateTimeOffset.UtcNow:yyyy-MM-ddTHH:mm:ss.fffZ} {name}: {text}");
        lock (_lock)
        {
            try
            {
                error.WriteLine(exception is null || category == Catalog ? line : $"{line}{Environment.NewLine}{exception}");
                error.Flush();
            }
            catch (Exception failure) when (failure is IOException or ObjectDisposedException)
            {
                // The terminal is gone; the server is not.
            }
        }
    }

    private static object? Find(IReadOnlyList<KeyValuePair<string, object?>> values, string name)
    {
        foreach (KeyValuePair<string, object?> value in values)
        {
            if (value.Key == name)
            {
                return value.Value;
            }
        }

        return null;
    }

    private sealed class Logger(ServeLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Write(category, logLevel, eventId, state, formatter(state, exception), exception);
    }
}

/// <summary>What the command itself tells the log.</summary>
internal static partial class ServeMessages
{
    [LoggerMessage(1, LogLevel.Error, "The changed TLS files cannot be used; the certificate from before stays: {Reason}")]
    public static partial void LogCertificateKept(this ILogger logger, string reason);
}
