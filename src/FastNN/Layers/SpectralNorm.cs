namespace FastNN;

/// <summary>
/// Spectral normalization (Miyato et al., 2018): the weight over its largest singular value, found by power iteration in training
/// steps, as PyTorch's spectral_norm. Its parameter is "weight_orig", its buffers "weight_u" [out] and "weight_v" [all others].
/// </summary>
/// <param name="layer">The layer around whose weight it is, such as Dense or Conv2D.</param>
/// <param name="iterations">Power iterations of a step, 1 to 1,000; default 1.</param>
/// <param name="name">The weight's name; default "weight".</param>
public sealed class SpectralNorm(Layer layer, int iterations = 1, string name = "weight") : ParametrizedWeight(layer, name)
{
    /// <summary>Each iteration records its own operators.</summary>
    private const int MaxIterations = 1000;

    private Parameter? _u;
    private Parameter? _v;

    /// <summary>The least norm that a vector is divided by; default 1e-12.</summary>
    public float Epsilon { get; init; } = 1e-12f;

    /// <summary>The weight before it is divided, once built.</summary>
    public Parameter? Original { get; private set; }

    private protected override void AddParameters()
    {
        if (iterations is < 1 or > MaxIterations)
        {
            throw new ShapeException($"SpectralNorm: expected 1 to {MaxIterations} power iterations, got {iterations}.");
        }

        Shape shape = Weight.Shape;
        int outputs = shape[-1];
        Original = AddParameter($"{WeightName}_orig", shape, Weight.Initializer, Weight.Layout);
        _u = AddBuffer($"{WeightName}_u", new Shape(outputs), UnitVector.Instance);
        _v = AddBuffer(
            $"{WeightName}_v", new Shape([.. shape[..^1], 1]), UnitVector.Instance, ParameterLayout.Flat(Weight.Layout));
    }

    private protected override Value Record(Graph graph)
    {
        Value weight = graph.Use(Original!), bufferU = graph.Use(_u!), bufferV = graph.Use(_v!);
        int outputs = Weight.Shape[-1], others = checked((int)(Weight.Shape.Count / outputs));
        Value matrix = weight.Reshape(new Shape(others, outputs)), constant = matrix.StopGradient();
        Value u = bufferU.Reshape(new Shape(outputs, 1)), v = bufferV.Reshape(new Shape(others, 1));
        if (graph.Mode == GraphMode.Training)
        {
            for (int i = 0; i < iterations; i++)
            {
                v = Unit(constant.MatMul(u));
                u = Unit(constant.MatMul(v, transposeA: true));
            }

            graph.WriteBack(bufferU, u.Reshape(bufferU.Shape));
            graph.WriteBack(bufferV, v.Reshape(bufferV.Shape));
        }

        Value sigma = v.MatMul(matrix.MatMul(u), transposeA: true);
        return weight / sigma.Reshape(default);
    }

    private Value Unit(Value x) => x / x.Square().Sum().Sqrt().Maximum(x.Graph.Constant(Epsilon));

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        base.Describe(description);
        description.Set("iterations", iterations).Set("epsilon", Epsilon);
    }

    internal static SpectralNorm Create(LayerDescription description) => new(
        InnerOf(description), description.Int32("iterations"), description.Text("parameter"))
    {
        Name = description.Name,
        Epsilon = description.Single("epsilon"),
    };

    private sealed class UnitVector : Initializer
    {
        public static readonly UnitVector Instance = new();

        public override void Fill(Span<float> values, Shape shape, ulong seed, uint number)
        {
            Normal(0, 1).Fill(values, shape, seed, number);
            double sum = 0;
            foreach (float value in values)
            {
                sum += value * (double)value;
            }

            var scale = (float)(1 / Math.Max(Math.Sqrt(sum), 1e-12));
            foreach (ref float value in values)
            {
                value *= scale;
            }
        }
    }
}
