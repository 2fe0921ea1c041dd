using System.Globalization;
using FastNN.Layers;

namespace FastNN;

/// <summary>
/// A recurrent network: layers over sequences [B, T, D], in one direction or in both, with PyTorch's parameters
/// ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "..._l0_reverse") and its order of gates.
/// Inputs are the sequences; behind them, if given, the first states [B, layers * directions, units] (of an LSTM h and c), a
/// layer's forward direction first; and last, if given, Int32 lengths [B]. PyTorch has the states as
/// [layers * directions, B, units].
/// </summary>
public abstract class RecurrentLayer : MultiInputLayer
{
    /// <summary>
    /// Each layer records its own operators, so a count far above any network in use is refused before it fills the memory.
    /// </summary>
    private const int MaxLayers = 1000;

    private readonly int _units;
    private readonly List<Parameter[]> _parameters = [];

    private protected RecurrentLayer(int units)
    {
        RequirePositive(units);
        _units = units;
    }

    /// <summary>The layer that a file describes.</summary>
    private protected RecurrentLayer(LayerDescription description)
        : this(description.Int32("units"))
    {
        Name = description.Name;
        LayerCount = description.Int32("layerCount");
        IsBidirectional = description.Boolean("isBidirectional");
        UseBias = description.Boolean("useBias");
        DropoutRate = description.Single("dropoutRate");
        ReturnSequences = description.Boolean("returnSequences");
        ReturnStates = description.Boolean("returnStates");
        WeightInitializer = InitializerOf(description, "weightInitializer");
        BiasInitializer = InitializerOf(description, "biasInitializer");
    }

    /// <summary>How many layers stand on one another, 1 to 1,000; default 1.</summary>
    public int LayerCount { get; init; } = 1;

    /// <summary>Read sequences in both directions, whose outputs are joined along the last axis; default false.</summary>
    public bool IsBidirectional { get; init; }

    /// <summary>Add biases, two as in PyTorch; default true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>The probability that an output of a layer below the last becomes 0 in training, in [0, 1); default 0.</summary>
    public float DropoutRate { get; init; }

    /// <summary>
    /// Give the output of every step, [B, T, units * directions], as PyTorch does; else what stands behind each sequence's last
    /// step, [B, units * directions]. Default true.
    /// </summary>
    public bool ReturnSequences { get; init; } = true;

    /// <summary>
    /// Give the last states [B, layers * directions, units] as further outputs (of an LSTM h and c); default false.
    /// </summary>
    public bool ReturnStates { get; init; }

    /// <summary>What weights are drawn from; default null, uniform within 1 / sqrt(units) (PyTorch).</summary>
    public Initializer? WeightInitializer { get; init; }

    /// <summary>What biases are drawn from; default null, as the weights' default (PyTorch).</summary>
    public Initializer? BiasInitializer { get; init; }

    /// <summary>Numbers of an output per direction.</summary>
    public int Units => _units;

    /// <inheritdoc/>
    public override int OutputCount => ReturnStates ? 1 + States : 1;

    private protected abstract int Gates { get; }

    private protected virtual int States => 1;

    private int Directions => IsBidirectional ? 2 : 1;

    private string Kind => GetType().Name;

    /// <inheritdoc/>
    protected override void Build(ReadOnlySpan<Value> inputs)
    {
        if (LayerCount is < 1 or > MaxLayers)
        {
            throw new ShapeException($"{Kind}: expected 1 to {MaxLayers} layers, got {LayerCount}.");
        }

        if ((long)Gates * _units > int.MaxValue)
        {
            throw new ShapeException($"{Kind}: expected at most {int.MaxValue / Gates} units for {Gates} gates, got {_units}.");
        }

        Value x = Sequences(inputs[0]);
        int width = Gates * _units;
        float limit = 1 / MathF.Sqrt(_units);
        Initializer usual = Initializer.Uniform(-limit, limit), weights = WeightInitializer ?? usual;
        for (int place = 0; place < LayerCount * Directions; place++)
        {
            int layer = place / Directions;
            string suffix = $"_l{layer.ToString(CultureInfo.InvariantCulture)}{(place % Directions == 1 ? "_reverse" : "")}";
            int features = layer == 0 ? x.Shape[2] : _units * Directions;
            ParameterLayout layout = layer == 0 ? ParameterLayout.DenseWeightFor(x) : ParameterLayout.DenseWeight;
            List<Parameter> parameters =
            [
                AddParameter("weight_ih" + suffix, new Shape(features, width), weights, layout),
                AddParameter("weight_hh" + suffix, new Shape(_units, width), weights, ParameterLayout.DenseWeight),
            ];
            if (UseBias)
            {
                parameters.Add(AddParameter("bias_ih" + suffix, new Shape(width), BiasInitializer ?? usual));
                parameters.Add(AddParameter("bias_hh" + suffix, new Shape(width), BiasInitializer ?? usual));
            }

            _parameters.Add([.. parameters]);
        }
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs)
    {
        Value x = Sequences(inputs[0]), sequence = x.Permute(1, 0, 2);
        Value? lengths = inputs.Length > 1 && !inputs[^1].Type.IsFloat() ? inputs[^1] : null;
        ReadOnlySpan<Value> states = inputs[1..^(lengths is null ? 0 : 1)];
        if (states.Length != 0 && states.Length != States)
        {
            string expected = States == 1 ? "one first state" : "both first states, h and c";
            throw new ShapeException(
                $"{Kind}: expected {expected}, or none, behind the sequences, and last lengths of type Int32 if any; got {inputs.Length} inputs, {string.Join(", ", inputs.ToArray().Select(input => input.TensorType))}.");
        }

        Value[][] first = [.. states.ToArray().Select(state => StatesOf(state, x))];
        var last = new List<Value[]>();
        for (int layer = 0; layer < LayerCount; layer++)
        {
            var outputs = new Value[Directions];
            for (int direction = 0; direction < Directions; direction++)
            {
                int place = (layer * Directions) + direction;
                Value[] parameters = Array.ConvertAll(_parameters[place], parameter => x.Graph.Use(parameter));
                Value[] results = Run(
                    sequence, parameters, Array.ConvertAll(first, state => state[place]), lengths, direction == 1);
                outputs[direction] = results[0];
                last.Add(results[1..]);
            }

            sequence = Join(outputs);
            sequence = layer < LayerCount - 1 && DropoutRate != 0 ? sequence.Dropout(DropoutRate) : sequence;
        }

        Value y = ReturnSequences
            ? sequence.Permute(1, 0, 2)
            : Join([.. last[^Directions..].Select(results => results[0])]);
        return !ReturnStates
            ? [y]
            : [y, .. Enumerable.Range(0, States).Select(i => ShapeOperators.Stack(1, [.. last.Select(results => results[i])]))];
    }

    /// <summary>One direction of one layer.</summary>
    private protected abstract Value[] Run(Value x, Value[] parameters, Value[] first, Value? lengths, bool isReverse);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("units", _units).Set("layerCount", LayerCount).Set("isBidirectional", IsBidirectional)
            .Set("useBias", UseBias).Set("dropoutRate", DropoutRate).Set("returnSequences", ReturnSequences)
            .Set("returnStates", ReturnStates);
        if (WeightInitializer?.Text is { } weights)
        {
            description.Set("weightInitializer", weights);
        }

        if (BiasInitializer?.Text is { } biases)
        {
            description.Set("biasInitializer", biases);
        }
    }

    private static Initializer? InitializerOf(LayerDescription description, string name) =>
        description.Has(name) ? description.Initializer(name, Initializer.Zeros) : null;

    private static Value Join(Value[] outputs) => outputs.Length == 1 ? outputs[0] : Operators.Concat(-1, outputs);

    private Value Sequences(Value x) => x.Shape.Rank == 3
        ? x
        : throw new ShapeException($"{Kind}: expected sequences [batch, time, features], got {x.Shape}.");

    /// <summary>The first states of each layer and direction, [B, units].</summary>
    private Value[] StatesOf(Value state, Value x)
    {
        var expected = new Shape(x.Shape[0], LayerCount * Directions, _units);
        if (state.Shape != expected)
        {
            throw new ShapeException($"{Kind}: expected a first state of shape {expected}, got {state.Shape}.");
        }

        Value turned = state.Permute(1, 0, 2);
        return [
            .. Enumerable.Range(0, LayerCount * Directions).Select(
                place => turned.Slice(0, place, place + 1).Reshape(new Shape(x.Shape[0], _units)))];
    }
}

/// <summary>A simple recurrent network (Elman, 1990), as PyTorch's RNN: h = f(x W + b + h U + c) at every step.</summary>
public sealed class SimpleRnn : RecurrentLayer
{
    private readonly bool _useReLU;

    /// <summary>A simple recurrent network.</summary>
    /// <param name="units">Numbers of a state.</param>
    /// <param name="activation">Tanh or ReLU; default tanh.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of units is not positive.</exception>
    /// <exception cref="ArgumentException">The activation is another.</exception>
    public SimpleRnn(int units, Activation activation = default)
        : base(units) => _useReLU = IsReLU(activation);

    private SimpleRnn(LayerDescription description)
        : base(description) => _useReLU = IsReLU(description.Activation());

    private protected override int Gates => 1;

    private protected override Value[] Run(Value x, Value[] parameters, Value[] first, Value? lengths, bool isReverse) =>
        x.SimpleRnn(
            parameters[0], parameters[1], parameters.ElementAtOrDefault(2), parameters.ElementAtOrDefault(3),
            first.ElementAtOrDefault(0), lengths, _useReLU, isReverse);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        base.Describe(description);
        description.Set("activation", _useReLU ? Activation.ReLU : Activation.Tanh);
    }

    private static bool IsReLU(Activation activation) =>
        activation == Activation.ReLU || (activation.IsNone || activation == Activation.Tanh
            ? false
            : throw new ArgumentException(
                $"SimpleRnn: expected the activation Tanh or ReLU, got {activation}.", nameof(activation)));

    internal static SimpleRnn Create(LayerDescription description) => new(description);
}

/// <summary>
/// Long short-term memory (Hochreiter and Schmidhuber, 1997; forget gate of Gers et al., 2000), as PyTorch's LSTM. Its states
/// are h and c.
/// </summary>
public sealed class Lstm : RecurrentLayer
{
    /// <summary>Long short-term memory.</summary>
    /// <param name="units">Numbers of a state.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of units is not positive.</exception>
    public Lstm(int units)
        : base(units)
    {
    }

    private Lstm(LayerDescription description)
        : base(description)
    {
    }

    private protected override int Gates => 4;

    private protected override int States => 2;

    private protected override Value[] Run(Value x, Value[] parameters, Value[] first, Value? lengths, bool isReverse) =>
        x.Lstm(
            parameters[0], parameters[1], parameters.ElementAtOrDefault(2), parameters.ElementAtOrDefault(3),
            first.ElementAtOrDefault(0), first.ElementAtOrDefault(1), lengths, isReverse);

    internal static Lstm Create(LayerDescription description) => new(description);
}

/// <summary>
/// Gated recurrent units (Cho et al., 2014) with the reset gate behind the product, as PyTorch's GRU.
/// </summary>
public sealed class Gru : RecurrentLayer
{
    /// <summary>Gated recurrent units.</summary>
    /// <param name="units">Numbers of a state.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of units is not positive.</exception>
    public Gru(int units)
        : base(units)
    {
    }

    private Gru(LayerDescription description)
        : base(description)
    {
    }

    private protected override int Gates => 3;

    private protected override Value[] Run(Value x, Value[] parameters, Value[] first, Value? lengths, bool isReverse) =>
        x.Gru(
            parameters[0], parameters[1], parameters.ElementAtOrDefault(2), parameters.ElementAtOrDefault(3),
            first.ElementAtOrDefault(0), lengths, isReverse);

    internal static Gru Create(LayerDescription description) => new(description);
}
