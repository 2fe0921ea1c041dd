namespace FastNN.Hosting;

/// <summary>What all models of a catalog share.</summary>
/// <param name="Loader">Makes engines of files.</param>
/// <param name="Buffers">Where calls' tensors come from.</param>
/// <param name="Time">The clock.</param>
/// <param name="Log">Where it is told what happens.</param>
/// <param name="Telemetry">Is told what models do.</param>
/// <param name="DrainTimeout">How long a model that is unloaded waits for calls that were begun.</param>
internal sealed record CatalogParts(
    ModelLoader Loader, BufferPool Buffers, TimeProvider Time, CatalogLog Log, ServingTelemetry Telemetry, TimeSpan DrainTimeout);
