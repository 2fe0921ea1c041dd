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
    private int _moves;
    private string? _lost;

    /// <summary>A parameter without values yet; the model's seed gives them when it is built.</summary>
    /// <param name="name">Its own name, such as "weight"; models put their layers' names in front of it.</param>
    /// <param name="shape">Its shape inside the engine: dense weights [in, out], filters [KH, KW, C / groups, OC].</param>
    /// <param name="initializer">What its first values are drawn from.</param>
    /// <param name="layout">How files order its elements.</param>
    /// <exception cref="ShapeException">The shape has more elements than an array can hold.</exception>
    public Parameter(string name, Shape shape, Initializer initializer, ParameterLayout? layout = null)
    {
        ArgumentNullException.ThrowIfNull(initializer);

        // The values live in one array of the host.
        shape.RequireAtMost(Array.MaxLength, $"Parameter {name}");
        Name = name;
        Shape = shape;
        _initializer = initializer;
        Layout = layout ?? ParameterLayout.AsIs;
    }

    /// <summary>Its own name, such as "weight"; its name in a model is among the model's named parameters.</summary>
    public string Name { get; }

    /// <summary>Its shape inside the engine.</summary>
    public Shape Shape { get; }

    /// <summary>How files order its elements.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>
    /// Whether training changes it; default true, and false for a buffer. May be changed between steps: the next step is planned
    /// anew, optimizers start with a state of zero for what is trained from then on, and what is frozen stays as it is.
    /// </summary>
    /// <exception cref="InvalidOperationException">A buffer cannot be trained.</exception>
    public bool IsTrainable
    {
        get;
        set =>
            field = !value || !IsBuffer
                ? value
                : throw new InvalidOperationException($"Parameter {Name}: a buffer cannot be trained; make it a parameter.");
    } = true;

    /// <summary>
    /// Whether it is state that training steps write but no optimizer trains, such as running statistics. Saved, restored and
    /// kept with the parameters.
    /// </summary>
    public bool IsBuffer
    {
        get;
        internal init
        {
            (field, IsTrainable) = (value, !value);
        }
    }

    /// <summary>
    /// Whether it is memory that sessions write between their runs: it begins as zeros, is never frozen, and the operator that
    /// changes it does so in place.
    /// </summary>
    internal bool IsCache { get; init; }

    /// <summary>
    /// Whether it is memory that is written between runs of a session and that runs leave as it is: it begins as zeros and is
    /// never frozen.
    /// </summary>
    internal bool IsHeld { get; init; }

    /// <summary>The number of elements.</summary>
    public long Count => Shape.Count;

    /// <summary>What its first values are drawn from.</summary>
    internal Initializer Initializer => _initializer;

    internal bool IsOnDevice => Volatile.Read(ref _store) is not null;

    internal ParameterStore? Store => Volatile.Read(ref _store);

    internal bool IsInitialized => _host is not null || IsOnDevice || _lost is not null;

    /// <summary>Copies the values out, in the engine's order.</summary>
    /// <param name="destination">At least <see cref="Count"/> numbers.</param>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    /// <exception cref="InvalidOperationException">The model was not built yet, or the values were lost with a device that
    /// failed.</exception>
    /// <exception cref="ConcurrentUseException">Another thread is training the model.</exception>
    public void Read(Span<float> destination)
    {
        Check(destination.Length);
        destination = destination[..(int)Count];

        // The values may leave the device between two of these lines; they are on the host then.
        while (Volatile.Read(ref _store) is { } store)
        {
            if (store.TryRead(this, destination))
            {
                return;
            }
        }

        RequireHost().CopyTo(destination);
    }

    /// <summary>Replaces the values, in the engine's order.</summary>
    /// <param name="source">Exactly <see cref="Count"/> numbers.</param>
    /// <exception cref="ArgumentException">The length is wrong.</exception>
    /// <exception cref="ConcurrentUseException">Another thread is training the model.</exception>
    public void Write(ReadOnlySpan<float> source)
    {
        if (source.Length != Count)
        {
            throw new ShapeException($"Parameter {Name}: expected {Count} values for {Shape}, got {source.Length}.");
        }

        while (Volatile.Read(ref _store) is { } store)
        {
            if (store.TryWrite(this, source))
            {
                return;
            }
        }

        (_host, _lost) = (source.ToArray(), null);
    }

    /// <summary>Replaces the values by an array that nobody else keeps, without a copy where they live on the host.</summary>
    internal void Adopt(float[] values)
    {
        if (!IsOnDevice && values.Length == Count)
        {
            (_host, _lost) = (values, null);
        }
        else
        {
            Write(values);
        }
    }

    /// <summary>As in <c>weight Float32[784, 10]</c>.</summary>
    public override string ToString() => $"{Name} {new TensorType(Shape)}{(IsTrainable ? "" : ", frozen")}";

    /// <summary>Draws the first values, unless there are some.</summary>
    internal void Initialize(ulong seed, uint stream)
    {
        if (!IsInitialized)
        {
            _host = Draw(seed, stream);
        }
    }

    /// <summary>Draws first values in place of the present ones.</summary>
    internal void Reinitialize(ulong seed, uint stream) => Adopt(Draw(seed, stream));

    private float[] Draw(ulong seed, uint stream)
    {
        var values = new float[checked((int)Count)];
        _initializer.Fill(values, Shape, seed, stream);
        return values;
    }

    /// <summary>The values on the host.</summary>
    /// <exception cref="InvalidOperationException">There are none.</exception>
    internal float[] RequireHost() => _host ?? throw new InvalidOperationException(
        _lost is null
            ? $"Parameter {Name}: it has no values before its model is built."
            : $"Parameter {Name}: its values were lost with the device they were on ({_lost}); load the model's weights from a file, or build a new model.");

    /// <summary>
    /// Whether the values now belong to this store; false where another has them. They stay on the host until
    /// <see cref="DropHost"/>.
    /// </summary>
    internal bool TryClaim(ParameterStore store)
    {
        bool claimed = Interlocked.CompareExchange(ref _store, store, null) is null;
        if (claimed)
        {
            Interlocked.Increment(ref _moves);
        }

        return claimed;
    }

    /// <summary>
    /// How often the values went to a store or came back: values that are read while it stays the same are of one place.
    /// </summary>
    internal int Moves => Volatile.Read(ref _moves);

    internal bool BelongsTo(ParameterStore store) => Volatile.Read(ref _store) == store;

    /// <summary>The store has the values.</summary>
    internal void DropHost() => _host = null;

    /// <summary>The store does not have the values after all.</summary>
    internal void Unclaim() => Volatile.Write(ref _store, null);

    /// <summary>The store no longer has the values.</summary>
    /// <param name="values">Its last, or null where they are lost.</param>
    /// <param name="lost">Why, or null.</param>
    internal void Release(float[]? values, string? lost = null)
    {
        (_host, _lost) = (values, lost);
        Interlocked.Increment(ref _moves);
        Volatile.Write(ref _store, null);
    }

    private void Check(int length)
    {
        if (length < Count)
        {
            throw new ShapeException(
                $"Parameter {Name}: expected a destination of at least {Count} values for {Shape}, got {length}.");
        }
    }
}
