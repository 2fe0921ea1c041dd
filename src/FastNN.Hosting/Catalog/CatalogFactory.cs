using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FastNN.Hosting;

/// <summary>Makes the catalog of options.</summary>
internal static class CatalogFactory
{
    /// <summary>The catalog of a service, with nothing loaded.</summary>
    public static ModelCatalog Create(IServiceProvider services)
    {
        FastNNOptions options = services.GetRequiredService<IOptions<FastNNOptions>>().Value;
        CatalogLog log = Log(services);
        string root = Root(services);
        var buffers = new BufferPool();
        var defaults = new ServingSettings
        {
            Batching = ServingRules.Copy(options.Batching),
            MaxRows = options.MaxExamples,
            CallTimeout = options.CallTimeout,
        };
        var parts = new CatalogParts(
            new ModelLoader(services.GetRequiredService<ServedDevice>().Get, buffers), buffers,
            services.GetRequiredService<TimeProvider>(), log, services.GetRequiredService<ServingTelemetry>(),
            options.DrainTimeout);
        ModelFolder? folder = options.Folder is { Length: > 0 } path
            ? new ModelFolder(Path.GetFullPath(path, root), defaults, log)
            : null;
        return new ModelCatalog(
            options.Models.Select(model => Source(model.Key, model.Value, defaults, root, options.RequireModels)), folder, parts);
    }

    /// <summary>What models' files are relative to.</summary>
    public static string Root(IServiceProvider services) =>
        services.GetService<IHostEnvironment>()?.ContentRootPath ?? Directory.GetCurrentDirectory();

    /// <summary>What is told of models that are loaded.</summary>
    public static CatalogLog Log(IServiceProvider services) =>
        new(services.GetRequiredService<ILoggerFactory>().CreateLogger("FastNN.Hosting"));

    private static FileModelSource Source(
        string name, ModelOptions model, ServingSettings defaults, string root, bool isRequired) => new()
        {
            Name = name,
            File = Path.GetFullPath(model.File!, root),
            Factory = model.GetFactory(),
            IsRequired = isRequired,
            Serving = defaults with
            {
                Batching = model.Batching is { } batching ? ServingRules.Copy(batching) : defaults.Batching,
                MaxRows = model.MaxExamples ?? defaults.MaxRows,
                CallTimeout = model.CallTimeout ?? defaults.CallTimeout,
                Labels = [.. model.Labels],
                TrainedOn = model.GetStatistics(),
                WarmUp = model.WarmUp,
                WarmUpDimensions = new Dictionary<string, int[]>(model.WarmUpDimensions, StringComparer.Ordinal),
            },
        };
}
