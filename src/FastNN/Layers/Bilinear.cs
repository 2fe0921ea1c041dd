namespace FastNN;

/// <summary>
/// A bilinear layer of two inputs, as PyTorch's nn.Bilinear: y = x1 weight x2 + bias. [..., in1] and [..., in2] become [...,
/// units]. Files have the weight as the engine does, [units, in1, in2].
/// </summary>
/// <param name="units">Outputs.</param>
/// <param name="useBias">Add a bias; default true.</param>
public sealed class Bilinear(int units, bool useBias = true) : MultiInputLayer
{
    private Parameter? _weight;
    private Parameter? _bias;

    /// <summary>The weight [units, in1, in2], once built.</summary>
    public Parameter? Weight => _weight;

    /// <summary>The bias [units], once built and if there is one.</summary>
    public Parameter? Bias => _bias;

    /// <inheritdoc/>
    protected override void Build(ReadOnlySpan<Value> inputs)
    {
        if (inputs.Length != 2 || inputs[0].Shape.Rank < 2 || inputs[1].Shape.Rank < 2 || units < 1)
        {
            string given = string.Join(" and ", inputs.ToArray().Select(input => input.Shape));
            throw new ShapeException($"Bilinear: expected two inputs [..., in] and at least one unit, got {given} and {units}.");
        }

        int first = inputs[0].Shape[-1];
        float limit = 1 / MathF.Sqrt(first);
        _weight = AddParameter(
            "weight", new Shape(units, first, inputs[1].Shape[-1]), Initializer.Uniform(-limit, limit));
        _bias = useBias ? AddParameter("bias", new Shape(units), Initializer.Uniform(-limit, limit)) : null;
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<Value> Forward(ReadOnlySpan<Value> inputs)
    {
        Graph graph = inputs[0].Graph;
        return [inputs[0].Bilinear(inputs[1], graph.Use(_weight!), _bias is null ? null : graph.Use(_bias))];
    }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("units", units).Set("useBias", useBias);
    }

    internal static Bilinear Create(LayerDescription description) =>
        new(description.Int32("units"), description.Boolean("useBias")) { Name = description.Name };
}
