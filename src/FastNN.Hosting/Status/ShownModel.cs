namespace FastNN.Hosting.StatusPages;

/// <summary>A version of a model as the page shows it.</summary>
/// <param name="Status">Its name, version and state.</param>
/// <param name="Platform">What it was read from; empty where it is not ready.</param>
/// <param name="Inputs">What goes in; empty where it is not ready.</param>
/// <param name="Outputs">What comes out; empty where it is not ready.</param>
internal sealed record ShownModel(
    ModelStatus Status, string Platform, IReadOnlyList<ModelTensor> Inputs, IReadOnlyList<ModelTensor> Outputs)
{
    /// <summary>All versions of all models.</summary>
    public static IReadOnlyList<ShownModel> All(IModelCatalog catalog) =>
        [.. catalog.List().Select(status => Of(catalog, status))];

    /// <summary>A number that changes when what is shown does, apart from counts.</summary>
    public static int Revision(IReadOnlyList<ShownModel> models)
    {
        var hash = default(HashCode);
        foreach (ShownModel model in models)
        {
            hash.Add(model.Status);
            hash.Add(model.Platform);
            foreach (ModelTensor tensor in model.Inputs.Concat(model.Outputs))
            {
                hash.Add(tensor.Name);
                hash.Add(tensor.DataType);
                foreach (int extent in tensor.Dimensions)
                {
                    hash.Add(extent);
                }

                foreach (string name in tensor.ClassNames)
                {
                    hash.Add(name);
                }
            }
        }

        return hash.ToHashCode();
    }

    private static ShownModel Of(IModelCatalog catalog, ModelStatus status)
    {
        try
        {
            if (status.State == ModelState.Ready && catalog.TryGet(status.Name, status.Version, out IModel? model))
            {
                return new ShownModel(status, model.Platform, model.Inputs, model.Outputs);
            }
        }
        catch (InferenceException)
        {
            // Unloaded between the two.
        }

        return new ShownModel(status, "", [], []);
    }
}
