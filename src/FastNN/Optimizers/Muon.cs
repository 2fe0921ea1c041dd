namespace FastNN;

/// <summary>How a rate is matched to a matrix's size by <see cref="Muon"/>.</summary>
public enum MuonScale
{
    /// <summary>Times sqrt(max(1, outputs / inputs)) (Jordan, 2024; PyTorch's "original").</summary>
    Original,

    /// <summary>Times 0.2 sqrt(max(outputs, inputs)), so that steps are as large as AdamW's (PyTorch's
    /// "match_rms_adamw").</summary>
    LikeAdamW,
}

/// <summary>
/// Muon (Jordan, 2024), computed as PyTorch's Muon does but in Float32 throughout: the momentum of a matrix is made nearly
/// orthogonal by five steps of Newton and Schulz before it is taken off, with decoupled weight decay. Filters count as matrices
/// [all other axes, outputs]. Parameters with fewer than two axes are updated as AdamW does; give embeddings and the last layer
/// to an AdamW of their own, as is usual. Its update is recorded: it multiplies matrices.
/// </summary>
public sealed class Muon : CustomOptimizer
{
    private const int NewtonSteps = 5;

    private readonly (float Momentum, bool Nesterov, MuonScale Scale, float AdamShare) _options;

    /// <summary>Muon.</summary>
    /// <param name="learningRate">Of matrices; default 0.001.</param>
    /// <param name="momentum">In [0, 1); default 0.95.</param>
    /// <param name="nesterov">Nesterov's momentum; default true.</param>
    /// <param name="weightDecay">Each step multiplies the weights by 1 - learningRate * weightDecay; default 0.1.</param>
    /// <param name="scale">How rates are matched to sizes; default as in the original.</param>
    /// <param name="adamLearningRate">Of all other parameters, at the first rate of a schedule; default 0.001.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public Muon(
        float learningRate = 1e-3f, float momentum = 0.95f, bool nesterov = true, float weightDecay = 0.1f,
        MuonScale scale = MuonScale.Original, float adamLearningRate = 1e-3f)
        : base(learningRate, weightDecay)
    {
        if (learningRate == 0)
        {
            throw new ArgumentOutOfRangeException(nameof(learningRate), "Muon: expected a learning rate above 0, got 0.");
        }

        if (!Enum.IsDefined(scale))
        {
            throw new ArgumentOutOfRangeException(
                nameof(scale), $"Muon: expected a scale of Original or LikeAdamW, got {scale}.");
        }

        _options = (
            Share(momentum, nameof(momentum)), nesterov, scale,
            NotNegative(adamLearningRate, nameof(adamLearningRate)) / learningRate);
    }

    /// <inheritdoc/>
    public override string Name => "Muon";

    /// <summary>The momentum is the mean; matrices leave the variance at 0.</summary>
    protected override IReadOnlyList<string> States => ["mean", "variance"];

    /// <inheritdoc/>
    protected override bool IsElementwise => false;

    /// <inheritdoc/>
    protected override void Record(UpdateRecording update)
    {
        (float momentum, bool nesterov, MuonScale scale, float adamShare) = _options;
        (Value p, Value g, Shape shape) = (update.Parameter, update.Gradient, update.Parameter.Shape);
        Value rate = update.LearningRate;
        if (shape.Rank < 2 || shape.Count == 0)
        {
            rate *= adamShare;
            update.SetParameter(Decayed(rate) - (RecordedMoments.Step(update, 0.9f, 0.999f, 1e-8f) * rate));
            return;
        }

        Value mean = update.State("mean");
        mean += (g - mean) * (float)(1 - (double)(decimal)momentum);
        update.SetState("mean", mean);
        Value direction = nesterov ? g + ((mean - g) * momentum) : mean;
        (int outputs, int inputs) = (shape[-1], (int)(shape.Count / shape[-1]));
        double factor = scale == MuonScale.Original
            ? Math.Sqrt(Math.Max(1, outputs / (double)inputs))
            : 0.2 * Math.Sqrt(Math.Max(outputs, inputs));
        Value orthogonal = Orthogonalized(direction.Reshape(new Shape(inputs, outputs)), inputs > outputs).Reshape(shape);
        update.SetParameter(Decayed(rate) - (orthogonal * (rate * (float)factor)));

        Value Decayed(Value by) => update.WeightDecay == 0 ? p : p * (1 - (by * update.WeightDecay));
    }

    /// <summary>
    /// Singular values that are all near 1, by x = a x + (b (x x') + c (x x')^2) x with the smaller of both products.
    /// </summary>
    private static Value Orthogonalized(Value x, bool isTall)
    {
        x /= x.Square().Sum().Sqrt().Maximum(1e-7f);
        for (int i = 0; i < NewtonSteps; i++)
        {
            Value squares = isTall ? x.MatMul(x, transposeA: true) : x.MatMul(x, transposeB: true);
            Value polynomial = (squares * -4.7750f) + (squares.MatMul(squares) * 2.0315f);
            x = (x * 3.4445f) + (isTall ? x.MatMul(polynomial) : polynomial.MatMul(x));
        }

        return x;
    }
}
