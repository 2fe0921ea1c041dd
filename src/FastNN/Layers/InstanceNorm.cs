namespace FastNN;

/// <summary>
/// Instance normalization (Ulyanov et al., 2016): each example's channels, the last axis, by their own statistics. As in PyTorch
/// there is no weight unless asked for, and no running statistics unless asked for; with those, inference takes them.
/// </summary>
public abstract class InstanceNorm : Layer
{
    private Parameter? _weight;
    private Parameter? _bias;

    private protected InstanceNorm()
    {
    }

    /// <summary>Of the batch in the running statistics; default 0.1 (PyTorch).</summary>
    public float Momentum { get; init; } = 0.1f;

    /// <summary>Added to the variance; default 1e-5.</summary>
    public float Epsilon { get; init; } = 1e-5f;

    /// <summary>Have a weight and a bias; default false (PyTorch).</summary>
    public bool IsAffine { get; init; }

    /// <summary>
    /// Keep running statistics, the mean of the examples', and take them in inference; default false (PyTorch).
    /// </summary>
    public bool TracksRunningStatistics { get; init; }

    /// <summary>The weight [C], once built and if there is one.</summary>
    public Parameter? Weight => _weight;

    /// <summary>The bias [C], likewise.</summary>
    public Parameter? Bias => _bias;

    /// <summary>The running mean [C], once built and if it is kept.</summary>
    public Parameter? RunningMean { get; private set; }

    /// <summary>The running variance [C], likewise.</summary>
    public Parameter? RunningVariance { get; private set; }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("momentum", Momentum).Set("epsilon", Epsilon).Set("isAffine", IsAffine)
            .Set("tracksRunningStatistics", TracksRunningStatistics);
    }

    /// <summary>Axes of an input, batch and channels among them.</summary>
    private protected abstract int Rank { get; }

    /// <summary>Their names in errors.</summary>
    private protected abstract string Axes { get; }

    /// <inheritdoc/>
    protected override void Build(Value x)
    {
        if (x.Shape.Rank != Rank)
        {
            throw new ShapeException($"{GetType().Name}: expected an input {Axes}, got {x.Shape}.");
        }

        var channels = new Shape(x.Shape[-1]);
        if (IsAffine)
        {
            _weight = AddParameter("weight", channels, Initializer.Constant(1));
            _bias = AddParameter("bias", channels, Initializer.Zeros);
        }

        if (TracksRunningStatistics)
        {
            RunningMean = AddBuffer("running_mean", channels, Initializer.Zeros);
            RunningVariance = AddBuffer("running_var", channels, Initializer.Constant(1));
        }
    }

    /// <inheritdoc/>
    protected override Value Forward(Value x)
    {
        Graph graph = x.Graph;
        Value? weight = _weight is null ? null : graph.Use(_weight), bias = _bias is null ? null : graph.Use(_bias);
        if (RunningMean is null || RunningVariance is null)
        {
            return x.InstanceNorm(weight, bias, Epsilon);
        }

        Value mean = graph.Use(RunningMean), variance = graph.Use(RunningVariance);
        if (graph.Mode != GraphMode.Training)
        {
            return x.BatchNorm(mean, variance, weight, bias, Momentum, Epsilon);
        }

        int[] places = [.. Enumerable.Range(1, Rank - 2)];
        graph.WriteBack(mean, Moved(mean, x.Mean(places).Mean([0])));
        graph.WriteBack(variance, Moved(variance, x.Variance(places, correction: 1).Mean([0])));
        return x.InstanceNorm(weight, bias, Epsilon);
    }

    internal static T Create<T>(LayerDescription description)
        where T : InstanceNorm, new() => new()
        {
            Name = description.Name,
            Momentum = description.Single("momentum"),
            Epsilon = description.Single("epsilon"),
            IsAffine = description.Boolean("isAffine"),
            TracksRunningStatistics = description.Boolean("tracksRunningStatistics"),
        };

    private Value Moved(Value running, Value batch) =>
        (running * running.Graph.Constant(1 - Momentum)) + (batch * running.Graph.Constant(Momentum));
}

/// <summary>Instance normalization of sequences [N, L, C], as PyTorch's InstanceNorm1d.</summary>
public sealed class InstanceNorm1D : InstanceNorm
{
    private protected override int Rank => 3;

    private protected override string Axes => "[N, L, C]";
}

/// <summary>Instance normalization of images [N, H, W, C], as PyTorch's InstanceNorm2d.</summary>
public sealed class InstanceNorm2D : InstanceNorm
{
    private protected override int Rank => 4;

    private protected override string Axes => "[N, H, W, C]";
}

/// <summary>Instance normalization of volumes [N, D, H, W, C], as PyTorch's InstanceNorm3d.</summary>
public sealed class InstanceNorm3D : InstanceNorm
{
    private protected override int Rank => 5;

    private protected override string Axes => "[N, D, H, W, C]";
}
