using FastNN.Layers;

namespace FastNN;

/// <summary>
/// An adapter around a trained layer (LoRA; Hu et al., 2022): its weight becomes weight + (alpha / rank) A B, where the weight
/// and all else of the layer are frozen, and training changes A [rows, rank] and B [rank, outputs] alone. B begins with zeros, so
/// that the layer first gives what it gave without. The weights of a convolution are taken as rows of outputs: kernel and input
/// channels together. Parameters are "lora_A" and "lora_B" beside those of the layer under their own names, so that
/// <see cref="ModelExtensions.LoadWeights(Layer, string, LoadOptions?)"/> takes a file of the network without adapters where it
/// need not be complete.
/// </summary>
public sealed class LowRankAdapter : ParametrizedWeight
{
    private readonly int _rank;
    private readonly float _alpha;

    /// <summary>An adapter.</summary>
    /// <param name="layer">The layer around whose weight it is, such as Dense or Conv2D; it is frozen.</param>
    /// <param name="rank">The width between A and B.</param>
    /// <param name="alpha">The update counts alpha / rank times; finite and above 0. Default 1.</param>
    /// <param name="name">The weight's name; default "weight".</param>
    /// <exception cref="ArgumentOutOfRangeException">The rank is not positive, or alpha is out of range.</exception>
    public LowRankAdapter(Layer layer, int rank, float alpha = 1, string name = "weight")
        : base(layer, name)
    {
        RequirePositive(rank);
        if (alpha is not (> 0 and < float.PositiveInfinity))
        {
            throw new ArgumentOutOfRangeException(
                nameof(alpha), $"{nameof(LowRankAdapter)}: expected a finite alpha above 0, got {alpha}.");
        }

        (_rank, _alpha) = (rank, alpha);
        layer.IsTrainable = false;
    }

    /// <summary>The weight that is adapted, frozen, once built.</summary>
    public Parameter? Original { get; private set; }

    /// <summary>A, [rows, rank], once built.</summary>
    public Parameter? Down { get; private set; }

    /// <summary>B, [rank, outputs], once built.</summary>
    public Parameter? Up { get; private set; }

    /// <summary>
    /// Takes the weights of a network with adapters over into the same network without: updates are added to the weights that
    /// they are of, and all else is copied by name. What is exported or served then has the layers and the speed that it had
    /// before.
    /// </summary>
    /// <param name="adapted">A built network with adapters.</param>
    /// <param name="plain">The same network without them, built.</param>
    /// <exception cref="ArgumentException">The plain network has a parameter that the other one lacks, or has in another
    /// shape.</exception>
    public static void Merge(Layer adapted, Layer plain)
    {
        ArgumentNullException.ThrowIfNull(adapted);
        ArgumentNullException.ThrowIfNull(plain);
        Dictionary<Parameter, LowRankAdapter> adapters = LayerTree.Layers(adapted).Select(named => named.Layer)
            .OfType<LowRankAdapter>().Where(adapter => adapter.Original is not null)
            .ToDictionary(adapter => adapter.Original!);
        Dictionary<string, Parameter> sources = adapted.NamedParameters.ToDictionary(
            named => named.Name, named => named.Parameter, StringComparer.Ordinal);
        IReadOnlyList<NamedParameter> targets = plain.NamedParameters;
        foreach (NamedParameter target in targets)
        {
            if (!sources.TryGetValue(target.Name, out Parameter? source) || source.Shape != target.Parameter.Shape)
            {
                throw new ArgumentException(
                    $"LowRankAdapter.Merge: expected a parameter {target} in the adapted network, {(source is null ? "it has none of this name" : $"got shape {source.Shape}")}.",
                    nameof(adapted));
            }
        }

        foreach (NamedParameter target in targets)
        {
            Parameter source = sources[target.Name];
            target.Parameter.Write(adapters.TryGetValue(source, out LowRankAdapter? adapter) ? adapter.Merged() : Values(source));
        }
    }

    private protected override void AddParameters()
    {
        Shape shape = Weight.Shape;
        int outputs = shape[-1], rows = checked((int)(shape.Count / outputs));
        Original = AddParameter(WeightName, shape, Weight.Initializer, Weight.Layout);
        Original.IsTrainable = false;
        Down = AddParameter("lora_A", new Shape(rows, _rank), Initializer.HeUniform);
        Up = AddParameter("lora_B", new Shape(_rank, outputs), Initializer.Zeros);
    }

    private protected override Value Record(Graph graph)
    {
        Value update = graph.Use(Down!).MatMul(graph.Use(Up!));
        return graph.Use(Original!) + (update.Reshape(Weight.Shape) * (_alpha / _rank));
    }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        base.Describe(description);
        description.Set("rank", _rank).Set("alpha", _alpha);
    }

    /// <summary>The weight with its update, summed in double.</summary>
    private float[] Merged()
    {
        float[] weight = Values(Original!), down = Values(Down!), up = Values(Up!);
        int outputs = Up!.Shape[1];
        for (int i = 0; i < weight.Length; i++)
        {
            (int row, int output) = Math.DivRem(i, outputs);
            double sum = 0;
            for (int k = 0; k < _rank; k++)
            {
                sum += (double)down[(row * _rank) + k] * up[(k * outputs) + output];
            }

            weight[i] = (float)(weight[i] + (sum * _alpha / _rank));
        }

        return weight;
    }

    private static float[] Values(Parameter parameter)
    {
        var values = new float[parameter.Count];
        parameter.Read(values);
        return values;
    }

    internal static LowRankAdapter Create(LayerDescription description) => new(
        InnerOf(description), description.Int32("rank"), description.Single("alpha"), description.Text("parameter"))
    {
        Name = description.Name,
    };
}
