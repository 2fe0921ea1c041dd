
namespace FastNN.Hosting.Tests.Telemetry;

/// <summary>A catalog of which a test says what it lists; it has no model to call.</summary>
internal sealed class StillCatalog : IModelCatalog
{
    public IReadOnlyList<ModelStatus> Models { get; set; } = [];

    public bool IsReady => Models.All(model => model.State is ModelState.Ready or ModelState.Unloaded);

    public IReadOnlyList<ModelStatus> List() => Models;

    public bool TryGet(
        string name, string? version, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IModel? model)
    {
        model = null;
        return false;
    }

    public IModel Find(string name, string? version) =>
        throw new InferenceException(InferenceFailure.NotFound, $"There is no model '{name}'.");

    public Task LoadAsync(string name, string? version = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public Task UnloadAsync(string name, string? version = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public IReadOnlyList<ModelStatistics> Statistics(string? name = null, string? version = null) => [];
}
