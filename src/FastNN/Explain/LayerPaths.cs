using FastNN.Layers;

namespace FastNN.Explain;

/// <summary>Finds layers by the paths that parameter names begin with.</summary>
internal static class LayerPaths
{
    private const int MostNamed = 40;

    /// <summary>The layer at a path.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">As in parameter names: "features.3".</param>
    /// <param name="what">Who asks, for the message.</param>
    /// <exception cref="ArgumentException">No layer has this path.</exception>
    public static Layer Find(Layer model, string path, string what)
    {
        ArgumentNullException.ThrowIfNull(path);
        var paths = new List<string>();
        foreach ((string name, Layer layer) in LayerTree.Layers(model))
        {
            if (name == path && path.Length > 0)
            {
                return layer;
            }

            if (name.Length > 0)
            {
                paths.Add(name);
            }
        }

        string more = paths.Count > MostNamed ? $" and {paths.Count - MostNamed} more" : "";
        throw new ArgumentException(
            $"{what}: there is no layer '{path}'; the layers are {string.Join(", ", paths.Take(MostNamed))}{more}.", nameof(path));
    }

    /// <summary>The first path of every layer.</summary>
    public static Dictionary<object, string> Of(Layer model)
    {
        var paths = new Dictionary<object, string>(ReferenceEqualityComparer.Instance);
        foreach ((string path, Layer layer) in LayerTree.Layers(model))
        {
            paths.TryAdd(layer, path);
        }

        return paths;
    }
}
