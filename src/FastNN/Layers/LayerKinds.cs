using System.Collections.Concurrent;
using FastNN.Layers;

namespace FastNN;

/// <summary>
/// The kinds of layers that model files can name. All layers of the library are here; a layer of your own is registered once,
/// before files with it are saved or loaded, and notes what it was made with in <see cref="Layer.Describe"/>.
/// </summary>
public static class LayerKinds
{
    private static readonly ConcurrentDictionary<string,
    (Type Type, Func<LayerDescription, Layer> Create)> ByName = new(StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<Type, string> ByType = new();

    static LayerKinds() => BuiltInLayers.Register();

    /// <summary>Registers a kind of layer.</summary>
    /// <typeparam name="T">The layer.</typeparam>
    /// <param name="kind">What files call it.</param>
    /// <param name="create">Makes one as a file describes it; the name is in <see cref="LayerDescription.Name"/>.</param>
    /// <exception cref="ArgumentException">Another layer has this kind, or this layer another kind.</exception>
    public static void Register<T>(string kind, Func<LayerDescription, T> create)
        where T : Layer
    {
        ArgumentException.ThrowIfNullOrEmpty(kind);
        ArgumentNullException.ThrowIfNull(create);
        if (ByName.GetOrAdd(kind, (typeof(T), create)).Type != typeof(T) || ByType.GetOrAdd(typeof(T), kind) != kind)
        {
            throw new ArgumentException(
                $"LayerKinds: '{kind}' and {typeof(T).Name} are already registered, not for each other.", nameof(kind));
        }
    }

    /// <summary>The kind of a layer, or null where it is not registered.</summary>
    internal static string? Find(Layer layer) => ByType.GetValueOrDefault(layer.GetType());

    /// <summary>What makes layers of a kind, or null where it is not registered.</summary>
    internal static Func<LayerDescription, Layer>? Find(string kind) =>
        ByName.TryGetValue(kind, out (Type Type, Func<LayerDescription, Layer> Create) found) ? found.Create : null;
}
