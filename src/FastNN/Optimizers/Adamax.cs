using FastNN.Functions;

namespace FastNN;

/// <summary>
/// Adamax (Kingma and Ba, 2015): Adam with the largest gradient in the variance's place, computed as PyTorch's Adamax does.
/// </summary>
public sealed class Adamax : Optimizer
{
    private readonly (float Beta1, float Beta2, float Epsilon) _options;

    /// <summary>Adamax.</summary>
    /// <param name="learningRate">Default 0.002.</param>
    /// <param name="beta1">Decay of the mean; default 0.9.</param>
    /// <param name="beta2">Decay of the largest gradient; default 0.999.</param>
    /// <param name="epsilon">Added to each gradient's magnitude; default 1e-8.</param>
    /// <param name="weightDecay">Added to the gradient as weightDecay * w; default 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public Adamax(
        float learningRate = 2e-3f, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-8f, float weightDecay = 0)
        : base(learningRate, weightDecay, UpdateFunction.Of<AdamaxUpdate>()) =>
        _options = (Share(beta1, nameof(beta1)), Share(beta2, nameof(beta2)), NotNegative(epsilon, nameof(epsilon)));

    /// <inheritdoc/>
    public override string Name => "Adamax";

    internal override void WriteScalars(Span<float> scalars, long step, float learningRate, float weightDecay)
    {
        (float beta1, float beta2, float epsilon) = _options;
        ReadOnlySpan<float> numbers = [
            weightDecay, -(float)(learningRate / Correction(beta1, step)), Complement(beta1), beta2, epsilon];
        numbers.CopyTo(scalars);
    }
}
