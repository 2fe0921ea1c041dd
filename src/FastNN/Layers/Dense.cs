using FastNN.Layers;

namespace FastNN;

/// <summary>A fully connected layer: y = f(x weight + bias). [..., in] becomes [..., units].</summary>
public sealed class Dense : Layer
{
    private readonly int _units;
    private readonly Activation _activation;
    private readonly bool _useBias;
    private Parameter? _weight;
    private Parameter? _bias;

    /// <summary>A dense layer.</summary>
    /// <param name="units">Outputs.</param>
    /// <param name="activation">Applied to the output; default none.</param>
    /// <param name="useBias">Add a bias; default true.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are no units.</exception>
    public Dense(int units, Activation activation = default, bool useBias = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(units);
        (_units, _activation, _useBias) = (units, activation, useBias);
    }

    /// <summary>What the weight is drawn from; default Glorot uniform (Keras).</summary>
    public Initializer WeightInitializer { get; init; } = Initializer.GlorotUniform;

    /// <summary>What the bias is drawn from; default zeros (Keras).</summary>
    public Initializer BiasInitializer { get; init; } = Initializer.Zeros;

    /// <summary>A penalty on the weight; default none.</summary>
    public Penalty? WeightPenalty { get; init; }

    /// <summary>The weight [in, units], once built.</summary>
    public Parameter? Weight => _weight;

    /// <summary>The bias [units], once built and if there is one.</summary>
    public Parameter? Bias => _bias;

    /// <inheritdoc/>
    protected override void Build(Value x)
    {
        if (x.Shape.Rank < 2)
        {
            throw new ShapeException($"Dense: input {x.Shape} has no feature axis behind the batch axis.");
        }

        _weight = AddParameter("weight", new Shape(x.Shape[-1], _units), WeightInitializer, ParameterLayout.DenseWeightFor(x));
        _bias = _useBias ? AddParameter("bias", new Shape(_units), BiasInitializer) : null;
    }

    /// <inheritdoc/>
    protected override Value Forward(Value x)
    {
        Value weight = x.Graph.Use(_weight!);
        WeightPenalty?.AddTo(weight);
        return x.Dense(weight, _bias is null ? null : x.Graph.Use(_bias)).Activate(_activation);
    }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("units", _units).Set("activation", _activation);
        if (!_useBias)
        {
            description.Set("useBias", _useBias);
        }

        description.Set(WeightPenalty);
    }

    internal static Dense Create(LayerDescription description) =>
        new(description.Int32("units"), description.Activation(), description.Boolean("useBias", true))
        {
            Name = description.Name,
            WeightPenalty = description.Penalty(),
        };
}
