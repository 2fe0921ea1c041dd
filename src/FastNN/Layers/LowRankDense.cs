using FastNN.Layers;

namespace FastNN;

/// <summary>
/// A dense layer whose weight is a product of two narrow ones: y = f(x u v + bias), [..., in] becomes [..., units], with rank
/// (in + units) weights instead of in times units. Files have it as two of PyTorch's Linear layers, <c>u</c> without a bias and
/// <c>v</c> with one.
/// </summary>
public sealed class LowRankDense : Layer
{
    private readonly int _units;
    private readonly int _rank;
    private readonly Activation _activation;
    private Parameter? _first;
    private Parameter? _second;
    private Parameter? _bias;

    /// <summary>A layer.</summary>
    /// <param name="units">Outputs.</param>
    /// <param name="rank">The width between both weights.</param>
    /// <param name="activation">Applied to the output; default none.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public LowRankDense(int units, int rank, Activation activation = default)
    {
        RequirePositive(units);
        RequirePositive(rank);
        (_units, _rank, _activation) = (units, rank, activation);
    }

    /// <summary>Add a bias; default true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>What the weights are drawn from; default Glorot uniform.</summary>
    public Initializer WeightInitializer { get; init; } = Initializer.GlorotUniform;

    /// <summary>The first weight [in, rank], once built.</summary>
    public Parameter? First => _first;

    /// <summary>The second weight [rank, units], once built.</summary>
    public Parameter? Second => _second;

    /// <summary>The bias [units], once built and if there is one.</summary>
    public Parameter? Bias => _bias;

    /// <inheritdoc/>
    protected override void Build(Value x)
    {
        if (x.Shape.Rank < 2)
        {
            throw new ShapeException($"LowRankDense: expected an input [N, ..., in], got {x.Shape}.");
        }

        _first = AddParameter("u.weight", new Shape(x.Shape[-1], _rank), WeightInitializer, ParameterLayout.DenseWeightFor(x));
        _second = AddParameter("v.weight", new Shape(_rank, _units), WeightInitializer, ParameterLayout.DenseWeight);
        _bias = UseBias ? AddParameter("v.bias", new Shape(_units), Initializer.Zeros) : null;
    }

    /// <inheritdoc/>
    protected override Value Forward(Value x)
    {
        Graph graph = x.Graph;
        Value narrow = x.Dense(graph.Use(_first!));
        return narrow.Dense(graph.Use(_second!), _bias is null ? null : graph.Use(_bias)).Activate(_activation);
    }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("units", _units).Set("rank", _rank).Set("activation", _activation).Set("useBias", UseBias)
            .Set("weightInitializer", WeightInitializer, Initializer.GlorotUniform);
    }

    internal static LowRankDense Create(LayerDescription description) =>
        new(description.Int32("units"), description.Int32("rank"), description.Activation())
        {
            Name = description.Name,
            UseBias = description.Boolean("useBias"),
            WeightInitializer = description.Initializer("weightInitializer", Initializer.GlorotUniform),
        };
}
