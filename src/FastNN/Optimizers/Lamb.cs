namespace FastNN;

/// <summary>
/// LAMB (You et al., 2020): AdamW whose step is, for each parameter tensor, in proportion to the tensor's norm, for very large
/// batches. Its update is recorded: norms need whole tensors.
/// </summary>
public sealed class Lamb : CustomOptimizer
{
    private readonly (float Beta1, float Beta2, float Epsilon) _options;

    /// <summary>LAMB.</summary>
    /// <param name="learningRate">Default 0.001.</param>
    /// <param name="beta1">Decay of the mean; default 0.9.</param>
    /// <param name="beta2">Decay of the variance; default 0.999.</param>
    /// <param name="epsilon">Added to the denominator; default 1e-6.</param>
    /// <param name="weightDecay">Added to the step, before its norm is taken, as weightDecay * w; default 0.01.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public Lamb(
        float learningRate = 1e-3f, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-6f, float weightDecay = 0.01f)
        : base(learningRate, weightDecay) => _options = (
        Share(beta1, nameof(beta1)), Share(beta2, nameof(beta2)), NotNegative(epsilon, nameof(epsilon)));

    /// <inheritdoc/>
    public override string Name => "Lamb";

    /// <inheritdoc/>
    protected override IReadOnlyList<string> States => ["mean", "variance"];

    /// <inheritdoc/>
    protected override bool IsElementwise => false;

    /// <inheritdoc/>
    protected override void Record(UpdateRecording update)
    {
        (float beta1, float beta2, float epsilon) = _options;
        (Value p, Value step) = (update.Parameter, RecordedMoments.Step(update, beta1, beta2, epsilon));
        if (update.WeightDecay != 0)
        {
            step += p * update.WeightDecay;
        }

        // The ratio of the norms, 1 where one of them is 0.
        Value size = p.Square().Sum().Sqrt(), length = step.Square().Sum().Sqrt();
        Value ratio = ShapeOperators.Where((size > 0) & (length > 0), size / length, update.Graph.Constant(1));
        update.SetParameter(p - (step * (ratio * update.LearningRate)));
    }
}

/// <summary>What recorded optimizers share.</summary>
internal static class RecordedMoments
{
    /// <summary>Adam's direction, of the states "mean" and "variance", which are replaced.</summary>
    public static Value Step(UpdateRecording update, float beta1, float beta2, float epsilon)
    {
        Value g = update.Gradient, mean = update.State("mean"), variance = update.State("variance");
        mean += (g - mean) * Complement(beta1);
        variance = (variance * beta2) + (g.Square() * Complement(beta2));
        update.SetState("mean", mean);
        update.SetState("variance", variance);
        return mean / Correction(beta1) / ((variance / Correction(beta2)).Sqrt() + epsilon);

        Value Correction(float beta) =>
            beta == 0 ? update.Graph.Constant(1) : -(update.Step * (float)Math.Log((double)(decimal)beta)).Expm1();
    }

    private static float Complement(float beta) => (float)(1 - (double)(decimal)beta);
}
