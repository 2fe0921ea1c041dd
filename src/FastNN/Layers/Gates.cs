using FastNN.Layers;

namespace FastNN;

/// <summary>
/// x where it is above 0, else x times a learned slope (He et al., 2015): one slope for all, or one for each place along the last
/// axis, where channels are.
/// </summary>
public sealed class PReLU : Layer
{
    private static readonly Initializer Quarter = Initializer.Constant(0.25f);

    private readonly int _slopes;
    private Parameter? _weight;

    /// <summary>A layer with its slopes.</summary>
    /// <param name="slopes">1 for all, or the extent of the last axis; default 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive.</exception>
    public PReLU(int slopes = 1)
    {
        RequirePositive(slopes);
        _slopes = slopes;
    }

    /// <summary>What the slopes begin with; default 0.25 (PyTorch).</summary>
    public Initializer WeightInitializer { get; init; } = Quarter;

    /// <summary>The slopes [1] or [channels], once built.</summary>
    public Parameter? Weight => _weight;

    /// <inheritdoc/>
    protected override void Build(Value x)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (_slopes > 1 && (x.Shape.Rank == 0 || x.Shape[-1] != _slopes))
        {
            throw new ShapeException(
                $"PReLU: expected {_slopes} channels along the last axis, one for each slope, got {x.Shape}; give one slope or as many as channels.");
        }

        _weight = AddParameter("weight", new Shape(_slopes), WeightInitializer);
    }

    /// <inheritdoc/>
    protected override Value Forward(Value x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.PReLU(x.Graph.Use(_weight!));
    }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("slopes", _slopes).Set("weightInitializer", WeightInitializer, Quarter);
    }

    internal static PReLU Create(LayerDescription description) => new(description.Int32("slopes"))
    {
        Name = description.Name,
        WeightInitializer = description.Initializer("weightInitializer", Quarter),
    };
}

/// <summary>Which activation a <see cref="GLU"/> multiplies with.</summary>
public enum GateKind
{
    /// <summary>GLU itself, as in PyTorch.</summary>
    Sigmoid,

    /// <summary>SwiGLU.</summary>
    SiLU,

    /// <summary>GeGLU.</summary>
    Gelu,

    /// <summary>ReGLU.</summary>
    ReLU,
}

/// <summary>
/// A gated linear unit: the first half along an axis times an activation of the second (Dauphin et al., 2017; Shazeer, 2020).
/// </summary>
/// <param name="axis">An axis of even extent; default the last.</param>
public sealed class GLU(int axis = -1) : Layer
{
    /// <summary>The activation; default <see cref="GateKind.Sigmoid"/>.</summary>
    public GateKind Gate
    {
        get;
        init => field = Enum.IsDefined(value)
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(Gate), $"GLU: expected a gate of Sigmoid, SiLU, Gelu or ReLU, got {value}.");
    }

    /// <inheritdoc/>
    protected override Value Forward(Value x) => Gate switch
    {
        GateKind.Sigmoid => x.GLU(axis),
        GateKind.SiLU => x.SwiGLU(axis),
        GateKind.Gelu => x.GeGLU(axis),
        _ => x.ReGLU(axis),
    };

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("axis", axis);
        if (Gate != GateKind.Sigmoid)
        {
            description.Set("gate", (int)Gate);
        }
    }

    internal static GLU Create(LayerDescription description) =>
        new(description.Int32("axis")) { Name = description.Name, Gate = (GateKind)description.Int32("gate", 0) };
}
