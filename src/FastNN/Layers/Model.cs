using System.Collections.ObjectModel;
using FastNN.Formats;
using FastNN.Layers;

namespace FastNN;

/// <summary>
/// A network with any number of named inputs and outputs, put together from layers applied to symbols (Keras' functional models):
/// any directed acyclic graph, with layers shared by applying them more than once.
/// <code>
/// Symbol image = Model.Input("image", [64, 64, 3]), table = Model.Input("table", [12]);
/// Symbol h = Symbol.Concat(cnn.Apply(image), new Dense(32, Activation.ReLU).Apply(table));
/// var model = new Model([image, table], [("price", new Dense(1).Apply(h)), ("kind", new Dense(5).Apply(h))]);
/// </code>
/// </summary>
public sealed class Model : MultiInputLayer
{
    private const int MaxSymbols = 1_000_000;

    private readonly List<SymbolNode> _nodes;
    private readonly SymbolNode[] _inputNodes;
    private readonly Symbol[] _outputs;
    private IReadOnlyList<string> _classNames = [];

    /// <summary>A model of one input and one output, named "output".</summary>
    /// <param name="input">Its input.</param>
    /// <param name="output">Its output.</param>
    /// <exception cref="ArgumentException">The output needs another input, or two layers have one name.</exception>
    public Model(Symbol input, Symbol output)
        : this([input], [("output", output)])
    {
    }

    /// <summary>A model.</summary>
    /// <param name="inputs">Its inputs, as <see cref="Input"/> gave them.</param>
    /// <param name="outputs">Its outputs, with names.</param>
    /// <exception cref="ArgumentException">An output needs an input that is not given, or two inputs, outputs or layers have one
    /// name.</exception>
    public Model(IReadOnlyList<Symbol> inputs, IReadOnlyList<(string Name, Symbol Output)> outputs)
        : this(inputs, outputs, null)
    {
    }

    private Model(IReadOnlyList<Symbol> inputs, IReadOnlyList<(string Name, Symbol Output)> outputs, Layer? wrapped)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(outputs);
        _inputNodes = [.. inputs.Select(RequireInput)];
        _outputs = [.. outputs.Select(output => output.Output ?? throw new ArgumentNullException(nameof(outputs)))];
        Inputs = [.. _inputNodes.Select(node => node.Input!)];
        Outputs = [.. outputs.Select(output => output.Name ?? throw new ArgumentNullException(nameof(outputs)))];
        RequireNames(Inputs.Select(input => input.Name), "inputs");
        RequireNames(Outputs, "outputs");
        _nodes = SymbolNode.Needed([.. _outputs, .. inputs]);
        if (_nodes.Find(node => node.Input is not null && !_inputNodes.Contains(node)) is { } missing)
        {
            throw new ArgumentException(
                $"Model: the outputs need input '{missing.Input!.Name}', which is not among the inputs given.", nameof(inputs));
        }

        Wrapped = wrapped;
        if (wrapped is null)
        {
            AddLayers();
        }
        else
        {
            // Without a name of its own, so that parameters keep theirs.
            AddLayer(wrapped, "");
        }
    }

    /// <summary>The inputs, in order.</summary>
    public IReadOnlyList<ModelInput> Inputs { get; }

    /// <summary>The names of the outputs, in order.</summary>
    public IReadOnlyList<string> Outputs { get; }

    /// <inheritdoc/>
    public override int OutputCount => _outputs.Length;

    /// <summary>
    /// The names of the classes that the output tells apart, in order; empty where there are none, or nobody said.
    /// </summary>
    public IReadOnlyList<string> ClassNames
    {
        get => _classNames;
        set => _classNames = value ?? throw new ArgumentNullException(nameof(value));
    }

    /// <summary>
    /// What has to be done to raw inputs before the model takes them, or null. Predictors and sessions made from now on apply it;
    /// a trainer does not, whose data went through it already (<see cref="FastNN.Preprocessing.Apply"/>, or the dataset's
    /// Standardizer or Rescale).
    /// </summary>
    public Preprocessing? Preprocessing { get; set; }

    /// <summary>The layer that this model was made of, or null.</summary>
    internal Layer? Wrapped { get; }

    internal override IReadOnlyList<ModelInput>? Signature => IsBuilt ? Inputs : null;

    internal override IReadOnlyList<string> OutputNames => Outputs;

    /// <summary>A built layer with one input and one output as a model, with the layer's own parameters and names.</summary>
    /// <param name="layer">The layer, such as a Sequential.</param>
    /// <returns>The model; the layer itself where it is one.</returns>
    /// <exception cref="InvalidOperationException">The layer is not built.</exception>
    public static Model Of(Layer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return layer as Model ?? Of(layer, layer.ExampleShape is { } example
            ? new ModelInput("input", example)
            : throw new InvalidOperationException(
                $"Model.Of: the {layer.GetType().Name} is not built; call Build(shape of one example) first."));
    }

    /// <summary>
    /// Makes a model from a file that <see cref="ModelExtensions.Save(Layer, string, SaveOptions?)"/> wrote; no code of the
    /// network is needed.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="allowNonFinite">Whether NaN and infinite values are loaded; default false, which refuses them.</param>
    /// <returns>The model, built, with its parameters, class names and preprocessing.</returns>
    /// <exception cref="FileFormatException">The file is malformed, holds weights alone, or names a kind of layer that nobody
    /// registered with <see cref="LayerKinds"/>.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static Model Load(string path, bool allowNonFinite = false)
    {
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        return ModelFile.Load(reader, allowNonFinite);
    }

    /// <summary>
    /// Makes a model from what <see cref="ModelExtensions.Save(Layer, Stream, SaveOptions?)"/> wrote; no code of the network is
    /// needed.
    /// </summary>
    /// <param name="stream">The content; it stays open.</param>
    /// <param name="allowNonFinite">Whether NaN and infinite values are loaded; default false, which refuses them.</param>
    /// <returns>The model, built, with its parameters, class names and preprocessing.</returns>
    /// <exception cref="FileFormatException">As for <see cref="Load(string, bool)"/>.</exception>
    public static Model Load(Stream stream, bool allowNonFinite = false)
    {
        using SafetensorsReader reader = SafetensorsReader.Open(stream, leaveOpen: true);
        return ModelFile.Load(reader, allowNonFinite);
    }

    /// <summary>An input of a model to be.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="shape">The shape of one example, without the batch axis: <c>[28, 28, 1]</c>; extents may be symbols
    /// (<see cref="Dim"/>).</param>
    /// <param name="type">Its element type; default Float32.</param>
    /// <returns>A symbol to apply layers to.</returns>
    /// <exception cref="ShapeException">The shape has no elements.</exception>
    public static Symbol Input(string name, Shape shape, DType type = DType.Float32)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length == 0)
        {
            throw new ArgumentException("Model.Input: expected a name for the input, got ''.", nameof(name));
        }

        type.Traits();
        if (shape.Rank == Shape.MaxRank)
        {
            throw new ShapeException(
                $"Model.Input: expected at most {Shape.MaxRank - 1} axes for one example of input '{name}', got {shape}.");
        }

        return shape.IsSymbolic || shape.Count > 0
            ? Symbol.OfInput(new ModelInput(name, shape, type))
            : throw new ShapeException(
                $"Model.Input: input '{name}' of shape {shape} has no elements; every extent must be positive.");
    }

    /// <summary>Makes the parameters and gives them their first values. Does nothing to a built model.</summary>
    /// <param name="seed">What the first values are drawn from; default 0.</param>
    /// <exception cref="ShapeException">The inputs do not fit the layers.</exception>
    public void Build(ulong seed = 0)
    {
        Prepare();
        Initialize(seed);
    }

    /// <inheritdoc/>
    internal override void Prepare()
    {
        if (!IsBuilt)
        {
            var graph = new Graph(GraphMode.Inference);
            Apply([.. Inputs.Select(input => graph.Input(input.Shape.Prepend(Dim.Batch), input.Type, input.Name))]);
        }

        if (Inputs.Count == 1)
        {
            ExampleShape ??= Inputs[0].Shape;
        }
    }

    /// <inheritdoc/>
    public override void Build(Shape example, ulong seed = 0)
    {
        if (Inputs.Count != 1 || Inputs[0].Shape != example)
        {
            throw new ShapeException(
                $"Model.Build: expected the shapes of the model's inputs, {string.Join(", ", Inputs.Select(input => $"'{input.Name}' {input.Shape}"))}, got {example}.");
        }

        Build(seed);
    }

    /// <summary>Records the model.</summary>
    /// <param name="inputs">A value for each input, by name, batch axis first.</param>
    /// <returns>The outputs by name.</returns>
    /// <exception cref="ArgumentException">An input is missing or unknown.</exception>
    /// <exception cref="ShapeException">An input has another shape.</exception>
    public IReadOnlyDictionary<string, Value> Apply(IReadOnlyDictionary<string, Value> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        if (inputs.Count != Inputs.Count || !Inputs.All(input => inputs.ContainsKey(input.Name)))
        {
            throw new ArgumentException(
                $"Model: expected values for {string.Join(", ", Inputs.Select(input => $"'{input.Name}'"))}, got {string.Join(", ", inputs.Keys.Select(name => $"'{name}'"))}.",
                nameof(inputs));
        }

        IReadOnlyList<Value> values = Apply([.. Inputs.Select(input => inputs[input.Name])]);
        var outputs = new Dictionary<string, Value>(StringComparer.Ordinal);
        for (int i = 0; i < values.Count; i++)
        {
            outputs.Add(Outputs[i], values[i]);
        }

        return new ReadOnlyDictionary<string, Value>(outputs);
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs)
    {
        var values = new Dictionary<SymbolNode, IReadOnlyList<Value>>();
        for (int i = 0; i < inputs.Length; i++)
        {
            RequireShape(Inputs[i], inputs[i]);
            values.Add(_inputNodes[i], [inputs[i]]);
        }

        foreach (SymbolNode node in _nodes)
        {
            if (node.Layer is { } layer)
            {
                values.Add(node, layer.Apply([.. node.Inputs.Select(input => values[input.Node][input.Output])]));
            }
        }

        return [.. _outputs.Select(output => values[output.Node][output.Output])];
    }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        var places = new Dictionary<SymbolNode, int>();
        List<Layer> layers = [];
        var known = new Dictionary<Layer, int>(ReferenceEqualityComparer.Instance);
        List<int> nodes = [];
        foreach (SymbolNode node in _nodes)
        {
            places.Add(node, places.Count);
            if (node.Layer is not { } layer)
            {
                nodes.AddRange([-1, Array.IndexOf(_inputNodes, node)]);
                continue;
            }

            if (!known.TryGetValue(layer, out int index))
            {
                known.Add(layer, index = layers.Count);
                layers.Add(layer);
            }

            nodes.AddRange([index, node.IsOperator ? 1 : 0, node.Inputs.Length]);
            nodes.AddRange(node.Inputs.SelectMany(input => new[] { places[input.Node], input.Output }));
        }

        description.SetLayers(layers)
            .Set("inputs", [.. Inputs.Select(input => input.Name)])
            .Set("shapes", [.. Inputs.Select(input => ShapeText.Write(input.Shape))])
            .Set("types", [.. Inputs.Select(input => input.Type.ToString())])
            .Set("nodes", [.. nodes])
            .Set("outputs", [.. Outputs])
            .Set("gives", [.. _outputs.SelectMany(output => new[] { places[output.Node], output.Output })]);
    }

    /// <summary>Makes a model as a file describes it.</summary>
    /// <exception cref="ArgumentException">The description is of no model.</exception>
    internal static Model Create(LayerDescription description)
    {
        Symbol[] inputs = ReadInputs(description);
        List<Symbol> symbols = [];
        var rest = new Queue<int>(description.Int32s("nodes"));
        while (rest.Count > 0)
        {
            int index = rest.Dequeue();
            if (index < 0)
            {
                symbols.Add(At(inputs, Next(rest)));
                continue;
            }

            bool isOperator = Next(rest) == 1;
            var given = new Symbol[Math.Clamp(Next(rest), 0, rest.Count / 2)];
            for (int i = 0; i < given.Length; i++)
            {
                given[i] = At(symbols, Next(rest))[Next(rest)];
            }

            symbols.Add(Symbol.Of(At(description.Layers, index), isOperator, given));
        }

        string[] names = description.Texts("outputs");
        int[] gives = description.Int32s("gives");
        return gives.Length == 2 * names.Length
            ? new Model(inputs,
                [.. names.Select((name, i) => (name, At(symbols, gives[2 * i])[gives[(2 * i) + 1]]))])
            { Name = description.Name }
            : throw new ArgumentException(
                $"Model: expected {2 * names.Length} numbers for {names.Length} outputs, got {gives.Length}.");
    }

    /// <summary>How many layers are recorded when this is, given how many each layer of a description records.</summary>
    internal static double Cost(LayerDescription description, Func<Layer, double> cost)
    {
        double sum = 0;
        var rest = new Queue<int>(description.Int32s("nodes"));
        while (rest.Count > 0 && sum < MaxSymbols)
        {
            int index = rest.Dequeue();
            for (int skip = index < 0 ? 1 : 0; skip > 0 && rest.Count > 0; skip--)
            {
                rest.Dequeue();
            }

            if (index >= 0)
            {
                sum += cost(At(description.Layers, index));
                Next(rest);
                for (int skip = 2 * Math.Clamp(Next(rest), 0, rest.Count / 2); skip > 0; skip--)
                {
                    rest.Dequeue();
                }
            }
        }

        return sum;
    }

    internal static Model Of(Layer layer, ModelInput input)
    {
        Symbol x = Symbol.OfInput(input);
        var model = new Model([x], [(layer.OutputNames[0], layer.Apply(x))], layer);
        model.Prepare();
        return model;
    }

    /// <summary>A layer of any inputs and outputs as a model, with the layer's own parameters and names.</summary>
    internal static Model Of(MultiInputLayer layer, IReadOnlyList<ModelInput> inputs)
    {
        Symbol[] symbols = [.. inputs.Select(Symbol.OfInput)];
        Symbol applied = layer.Apply(symbols);
        var model = new Model(symbols, [.. layer.OutputNames.Select((name, i) => (name, applied[i]))], layer);
        model.Prepare();
        return model;
    }

    internal override void RequireInputs(int count)
    {
        if (count != Inputs.Count)
        {
            throw new ArgumentException($"Model: expected {Inputs.Count} inputs, got {count}.");
        }
    }

    private static Symbol[] ReadInputs(LayerDescription description)
    {
        string[] names = description.Texts("inputs"), shapes = description.Texts("shapes"), types = description.Texts("types");
        if (shapes.Length != names.Length || types.Length != names.Length)
        {
            throw new ArgumentException(
                $"Model: expected shapes and types for {names.Length} inputs, got {shapes.Length} and {types.Length}.");
        }

        var inputs = new Symbol[names.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            inputs[i] = Input(names[i], ShapeText.Read(shapes[i]), ModelFile.ReadType(types[i]));
        }

        return inputs;
    }

    private static int Next(Queue<int> rest) =>
        rest.TryDequeue(out int next)
            ? next
            : throw new ArgumentException("Model: the list of its nodes ends in the middle of one.");

    private static T At<T>(IReadOnlyList<T> list, int index) => (uint)index < (uint)list.Count
        ? list[index]
        : throw new ArgumentException($"Model: expected 0 to {list.Count - 1} as a place in its lists, got {index}.");

    private static SymbolNode RequireInput(Symbol symbol)
    {
        ArgumentNullException.ThrowIfNull(symbol);
        return symbol.Node.Input is not null
            ? symbol.Node
            : throw new ArgumentException(
                $"Model: expected symbols that Model.Input gave as inputs, got what a {symbol.Node.Layer!.GetType().Name} gives.");
    }

    private static void RequireNames(IEnumerable<string> names, string what)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in names)
        {
            if (!seen.Add(name))
            {
                throw new ArgumentException($"Model: two {what} are named '{name}'; give each its own name.");
            }
        }

        if (seen.Count == 0)
        {
            throw new ArgumentException($"Model: expected at least one of its {what}, got none.");
        }
    }

    /// <summary>The batch axis is the caller's; the rest has to be what the input was declared with.</summary>
    private static void RequireShape(ModelInput input, Value value)
    {
        bool fits = value.Shape.Rank == input.Shape.Rank + 1 && value.Type == input.Type;
        for (int i = 0; fits && i < input.Shape.Rank; i++)
        {
            fits = Dim.IsSymbol(input.Shape[i]) || value.Shape[i + 1] == input.Shape[i];
        }

        if (!fits)
        {
            throw new ShapeException(
                $"Model: expected {input.Type}{input.Shape.Prepend(Dim.Batch)} for input '{input.Name}', got {value.Type}{value.Shape}.");
        }
    }

    /// <summary>
    /// Layers become children in the order in which they were first applied; those written as operators have no place of their
    /// own.
    /// </summary>
    private void AddLayers()
    {
        var known = new HashSet<Layer>(ReferenceEqualityComparer.Instance);
        foreach (SymbolNode node in _nodes)
        {
            if (node.Layer is { } layer && !node.IsOperator && known.Add(layer))
            {
                AddLayer(layer);
            }
        }
    }
}
