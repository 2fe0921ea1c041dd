namespace FastNN.Hosting;

/// <summary>A model by its name: the highest version that is ready at each moment.</summary>
/// <param name="catalog">Where it is.</param>
/// <param name="name">Its name.</param>
internal sealed class NamedModel(ModelCatalog catalog, string name) : IModel
{
    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public string Version => Current.Version;

    /// <inheritdoc/>
    public string Platform => Current.Platform;

    /// <inheritdoc/>
    public IReadOnlyList<ModelTensor> Inputs => Current.Inputs;

    /// <inheritdoc/>
    public IReadOnlyList<ModelTensor> Outputs => Current.Outputs;

    /// <inheritdoc/>
    public int MaxBatch => Current.MaxBatch;

    /// <summary>The version that answers now.</summary>
    internal ServedModel Current => (ServedModel)catalog.Find(name, null);

    /// <inheritdoc/>
    public ModelCall Begin()
    {
        ServedModel model;
        try
        {
            model = Current;
        }
        catch (InferenceException refusal)
        {
            catalog.Telemetry.CallRefused(refusal.Failure);
            throw;
        }

        return model.Begin();
    }
}
