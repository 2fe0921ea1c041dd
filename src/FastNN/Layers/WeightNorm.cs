namespace FastNN;

/// <summary>
/// A layer around another whose weight is computed from other parameters, as PyTorch's parametrizations. Parameters keep the
/// names they have there, those of the inner layer its own: "weight_g", "weight_v", "bias". The inner layer's own weight has no
/// values any more.
/// </summary>
public abstract class ParametrizedWeight : Layer
{
    private readonly string _name;

    private protected ParametrizedWeight(Layer layer, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length == 0)
        {
            throw new ArgumentException(
                $"{GetType().Name}: expected the name of a parameter such as weight, got ''.", nameof(name));
        }

        Inner = AddLayer(layer, "");
        _name = name;
    }

    /// <summary>The layer whose weight it is.</summary>
    public Layer Inner { get; }

    /// <summary>The weight of the inner layer, which no longer is one of its parameters.</summary>
    private protected Parameter Weight { get; private set; } = null!;

    /// <summary>The weight's name, in front of those that take its place.</summary>
    private protected string WeightName => _name;

    /// <inheritdoc/>
    protected override void Build(Value x)
    {
        Inner.BuildFor(x);
        Weight = Inner.Release(_name) ?? throw new ShapeException(
            $"{GetType().Name}: expected a layer with a parameter '{_name}', {Inner.GetType().Name} has none.");
        if (Weight.Shape.Rank < 2)
        {
            throw new ShapeException(
                $"{GetType().Name}: expected a weight of at least two axes, '{_name}' of {Inner.GetType().Name} is "
                + $"{Weight.Shape}.");
        }

        AddParameters();
    }

    /// <summary>Makes the parameters that take the weight's place.</summary>
    private protected abstract void AddParameters();

    /// <summary>Records the weight.</summary>
    private protected abstract Value Record(Graph graph);

    /// <inheritdoc/>
    protected override Value Forward(Value x)
    {
        Graph graph = x.Graph;
        if (!graph.IsSubstituted(Weight))
        {
            graph.Substitute(Weight, Record(graph));
        }

        return Inner.Apply(x);
    }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("parameter", _name).SetLayers([Inner]);
    }

    /// <summary>The one layer of a description.</summary>
    private protected static Layer InnerOf(LayerDescription description) => description.Layers is [Layer layer]
        ? layer
        : throw new ShapeException($"{description.Kind}: expected one layer inside, got {description.Layers.Count}.");
}

/// <summary>
/// Weight normalization (Salimans and Kingma, 2016): weight = g v / |v|, with one norm for each output, as PyTorch's weight_norm
/// with its default dim 0. Its parameters are "weight_g" and "weight_v".
/// </summary>
/// <param name="layer">The layer around whose weight it is, such as Dense or Conv2D.</param>
/// <param name="name">The weight's name; default "weight".</param>
public sealed class WeightNorm(Layer layer, string name = "weight") : ParametrizedWeight(layer, name)
{
    /// <summary>The length of each output's weights, once built.</summary>
    public Parameter? Magnitude { get; private set; }

    /// <summary>Their direction, of the weight's shape, once built.</summary>
    public Parameter? Direction { get; private set; }

    private protected override void AddParameters()
    {
        Shape shape = Weight.Shape;
        Magnitude = AddParameter(
            $"{WeightName}_g", new Shape([.. Enumerable.Repeat(1, shape.Rank - 1), shape[-1]]), new NormsOfNext(Weight),
            shape.Rank == 2 ? ParameterLayout.DenseWeight : Weight.Layout);
        Direction = AddParameter($"{WeightName}_v", shape, Weight.Initializer, Weight.Layout);
    }

    private protected override Value Record(Graph graph)
    {
        Value v = graph.Use(Direction!), g = graph.Use(Magnitude!);
        int[] axes = [.. Enumerable.Range(0, Weight.Shape.Rank - 1)];
        return v * (g / v.Square().Sum(axes, keepDims: true).Sqrt());
    }

    internal static WeightNorm Create(LayerDescription description) =>
        new(InnerOf(description), description.Text("parameter")) { Name = description.Name };

    /// <summary>The norms of what the parameter behind this one begins with, so that the weight does so too.</summary>
    private sealed class NormsOfNext(Parameter weight) : Initializer
    {
        public override void Fill(Span<float> values, Shape shape, ulong seed, uint number)
        {
            var next = new float[weight.Count];
            weight.Initializer.Fill(next, weight.Shape, seed, number + 1);
            for (int output = 0; output < values.Length; output++)
            {
                double sum = 0;
                for (int i = output; i < next.Length; i += values.Length)
                {
                    sum += next[i] * (double)next[i];
                }

                values[output] = (float)Math.Sqrt(sum);
            }
        }
    }
}
