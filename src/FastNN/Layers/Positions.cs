using FastNN.Layers;

namespace FastNN;

/// <summary>
/// Adds sines and cosines of the position (Vaswani et al., 2017): x [B, T, D] plus, at 2i, sin(position / 10000^(2i / D)) and at
/// 2i + 1 its cosine.
/// </summary>
/// <param name="maxPositions">The most positions; default 5,000.</param>
public sealed class SinusoidalPositions(int maxPositions = 5000) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x)
    {
        RequirePositive(maxPositions);
        Position.Require(x, nameof(SinusoidalPositions), maxPositions);
        int width = x.Shape[2];
        Value table = x.Graph.Constant(PositionTables.Sinusoidal(maxPositions, width), new Shape(maxPositions, width));
        return x + table.FirstRows(x.Shape[1]);
    }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("maxPositions", maxPositions);
    }

    internal static SinusoidalPositions Create(LayerDescription description) =>
        new(description.Int32("maxPositions")) { Name = description.Name };
}

/// <summary>
/// Adds a row per position that is learned: x [B, T, D] plus the first T rows of "weight" [positions, D], as an Embedding of the
/// positions has it.
/// </summary>
/// <param name="maxPositions">Rows of the table.</param>
public sealed class LearnedPositions(int maxPositions) : Layer
{
    private static readonly Initializer Small = Initializer.Normal(0, 0.02f);

    private Parameter? _weight;

    /// <summary>What the table is drawn from; default normal with deviation 0.02 (GPT-2).</summary>
    public Initializer WeightInitializer { get; init; } = Small;

    /// <summary>The table [positions, D], once built.</summary>
    public Parameter? Weight => _weight;

    /// <inheritdoc/>
    protected override void Build(Value x)
    {
        RequirePositive(maxPositions);
        Position.Require(x, nameof(LearnedPositions), maxPositions);
        _weight = AddParameter("weight", new Shape(maxPositions, x.Shape[2]), WeightInitializer);
    }

    /// <inheritdoc/>
    protected override Value Forward(Value x)
    {
        Position.Require(x, nameof(LearnedPositions), maxPositions);
        return x + x.Graph.Use(_weight!).FirstRows(x.Shape[1]);
    }

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("maxPositions", maxPositions).Set("weightInitializer", WeightInitializer, Small);
    }

    internal static LearnedPositions Create(LayerDescription description) => new(description.Int32("maxPositions"))
    {
        Name = description.Name,
        WeightInitializer = description.Initializer("weightInitializer", Small),
    };
}

/// <summary>
/// Rotates the rows of [B, T, H, D] by their positions (<see cref="AttentionOperators.Rotary"/>): for queries and keys of an
/// attention of your own; <see cref="MultiHeadAttention.RotaryPositions"/> has it built in.
/// </summary>
/// <param name="maxPositions">Positions are 0 to this less 1.</param>
public sealed class RotaryEmbedding(int maxPositions) : Layer
{
    /// <summary>The base of the angles; default 10,000.</summary>
    public float Theta { get; init; } = 10_000;

    /// <summary>Neighbors are a pair; default false, the halves.</summary>
    public bool Interleaved { get; init; }

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.Shape.Rank == 4
        ? x.Rotary(maxPositions, theta: Theta, interleaved: Interleaved)
        : throw new ShapeException($"RotaryEmbedding: expected [B, T, H, D], got {x.Shape}.");

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("maxPositions", maxPositions).Set("theta", Theta).Set("interleaved", Interleaved);
    }

    internal static RotaryEmbedding Create(LayerDescription description) => new(description.Int32("maxPositions"))
    {
        Name = description.Name,
        Theta = description.Single("theta"),
        Interleaved = description.Boolean("interleaved", false),
    };
}

/// <summary>What layers of positions ask of their input.</summary>
file static class Position
{
    public static void Require(Value x, string layer, int maxPositions)
    {
        if (x.Shape.Rank != 3 || Dim.IsSymbol(x.Shape[2]) || x.Type != DType.Float32)
        {
            throw new ShapeException($"{layer}: expected Float32 [B, T, D] of a known width, got {x.TensorType}.");
        }

        if (!Dim.IsSymbol(x.Shape[1]) && x.Shape[1] > maxPositions)
        {
            throw new ShapeException($"{layer}: expected at most {maxPositions} positions [B, T, D], got {x.Shape}.");
        }
    }
}
