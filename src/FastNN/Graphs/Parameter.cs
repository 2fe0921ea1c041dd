using System.Runtime.InteropServices;
using FastNN.Graphs;

namespace FastNN;

/// <summary>
/// A trainable tensor of a layer. Its values live on the host until a trainer takes them to its device; reading and writing
/// reach them wherever they are.
/// </summary>
public sealed class Parameter
{
    private readonly Initializer _initializer;
    private float[]? _host;
    private ParameterStore? _store;

    /// <summary>A parameter without values yet; the model's seed gives them when it is built.</summary>
    /// <param name="name">Its own name, such as "weight"; models put their layers' names in front.</param>
    /// <param name="shape">Its shape inside the engine: dense weights [in, out], filters [KH, KW, C / groups, OC].</param>
    /// <param name="initializer">What its first values are drawn from.</param>
    /// <param name="layout">How files order its elements.</param>
    /// <exception cref="ShapeException">The shape has more elements than an array can hold.</exception>
    public Parameter(string name, Shape shape, Initializer initializer, ParameterLayout? layout = null)
    {
        // The values live in one array of the host.
        shape.RequireAtMost(Array.MaxLength, $"Parameter {name}");
        Name = name;
        Shape = shape;
        _initializer = initializer;
        Layout = layout ?? ParameterLayout.AsIs;
    }

    /// <summary>Its name within its model, as PyTorch would name it: "conv1.weight".</summary>
    public string Name { get; internal set; }

    /// <summary>Its shape inside the engine.</summary>
    public Shape Shape { get; }

    /// <summary>How files order its elements.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>
    /// Whether training changes it; default true. Set before the first training step (transfer learning freezes layers).
    /// </summary>
    public bool IsTrainable { get; set; } = true;

    /// <summary>The number of elements.</summary>
    public long Count => Shape.Count;

    internal bool IsOnDevice => _store is not null;

    internal bool IsInitialized => _host is not null || _store is not null;

    /// <summary>Copies the values out, in the engine's order.</summary>
    /// <param name="destination">At least <see cref="Count"/> numbers.</param>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    /// <exception cref="InvalidOperationException">The model was not built yet.</exception>
    public void Read(Span<float> destination)
    {
        Check(destination.Length);
        destination = destination[..(int)Count];
        if (_store is { } store)
        {
            store.Device.Download(store.Value(this), MemoryMarshal.AsBytes(destination));
            return;
        }

        (_host ?? throw new InvalidOperationException($"Parameter {Name}: it has no values before its model is built.")).CopyTo(destination);
    }

    /// <summary>Replaces the values, in the engine's order.</summary>
    /// <param name="source">Exactly <see cref="Count"/> numbers.</param>
    /// <exception cref="ArgumentException">The length is wrong.</exception>
    public void Write(ReadOnlySpan<float> source)
    {
        if (source.Length != Count)
        {
            throw new ShapeException($"Parameter {Name}: {source.Length} values given, {Shape} holds {Count}.");
        }

        if (_store is { } store)
        {
            store.Device.Upload(MemoryMarshal.AsBytes(source), store.Value(this));
            return;
        }

        _host = source.ToArray();
    }

    /// <summary>Replaces the values by an array that nobody else keeps, without a copy where they live on the host.</summary>
    internal void Adopt(float[] values)
    {
        if (_store is null && values.Length == Count)
        {
            _host = values;
        }
        else
        {
            Write(values);
        }
    }

    /// <summary>Draws the first values, unless there are some.</summary>
    internal void Initialize(ulong seed, uint stream)
    {
        if (!IsInitialized)
        {
            var values = new float[checked((int)Count)];
            _initializer.Fill(values, Shape, seed, stream);
            _host = values;
        }
    }

    /// <summary>From now on the values live in a store.</summary>
    internal void MoveTo(ParameterStore store)
    {
        var values = new float[checked((int)Count)];
        Read(values);
        store.Device.Upload(MemoryMarshal.AsBytes<float>(values), store.Value(this));
        (_store, _host) = (store, null);
    }

    /// <summary>Brings the values back to the host.</summary>
    internal void MoveToHost()
    {
        var values = new float[checked((int)Count)];
        Read(values);
        (_store, _host) = (null, values);
    }

    private void Check(int length)
    {
        if (length < Count)
        {
            throw new ShapeException($"Parameter {Name}: a destination of {length} is too short for {Shape}, {Count} values.");
        }
    }
}
