namespace FastNN.Layers;

/// <summary>
/// Walks a model's layers without recursion, so that no nesting overflows a stack: parents first, children in their order.
/// </summary>
internal static class LayerTree
{
    /// <summary>All places of layers with their paths ("" for the model itself); a shared layer has several.</summary>
    /// <exception cref="InvalidOperationException">A layer is inside itself, or layers are nested too deep.</exception>
    public static IEnumerable<(string Path, Layer Layer)> Layers(Layer model)
    {
        var above = new List<(string Path, Layer Layer, int Next)> { ("", model, 0) };
        var onPath = new HashSet<Layer>(ReferenceEqualityComparer.Instance) { model };
        yield return ("", model);
        while (above.Count > 0)
        {
            (string path, Layer layer, int next) = above[^1];
            if (next == layer.Children.Count)
            {
                onPath.Remove(layer);
                above.RemoveAt(above.Count - 1);
                continue;
            }

            above[^1] = (path, layer, next + 1);
            (string name, Layer child) = layer.Children[next];
            string childPath = path.Length == 0 || name.Length == 0 ? path + name : $"{path}.{name}";
            if (!onPath.Add(child))
            {
                throw new InvalidOperationException($"Layer {childPath} ({child.GetType().Name}) is inside itself.");
            }

            if (above.Count >= Layer.MaxDepth)
            {
                throw new InvalidOperationException(
                    $"{model.GetType().Name}: expected layers nested at most {Layer.MaxDepth} deep, a {child.GetType().Name} lies deeper.");
            }

            yield return (childPath, child);
            above.Add((childPath, child, 0));
        }
    }

    /// <summary>All parameters, each once, under the path of its first place.</summary>
    /// <exception cref="InvalidOperationException">As for <see cref="Layers"/>, or two parameters have one name.</exception>
    public static List<NamedParameter> Parameters(Layer model)
    {
        var named = new List<NamedParameter>();
        var seen = new HashSet<Parameter>(ReferenceEqualityComparer.Instance);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string path, Layer layer) in Layers(model))
        {
            foreach (Parameter parameter in layer.Own)
            {
                if (!seen.Add(parameter))
                {
                    continue;
                }

                string name = path.Length == 0 ? parameter.Name : $"{path}.{parameter.Name}";
                if (!names.Add(name))
                {
                    throw new InvalidOperationException(
                        $"{model.GetType().Name}: two parameters are named '{name}'; give their layers other names.");
                }

                named.Add(new NamedParameter(name, parameter));
            }
        }

        return named;
    }

    /// <summary>Every name under which a parameter can be found, those of shared layers' further places included.</summary>
    public static IEnumerable<NamedParameter> Aliases(Layer model)
    {
        foreach ((string path, Layer layer) in Layers(model))
        {
            foreach (Parameter parameter in layer.Own)
            {
                yield return new NamedParameter(path.Length == 0 ? parameter.Name : $"{path}.{parameter.Name}", parameter);
            }
        }
    }
}
