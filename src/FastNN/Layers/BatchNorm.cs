namespace FastNN;

/// <summary>
/// Batch normalization (Ioffe and Szegedy, 2015) of the last axis. Training takes the batch's statistics and keeps running ones,
/// inference takes those. Parameters and statistics have PyTorch's names: weight, bias, running_mean, running_var.
/// </summary>
public abstract class BatchNorm : Layer
{
    private Parameter? _weight;
    private Parameter? _bias;

    private protected BatchNorm()
    {
    }

    /// <summary>Of the batch in the running statistics; default 0.1 (PyTorch).</summary>
    public float Momentum { get; init; } = 0.1f;

    /// <summary>Added to the variance; default 1e-5.</summary>
    public float Epsilon { get; init; } = 1e-5f;

    /// <summary>Have a weight and a bias; default true.</summary>
    public bool IsAffine { get; init; } = true;

    /// <summary>The weight [C], once built and if there is one.</summary>
    public Parameter? Weight => _weight;

    /// <summary>The bias [C], likewise.</summary>
    public Parameter? Bias => _bias;

    /// <summary>The running mean [C], once built.</summary>
    public Parameter? RunningMean { get; private set; }

    /// <summary>The running variance [C], once built.</summary>
    public Parameter? RunningVariance { get; private set; }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("momentum", Momentum).Set("epsilon", Epsilon).Set("isAffine", IsAffine);
    }

    /// <summary>Whether an input has the axes of this layer.</summary>
    private protected abstract bool Takes(Shape x);

    /// <summary>The axes of an input, as errors name them.</summary>
    private protected abstract string Axes { get; }

    /// <inheritdoc/>
    protected override void Build(Value x)
    {
        if (!Takes(x.Shape))
        {
            throw new ShapeException(
                $"{GetType().Name}: expected an input {Axes}, got {x.Shape}.");
        }

        var channels = new Shape(x.Shape[-1]);
        ParameterLayout layout = ParameterLayout.OfFeatures(x);
        if (IsAffine)
        {
            _weight = AddParameter("weight", channels, Initializer.Constant(1), layout);
            _bias = AddParameter("bias", channels, Initializer.Zeros, layout);
        }

        RunningMean = AddBuffer("running_mean", channels, Initializer.Zeros, layout);
        RunningVariance = AddBuffer("running_var", channels, Initializer.Constant(1), layout);
    }

    /// <inheritdoc/>
    protected override Value Forward(Value x)
    {
        Graph graph = x.Graph;
        return x.BatchNorm(
            graph.Use(RunningMean!), graph.Use(RunningVariance!), _weight is null ? null : graph.Use(_weight),
            _bias is null ? null : graph.Use(_bias),
            Momentum, Epsilon);
    }

    internal static T Create<T>(LayerDescription description)
        where T : BatchNorm, new() => new()
        {
            Name = description.Name,
            Momentum = description.Single("momentum"),
            Epsilon = description.Single("epsilon"),
            IsAffine = description.Boolean("isAffine"),
        };
}

/// <summary>Batch normalization of [N, C] or [N, L, C], as PyTorch's BatchNorm1d.</summary>
public sealed class BatchNorm1D : BatchNorm
{
    private protected override bool Takes(Shape x) => x.Rank is 2 or 3;

    private protected override string Axes => "[N, C] or [N, L, C]";
}

/// <summary>Batch normalization of images [N, H, W, C], as PyTorch's BatchNorm2d.</summary>
public sealed class BatchNorm2D : BatchNorm
{
    private protected override bool Takes(Shape x) => x.Rank == 4;

    private protected override string Axes => "[N, H, W, C]";
}

/// <summary>Batch normalization of volumes [N, D, H, W, C], as PyTorch's BatchNorm3d.</summary>
public sealed class BatchNorm3D : BatchNorm
{
    private protected override bool Takes(Shape x) => x.Rank == 5;

    private protected override string Axes => "[N, D, H, W, C]";
}
