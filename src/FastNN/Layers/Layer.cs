namespace FastNN;

/// <summary>
/// Parameters plus one <see cref="Apply"/>: a network is a layer made of layers. Parameters come to be when the layer first sees
/// an input's shape. Applying one layer object twice shares its weights.
/// </summary>
public abstract class Layer
{
    private readonly List<(string Name, Layer Layer)> _children = [];
    private readonly List<Parameter> _own = [];
    private bool _built;

    /// <summary>
    /// The layer's name in parameter names; null takes its place in its parent ("0", "1", ...), as PyTorch's Sequential does.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>Its parameters and those of its children, in the order of their making; empty before it is built.</summary>
    public IReadOnlyList<Parameter> Parameters => [.. State.Where(parameter => !parameter.IsBuffer)];

    /// <summary>
    /// Its buffers and those of its children: state that training steps write but no optimizer trains, such as running statistics.
    /// </summary>
    public IReadOnlyList<Parameter> Buffers => [.. State.Where(parameter => parameter.IsBuffer)];

    /// <summary>Parameters and buffers.</summary>
    internal IReadOnlyList<Parameter> State
    {
        get
        {
            var all = new List<Parameter>();
            Collect(all);
            return all;
        }
    }

    /// <summary>Whether training changes the layer; false freezes all its parameters. Set it on a built layer.</summary>
    public bool IsTrainable
    {
        get => Parameters.Any(parameter => parameter.IsTrainable);
        set
        {
            foreach (Parameter parameter in Parameters)
            {
                parameter.IsTrainable = value;
            }
        }
    }

    /// <summary>Whether the parameters exist.</summary>
    public bool IsBuilt => _built;

    /// <summary>
    /// The shape of one example that the model was built for, or null; set by <see cref="Build(Shape, ulong)"/>.
    /// </summary>
    public Shape? ExampleShape { get; private set; }

    /// <summary>Records the layer.</summary>
    /// <param name="x">Its input, batch axis first.</param>
    /// <returns>Its output.</returns>
    /// <exception cref="ShapeException">The input does not fit the layer, or the parameters made for an earlier
    /// input.</exception>
    public Value Apply(Value x)
    {
        try
        {
            if (!_built)
            {
                Build(x);
                _built = true;
            }

            return Forward(x);
        }
        catch (ShapeException exception)
        {
            // The innermost layer knows only itself; its name is known to the layers around it.
            object? left = exception.Left;
            exception.Leave(this, left is null ? null : _children.Find(child => child.Layer == left).Name);
            throw;
        }
    }

    /// <summary>
    /// Makes parameters for this input's shape and gives them their first values. Does nothing to a built model.
    /// </summary>
    /// <param name="example">The shape of one example, without the batch axis: [28, 28, 1].</param>
    /// <param name="seed">What the first values are drawn from; default 0.</param>
    /// <exception cref="ShapeException">The shape does not fit the layers.</exception>
    public void Build(Shape example, ulong seed = 0)
    {
        if (example.Count == 0)
        {
            throw new ShapeException($"Build: the shape of one example {example} has no elements; every extent must be positive.");
        }

        if (!_built)
        {
            Apply(new Graph(GraphMode.Inference).Input(example.Prepend(1)));
            NameParameters("");
        }

        ExampleShape ??= example;

        IReadOnlyList<Parameter> state = State;
        for (int i = 0; i < state.Count; i++)
        {
            state[i].Initialize(seed, (uint)i);
        }
    }

    /// <summary>
    /// Makes the parameters, with <see cref="AddParameter"/>; called once, before the first <see cref="Forward"/>.
    /// </summary>
    /// <param name="x">The first input.</param>
    protected virtual void Build(Value x)
    {
    }

    /// <summary>Records the layer's operators.</summary>
    /// <param name="x">Its input, batch axis first.</param>
    /// <returns>Its output.</returns>
    protected abstract Value Forward(Value x);

    /// <summary>Adds a parameter of this layer.</summary>
    /// <param name="name">Its name, such as "weight".</param>
    /// <param name="shape">Its shape inside the engine.</param>
    /// <param name="initializer">What its first values are drawn from.</param>
    /// <param name="layout">How files order it.</param>
    /// <returns>The parameter.</returns>
    protected Parameter AddParameter(string name, Shape shape, Initializer initializer, ParameterLayout? layout = null)
    {
        var parameter = new Parameter(name, shape, initializer, layout);
        _own.Add(parameter);
        return parameter;
    }

    /// <summary>Adds a buffer of this layer: saved and loaded as a parameter is, but not trained. A step writes it with <see cref="Graph.WriteBack"/>.</summary>
    /// <param name="name">Its name, such as "running_mean".</param>
    /// <param name="shape">Its shape inside the engine.</param>
    /// <param name="initializer">What its first values are drawn from.</param>
    /// <returns>The buffer.</returns>
    protected Parameter AddBuffer(string name, Shape shape, Initializer initializer)
    {
        var buffer = new Parameter(name, shape, initializer) { IsBuffer = true };
        _own.Add(buffer);
        return buffer;
    }

    /// <summary>Adds a child, so that its parameters belong to this layer.</summary>
    /// <typeparam name="T">The child's type.</typeparam>
    /// <param name="layer">The child.</param>
    /// <param name="name">Its name within this layer; default its own <see cref="Name"/>, else its place.</param>
    /// <returns>The child.</returns>
    protected T AddLayer<T>(T layer, string? name = null)
        where T : Layer
    {
        name ??= layer.Name ?? _children.Count.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (_children.Exists(child => child.Name == name))
        {
            throw new ArgumentException($"{GetType().Name}: two layers are named '{name}'.");
        }

        _children.Add((name, layer));
        return layer;
    }

    private void Collect(List<Parameter> all)
    {
        // A shared layer's parameters count once.
        all.AddRange(_own.Where(parameter => !all.Contains(parameter)));
        foreach ((_, Layer layer) in _children)
        {
            layer.Collect(all);
        }
    }

    private void NameParameters(string prefix)
    {
        foreach (Parameter parameter in _own)
        {
            parameter.Name = prefix + parameter.Name[(parameter.Name.LastIndexOf('.') + 1)..];
        }

        foreach ((string name, Layer layer) in _children)
        {
            layer.NameParameters($"{prefix}{name}.");
        }
    }
}
