using FastNN.Layers;

namespace FastNN;

/// <summary>A fully connected layer: y = f(x weight + bias). [..., in] becomes [..., units].</summary>
public sealed class Dense : Layer
{
    private readonly int _units;
    private readonly Activation _activation;
    private Parameter? _weight;
    private Parameter? _bias;

    /// <summary>A dense layer.</summary>
    /// <param name="units">Outputs.</param>
    /// <param name="activation">Applied to the output; default none.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of units is not positive.</exception>
    public Dense(int units, Activation activation = default)
    {
        RequirePositive(units);
        (_units, _activation) = (units, activation);
    }

    /// <summary>Add a bias; default true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>What the weight is drawn from; default Glorot uniform (Keras).</summary>
    public Initializer WeightInitializer { get; init; } = Initializer.GlorotUniform;

    /// <summary>What the bias is drawn from; default zeros (Keras).</summary>
    public Initializer BiasInitializer { get; init; } = Initializer.Zeros;

    /// <summary>A penalty on the weight; default none.</summary>
    public Regularizer? WeightRegularizer { get; init; }

    /// <summary>The weight [in, units], once built.</summary>
    public Parameter? Weight => _weight;

    /// <summary>The bias [units], once built and if there is one.</summary>
    public Parameter? Bias => _bias;

    internal Activation Activation => _activation;

    /// <inheritdoc/>
    protected override void Build(Value x)
    {
        if (x.Shape.Rank < 2)
        {
            throw new ShapeException($"Dense: expected an input [N, ..., in], got {x.Shape}.");
        }

        _weight = AddParameter("weight", new Shape(x.Shape[-1], _units), WeightInitializer, ParameterLayout.DenseWeightFor(x));
        _bias = UseBias ? AddParameter("bias", new Shape(_units), BiasInitializer) : null;
    }

    /// <inheritdoc/>
    protected override Value Forward(Value x)
    {
        Value weight = x.Graph.Use(_weight!);
        WeightRegularizer?.AddTo(weight);
        return x.Dense(weight, _bias is null ? null : x.Graph.Use(_bias)).Activate(_activation);
    }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("units", _units).Set("activation", _activation);
        if (!UseBias)
        {
            description.Set("useBias", UseBias);
        }

        description.Set("weightInitializer", WeightInitializer, Initializer.GlorotUniform)
            .Set("biasInitializer", BiasInitializer, Initializer.Zeros)
            .Set(WeightRegularizer);
    }

    internal static Dense Create(LayerDescription description) =>
        new(description.Int32("units"), description.Activation())
        {
            Name = description.Name,
            UseBias = description.Boolean("useBias", true),
            WeightInitializer = description.Initializer("weightInitializer", Initializer.GlorotUniform),
            BiasInitializer = description.Initializer("biasInitializer", Initializer.Zeros),
            WeightRegularizer = description.Regularizer(),
        };
}
