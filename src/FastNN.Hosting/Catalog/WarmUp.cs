namespace FastNN.Hosting;

/// <summary>First runs of a model, on zeros, before it takes calls: plans, memory and packed weights are made.</summary>
internal static class WarmUp
{
    /// <summary>
    /// Computes the shapes that the model before met, or, without one, those that the signature leaves no doubt about.
    /// </summary>
    /// <exception cref="InferenceException">The model does not compute them.</exception>
    public static void Run(LoadedModel model, IReadOnlyList<int[][]> recent, CatalogLog log)
    {
        if (!model.Settings.WarmUp)
        {
            if (model.Invariant is not null)
            {
                log.NotInvariant(model.Name, model.Version, "it is not warmed up, which would try it");
            }

            return;
        }

        // The largest first, so that memory is taken once.
        int most = Math.Min(model.Settings.Batching.MaxBatch, model.MaxRows);
        most = model.Invariant is null ? most : Math.Min(most, InvariantRows.MostRows);
        int[] batches = model.Engine.IsBatchable ? Batches(most) : [1];
        foreach (int batch in batches)
        {
            if (Shapes(model, batch, log) is not { } shapes)
            {
                break;
            }

            model.WarmUp(shapes);
        }

        foreach (int[][] shapes in recent.Where(shapes => Fits(model, shapes)))
        {
            model.WarmUp(shapes);
        }

        TryInvariance(model, log);
    }

    /// <summary>Tries whether answers of shapes that were warmed up depend on what is computed with them.</summary>
    private static void TryInvariance(LoadedModel model, CatalogLog log)
    {
        if (model.Invariant is not { } invariant || model.Settings.Batching.MaxBatch == 1 || model.MaxRows == 1)
        {
            return;
        }

        if (invariant.HasTexts)
        {
            log.NotInvariant(model.Name, model.Version, "texts cannot be made up, to try it");
            return;
        }

        int[][][] usual = [.. model.RecentShapes.DistinctBy(Row, StringComparer.Ordinal)];
        if (usual.Length == 0)
        {
            log.NotInvariant(model.Name, model.Version, "it is not known what shapes are usual, to try them");
        }

        foreach (int[][] shapes in usual)
        {
            try
            {
                if (!invariant.Try(shapes))
                {
                    log.NotInvariant(model.Name, model.Version, $"the answer depends on the batch, for examples {Row(shapes)}");
                }
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                log.NotInvariant(
                    model.Name, model.Version, $"it does not compute random examples {Row(shapes)}: {exception.Message}");
            }
        }
    }

    /// <summary>The shapes of one example.</summary>
    private static string Row(int[][] shapes) => string.Join(", ", shapes.Select(shape => InputRules.Text(shape.AsSpan(1))));

    private static int[] Batches(int most)
    {
        List<int> batches = [most];
        for (int batch = 1 << 30; batch > 0; batch >>= 1)
        {
            if (batch < most)
            {
                batches.Add(batch);
            }
        }

        return [.. batches];
    }

    /// <summary>The shapes of all inputs for so many examples; null where the signature leaves one open.</summary>
    private static int[][]? Shapes(LoadedModel model, int batch, CatalogLog log)
    {
        var shapes = new int[model.Engine.Inputs.Count][];
        for (int i = 0; i < shapes.Length; i++)
        {
            ModelTensor input = model.Engine.Inputs[i];
            int[] dimensions = model.Settings.WarmUpDimensions.TryGetValue(input.Name, out int[]? given)
                ? [.. given] : [.. input.Dimensions];
            if (dimensions.Length > 0 && (model.Engine.IsBatchable || dimensions[0] < 0))
            {
                dimensions[0] = batch;
            }

            if (dimensions.Length != input.Dimensions.Count || Array.Exists(dimensions, extent => extent < 0))
            {
                log.NotWarm(model.Name, model.Version, input.Name);
                return null;
            }

            shapes[i] = dimensions;
        }

        return shapes;
    }

    private static bool Fits(LoadedModel model, int[][] shapes) => shapes.Length == model.Engine.Inputs.Count
        && model.Engine.Inputs.Zip(shapes).All(pair => pair.First.Dimensions.Count == pair.Second.Length
            && pair.First.Dimensions.Zip(pair.Second).All(extents => extents.First < 0 || extents.First == extents.Second));
}
