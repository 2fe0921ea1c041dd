using System.Globalization;
using System.Runtime.CompilerServices;
using FastNN.Layers;

namespace FastNN;

/// <summary>
/// Parameters plus one <see cref="Apply(Value)"/>: a network is a layer made of layers. Parameters come to be when the layer
/// first sees an input's shape. Applying one layer object twice shares its weights, within a model and between models.
/// </summary>
public abstract class Layer
{
    /// <summary>
    /// How deep layers may lie in one another. Recording recurses through code of users, so it is far below what a thread's stack
    /// takes.
    /// </summary>
    internal const int MaxDepth = 500;

    private readonly List<(string Name, Layer Layer)> _children = [];
    private readonly HashSet<string> _childNames = new(StringComparer.Ordinal);
    private readonly List<Parameter> _own = [];
    private bool _built;
    private bool _isFrozen;

    /// <summary>
    /// The layer's name in parameter names; null takes its place in its parent ("0", "1", ...), as PyTorch's Sequential does.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>Its parameters and those of its children, in the order of their making; empty before it is built.</summary>
    /// <exception cref="InvalidOperationException">A layer is inside itself, or layers are nested too deep.</exception>
    public IReadOnlyList<Parameter> Parameters => [.. State.Where(parameter => !parameter.IsBuffer)];

    /// <summary>
    /// Its buffers and those of its children: state that training steps write but no optimizer trains, such as running
    /// statistics.
    /// </summary>
    public IReadOnlyList<Parameter> Buffers => [.. State.Where(parameter => parameter.IsBuffer)];

    /// <summary>Parameters and buffers, in the order of their making.</summary>
    internal IEnumerable<Parameter> State => LayerTree.Parameters(this).Select(named => named.Parameter);

    /// <summary>
    /// The parameters and buffers with their names in this model, as PyTorch would name them: "conv1.weight". Names belong to the
    /// model that is asked: a layer that is part of two models has a name in each. A shared parameter has the name of its first
    /// place.
    /// </summary>
    /// <exception cref="InvalidOperationException">A layer is inside itself, layers are nested too deep, or two parameters have
    /// one name.</exception>
    public IReadOnlyList<NamedParameter> NamedParameters => LayerTree.Parameters(this);

    /// <summary>
    /// Whether training changes the layer; false freezes all its parameters, those that it will get when it is built as well.
    /// </summary>
    public bool IsTrainable
    {
        get
        {
            IReadOnlyList<Parameter> parameters = Parameters;
            return parameters.Count == 0 ? !_isFrozen : parameters.Any(parameter => parameter.IsTrainable);
        }

        set
        {
            foreach ((_, Layer layer) in LayerTree.Layers(this))
            {
                layer._isFrozen = !value;
                foreach (Parameter parameter in layer._own.Where(parameter => !parameter.IsBuffer))
                {
                    parameter.IsTrainable = value;
                }
            }
        }
    }

    /// <summary>Whether the parameters exist.</summary>
    public bool IsBuilt => _built;

    /// <summary>
    /// The shape of one example that the model was built for, or null; set by <see cref="Build(Shape, ulong)"/>.
    /// </summary>
    public Shape? ExampleShape { get; private protected set; }

    /// <summary>The inputs that a built model takes; null where it was built only as a part of other models.</summary>
    internal virtual IReadOnlyList<ModelInput>? Signature =>
        ExampleShape is { } example ? [new ModelInput("input", example)] : null;

    /// <summary>The names of its outputs, in order.</summary>
    internal virtual IReadOnlyList<string> OutputNames => ["output"];

    internal IReadOnlyList<(string Name, Layer Layer)> Children => _children;

    internal IReadOnlyList<Parameter> Own => _own;

    /// <summary>Records the layer.</summary>
    /// <param name="x">Its input, batch axis first.</param>
    /// <returns>Its output.</returns>
    /// <exception cref="ShapeException">The input does not fit the layer, or the parameters made for an earlier
    /// input.</exception>
    /// <exception cref="InvalidOperationException">The layer has several outputs, or layers are nested too deep.</exception>
    public Value Apply(Value x)
    {
        ArgumentNullException.ThrowIfNull(x);
        IReadOnlyList<Value> outputs = Record([x]);
        return outputs.Count == 1
            ? outputs[0]
            : throw new InvalidOperationException($"{GetType().Name}: expected a layer with one output, it has {outputs.Count}.");
    }

    /// <summary>Records a layer of several inputs or outputs.</summary>
    /// <param name="inputs">Its inputs, batch axis first.</param>
    /// <returns>Its outputs.</returns>
    /// <exception cref="ShapeException">The inputs do not fit the layer.</exception>
    /// <exception cref="ArgumentException">The number of inputs is wrong.</exception>
    public IReadOnlyList<Value> Apply(params ReadOnlySpan<Value> inputs)
    {
        foreach (Value input in inputs)
        {
            ArgumentNullException.ThrowIfNull(input, nameof(inputs));
        }

        return Record(inputs);
    }

    /// <summary>Applies the layer while a <see cref="Model"/> is put together.</summary>
    /// <param name="x">Its input.</param>
    /// <returns>Its output; that of a layer with several outputs is the first, and its indexer has the others.</returns>
    /// <exception cref="ArgumentException">The layer takes another number of inputs.</exception>
    public Symbol Apply(Symbol x) => Symbol.Of(this, isOperator: false, x);

    /// <summary>Applies a layer of several inputs while a <see cref="Model"/> is put together.</summary>
    /// <param name="inputs">Its inputs.</param>
    /// <returns>Its output; that of a layer with several outputs is the first, and its indexer has the others.</returns>
    /// <exception cref="ArgumentException">The layer takes another number of inputs.</exception>
    public Symbol Apply(params ReadOnlySpan<Symbol> inputs) => Symbol.Of(this, isOperator: false, inputs);

    /// <summary>
    /// Makes parameters for this input's shape and gives them their first values. Does nothing to a built model.
    /// </summary>
    /// <param name="example">The shape of one example, without the batch axis: <c>[28, 28, 1]</c>.</param>
    /// <param name="seed">What the first values are drawn from; default 0.</param>
    /// <exception cref="ShapeException">The shape does not fit the layers.</exception>
    /// <exception cref="InvalidOperationException">A layer is inside itself, or layers are nested too deep.</exception>
    public virtual void Build(Shape example, ulong seed = 0)
    {
        if (!example.IsSymbolic && example.Count == 0)
        {
            throw new ShapeException(
                $"Build: the shape of one example {example} has no elements; every extent must be positive.");
        }

        if (example.Rank == Shape.MaxRank)
        {
            throw new ShapeException(
                $"Build: expected at most {Shape.MaxRank - 1} axes for one example, since the batch axis comes first, got {example}.");
        }

        Prepare(example);
        Initialize(seed);
    }

    /// <summary>Makes the parameters, without values.</summary>
    internal virtual void Prepare() => Prepare(ExampleShape!.Value);

    /// <summary>Makes the parameters for this input's shape, without values.</summary>
    internal void Prepare(Shape example)
    {
        if (ExampleShape is null)
        {
            // Also where the layer was built as a part of another model: then this tells whether the shape fits it.
            _ = Record([new Graph(GraphMode.Inference).Input(example.Prepend(1))]);
        }

        ExampleShape ??= example;
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

    /// <summary>
    /// Notes what the layer was made with, so that a model file can make it again (<see cref="LayerKinds"/>), and that people can
    /// read. Nothing needs to be noted of the layer's name, its shape or its parameters.
    /// </summary>
    /// <param name="description">Takes the attributes.</param>
    protected internal virtual void Describe(LayerDescription description)
    {
    }

    /// <summary>Adds a parameter of this layer.</summary>
    /// <param name="name">Its name, such as "weight".</param>
    /// <param name="shape">Its shape inside the engine.</param>
    /// <param name="initializer">What its first values are drawn from.</param>
    /// <param name="layout">How files order it.</param>
    /// <returns>The parameter.</returns>
    /// <exception cref="ArgumentException">The layer has a parameter of this name.</exception>
    protected Parameter AddParameter(string name, Shape shape, Initializer initializer, ParameterLayout? layout = null)
    {
        if (_own.Exists(parameter => parameter.Name == name))
        {
            throw new ArgumentException($"{GetType().Name}: two parameters are named '{name}'.");
        }

        shape.RequireAtMost(Array.MaxLength, $"{GetType().Name}: the parameter {name}");
        var parameter = new Parameter(name, shape, initializer, layout) { IsTrainable = !_isFrozen };
        _own.Add(parameter);
        return parameter;
    }

    /// <summary>
    /// Adds a buffer of this layer: saved, loaded and restored as a parameter is, but not trained. A step writes it with
    /// <see cref="Graph.WriteBack"/>.
    /// </summary>
    /// <param name="name">Its name as PyTorch has it, such as "running_mean".</param>
    /// <param name="shape">Its shape inside the engine.</param>
    /// <param name="initializer">What its first values are drawn from.</param>
    /// <param name="layout">How files order it.</param>
    /// <returns>The buffer.</returns>
    /// <exception cref="ArgumentException">The layer has a parameter or buffer of this name.</exception>
    protected Parameter AddBuffer(string name, Shape shape, Initializer initializer, ParameterLayout? layout = null)
    {
        if (_own.Exists(parameter => parameter.Name == name))
        {
            throw new ArgumentException($"{GetType().Name}: two parameters are named '{name}'.");
        }

        shape.RequireAtMost(Array.MaxLength, $"{GetType().Name}: the buffer {name}");
        var buffer = new Parameter(name, shape, initializer, layout) { IsBuffer = true };
        _own.Add(buffer);
        return buffer;
    }

    /// <summary>Fails unless a size is positive.</summary>
    private protected void RequirePositive(int value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (value <= 0)
        {
            throw new ArgumentOutOfRangeException(
                name, string.Create(
                    CultureInfo.InvariantCulture, $"{GetType().Name}: expected {name} of at least 1, got {value}."));
        }
    }

    /// <summary>Adds a child, so that its parameters belong to this layer.</summary>
    /// <typeparam name="T">The child's type.</typeparam>
    /// <param name="layer">The child.</param>
    /// <param name="name">Its name within this layer; default its own <see cref="Name"/>, else its place.</param>
    /// <returns>The child.</returns>
    /// <exception cref="ArgumentException">A child has this name, or the layer is this layer itself.</exception>
    protected T AddLayer<T>(T layer, string? name = null)
        where T : Layer
    {
        ArgumentNullException.ThrowIfNull(layer);
        if (ReferenceEquals(layer, this))
        {
            throw new ArgumentException($"{GetType().Name}: a layer cannot be inside itself.", nameof(layer));
        }

        name ??= layer.Name ?? _children.Count.ToString(CultureInfo.InvariantCulture);
        if (!_childNames.Add(name))
        {
            throw new ArgumentException($"{GetType().Name}: two layers are named '{name}'.");
        }

        if (_isFrozen)
        {
            layer.IsTrainable = false;
        }

        _children.Add((name, layer));
        return layer;
    }

    /// <summary>The kind of layer and what it was made with: <c>Dense(units: 64, activation: ReLU)</c>.</summary>
    public override string ToString()
    {
        var description = new LayerDescription(GetType().Name, Name, []);
        Describe(description);
        return description.ToString();
    }

    /// <summary>Makes the parameters for an input, unless they were made before, and records nothing.</summary>
    internal void BuildFor(Value x)
    {
        if (!_built)
        {
            BuildFrom([x]);
            _built = true;
        }
    }

    /// <summary>Takes a parameter of its own out of the layer, or null where there is none of this name.</summary>
    internal Parameter? Release(string name)
    {
        Parameter? parameter = _own.Find(own => own.Name == name && !own.IsBuffer);
        if (parameter is not null)
        {
            _own.Remove(parameter);
        }

        return parameter;
    }

    /// <summary>Gives the parameters that have no values yet their first ones.</summary>
    private protected void Initialize(ulong seed)
    {
        uint place = 0;
        foreach (NamedParameter named in LayerTree.Parameters(this))
        {
            named.Parameter.Initialize(seed, place++);
        }
    }

    /// <summary>Makes the parameters of a layer of any number of inputs.</summary>
    private protected virtual void BuildFrom(ReadOnlySpan<Value> inputs) => Build(inputs[0]);

    /// <summary>Records a layer of any number of inputs and outputs.</summary>
    private protected virtual IReadOnlyList<Value> ForwardFrom(ReadOnlySpan<Value> inputs) => [Forward(inputs[0])];

    /// <summary>Fails unless a layer of any number of inputs takes so many.</summary>
    internal virtual void RequireInputs(int count)
    {
        if (count != 1)
        {
            throw new ArgumentException($"{GetType().Name}: expected one input, got {count}.");
        }
    }

    private IReadOnlyList<Value> Record(ReadOnlySpan<Value> inputs)
    {
        RequireInputs(inputs.Length);
        Graph graph = inputs[0].Graph;
        if (graph.LayerDepth >= MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw new InvalidOperationException(
                $"{GetType().Name}: expected layers nested at most {MaxDepth} deep, this one lies deeper or is inside itself.");
        }

        object? outer = graph.Layer;
        graph.LayerDepth++;
        graph.Trace?.Enter(this);
        graph.Layer = this;
        IReadOnlyList<Value>? outputs = null;
        try
        {
            if (!_built)
            {
                BuildFrom(inputs);
                _built = true;
            }

            outputs = ForwardFrom(inputs);
            return outputs = graph.Tap?.Invoke(this, outputs) ?? outputs;
        }
        catch (ShapeException exception) when (exception.Left is null
            && exception.Message.StartsWith("Shape: ", StringComparison.Ordinal))
        {
            // A shape that the layer computes, such as a parameter's, does not know the layer.
            var named = new ShapeException($"{GetType().Name}: {exception.Message["Shape: ".Length..]}");
            named.Leave(this, null);
            throw named;
        }
        catch (ShapeException exception)
        {
            // The innermost layer knows only itself; its name is known to the layers around it.
            object? left = exception.Left;
            exception.Leave(this, left is null ? null : _children.Find(child => child.Layer == left).Name);
            throw;
        }
        finally
        {
            graph.Trace?.Leave(outputs);
            graph.LayerDepth--;
            graph.Layer = outer;
        }
    }
}

/// <summary>A parameter and its name in a model.</summary>
/// <param name="Name">As PyTorch would name it: "conv1.weight".</param>
/// <param name="Parameter">The parameter.</param>
public readonly record struct NamedParameter(string Name, Parameter Parameter)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Parameter.Shape}";
}
