using FastNN.Layers;

namespace FastNN;

/// <summary>What all convolutions have: a filter and a bias, what they are drawn from, and an activation.</summary>
public abstract class ConvolutionLayer : Layer
{
    private readonly Activation _activation;
    private bool _useBias = true;
    private Initializer _weightInitializer = Initializer.GlorotUniform;
    private Initializer _biasInitializer = Initializer.Zeros;
    private Regularizer? _weightRegularizer;

    private protected ConvolutionLayer(Activation activation) => _activation = activation;

    /// <summary>Add a bias; default true.</summary>
    public bool UseBias
    {
        get => _useBias;
        init => _useBias = value;
    }

    /// <summary>What the filter is drawn from; default Glorot uniform (Keras).</summary>
    public Initializer WeightInitializer
    {
        get => _weightInitializer;
        init => _weightInitializer = value;
    }

    /// <summary>What the bias is drawn from; default zeros (Keras).</summary>
    public Initializer BiasInitializer
    {
        get => _biasInitializer;
        init => _biasInitializer = value;
    }

    /// <summary>A penalty on the filter; default none.</summary>
    public Regularizer? WeightRegularizer
    {
        get => _weightRegularizer;
        init => _weightRegularizer = value;
    }

    /// <summary>
    /// The filter [K..., C / groups, filters], or [K..., filters / groups, C] of a transposed convolution, once built; in files
    /// as PyTorch has it.
    /// </summary>
    public Parameter? Weight { get; private set; }

    /// <summary>The bias [filters], once built and if there is one.</summary>
    public Parameter? Bias { get; private set; }

    internal Activation Activation => _activation;

    /// <summary>Taps along each axis.</summary>
    private protected abstract int[] Kernel { get; }

    private protected virtual bool IsTransposed => false;

    /// <summary>The output's channels and the groups, for so many of the input.</summary>
    private protected abstract (int Filters, int Groups) ChannelsFor(int channels);

    private protected abstract Value Convolve(Value x, Value weight, Value? bias);

    /// <inheritdoc/>
    protected sealed override void Build(Value x)
    {
        ArgumentNullException.ThrowIfNull(x);
        string name = GetType().Name;
        if (x.Shape.Rank != Kernel.Length + 2)
        {
            string expected = Kernel.Length switch
            {
                1 => "sequences [N, L, C]",
                2 => "images [N, H, W, C]",
                _ => "volumes [N, D, H, W, C]",
            };
            throw new ShapeException($"{name}: expected a batch of {expected}, got an input of shape {x.Shape}.");
        }

        int channels = x.Shape[-1];
        if (Dim.IsSymbol(channels))
        {
            throw new ShapeException($"{name}: expected a known number of channels, got an input of shape {x.Shape}.");
        }

        (int filters, int groups) = ChannelsFor(channels);
        if (groups <= 0 || channels % groups != 0 || filters % groups != 0)
        {
            throw new ShapeException($"{name}: {groups} groups do not divide {channels} channels and {filters} filters.");
        }

        (int first, int second) = IsTransposed ? (filters / groups, channels) : (channels / groups, filters);
        Weight = AddParameter("weight", new Shape([.. Kernel, first, second]), WeightInitializer, ParameterLayout.Filter);
        Bias = UseBias ? AddParameter("bias", new Shape(filters), BiasInitializer) : null;
    }

    /// <inheritdoc/>
    protected sealed override Value Forward(Value x)
    {
        ArgumentNullException.ThrowIfNull(x);
        Value weight = x.Graph.Use(Weight!);
        WeightRegularizer?.AddTo(weight);
        return Convolve(x, weight, Bias is null ? null : x.Graph.Use(Bias)).Activate(_activation);
    }

    /// <summary>Fails unless there are filters and taps.</summary>
    private protected void RequireSizes(int filters, params ReadOnlySpan<int> kernel)
    {
        RequirePositive(filters);
        foreach (int taps in kernel)
        {
            RequirePositive(taps, nameof(kernel));
        }
    }

    private protected void DescribeActivation(LayerDescription description) => description.Set("activation", _activation);

    /// <summary>Notes what this class knows, where it is not the default.</summary>
    private protected void DescribeRest(LayerDescription description, int groups)
    {
        if (groups != 1)
        {
            description.Set("groups", groups);
        }

        if (!UseBias)
        {
            description.Set("useBias", UseBias);
        }

        description.Set("weightInitializer", WeightInitializer, Initializer.GlorotUniform)
            .Set("biasInitializer", BiasInitializer, Initializer.Zeros)
            .Set(WeightRegularizer);
    }

    /// <summary>Takes what <see cref="DescribeRest"/> noted.</summary>
    private protected void Read(LayerDescription description)
    {
        _useBias = description.Boolean("useBias", true);
        _weightInitializer = description.Initializer("weightInitializer", Initializer.GlorotUniform);
        _biasInitializer = description.Initializer("biasInitializer", Initializer.Zeros);
        _weightRegularizer = description.Regularizer();
    }
}
