using FastNN.Functions;

namespace FastNN;

/// <summary>
/// Rectified Adam (Liu et al., 2020), computed as PyTorch's RAdam does: plain momentum until the variance of the first steps is
/// known well enough, then Adam, rectified.
/// </summary>
public sealed class RAdam : Optimizer
{
    private readonly (float Beta1, float Beta2, float Epsilon, bool Decoupled) _options;

    /// <summary>Rectified Adam.</summary>
    /// <param name="learningRate">Default 0.001.</param>
    /// <param name="beta1">Decay of the mean; default 0.9.</param>
    /// <param name="beta2">Decay of the variance; default 0.999.</param>
    /// <param name="epsilon">Added to the denominator; default 1e-8.</param>
    /// <param name="weightDecay">Added to the gradient as weightDecay * w; default 0.</param>
    /// <param name="decoupled">Each step multiplies the weights by 1 - learningRate * weightDecay instead; default false.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public RAdam(
        float learningRate = 1e-3f, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-8f, float weightDecay = 0,
        bool decoupled = false)
        : base(
            learningRate, weightDecay,
            decoupled ? UpdateFunction.Of<RAdamUpdate<Yes>>() : UpdateFunction.Of<RAdamUpdate<No>>()) => _options = (
            Share(beta1, nameof(beta1)), Share(beta2, nameof(beta2)), NotNegative(epsilon, nameof(epsilon)), decoupled);

    /// <inheritdoc/>
    public override string Name => "RAdam";

    internal override void WriteScalars(Span<float> scalars, long step, float learningRate, float weightDecay)
    {
        (float beta1, float beta2, float epsilon, bool decoupled) = _options;
        double power = Math.Pow(Meant(beta2), step), longest = (2 / (1 - Meant(beta2))) - 1;
        double length = longest - (2 * step * power / (1 - power));
        bool isKnown = length > 5;
        double rectified = isKnown
            ? Math.Sqrt(
                (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length) * Correction(beta2, step))
            : 1;
        ReadOnlySpan<float> numbers =
        [
            decoupled ? 1 - (learningRate * weightDecay) : weightDecay,
            (float)(-learningRate * rectified / Correction(beta1, step)), Complement(beta1), beta2, Complement(beta2), epsilon,
            isKnown ? 1 : 0,
        ];
        numbers.CopyTo(scalars);
    }
}
