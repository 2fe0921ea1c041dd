using FastNN.Functions;

namespace FastNN;

/// <summary>Adagrad (Duchi et al., 2011), computed as PyTorch's Adagrad does.</summary>
public sealed class Adagrad : Optimizer
{
    private readonly (float RateDecay, float InitialSum, float Epsilon) _options;

    /// <summary>Adagrad.</summary>
    /// <param name="learningRate">Default 0.01.</param>
    /// <param name="learningRateDecay">Step t has the rate learningRate / (1 + (t - 1) learningRateDecay); default 0.</param>
    /// <param name="weightDecay">Added to the gradient as weightDecay * w; default 0.</param>
    /// <param name="initialSum">What the sums of squared gradients begin with; default 0.</param>
    /// <param name="epsilon">Added to the denominator; default 1e-10.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public Adagrad(
        float learningRate = 0.01f, float learningRateDecay = 0, float weightDecay = 0, float initialSum = 0,
        float epsilon = 1e-10f)
        : base(learningRate, weightDecay, UpdateFunction.Of<AdagradUpdate>()) => _options = (
            NotNegative(learningRateDecay, nameof(learningRateDecay)), NotNegative(initialSum, nameof(initialSum)),
            NotNegative(epsilon, nameof(epsilon)));

    /// <inheritdoc/>
    public override string Name => "Adagrad";

    internal override float InitialState => _options.InitialSum;

    internal override void WriteScalars(Span<float> scalars, long step, float learningRate, float weightDecay)
    {
        ReadOnlySpan<float> numbers = [
            weightDecay, (float)(-learningRate / (1 + ((step - 1) * (double)_options.RateDecay))), _options.Epsilon];
        numbers.CopyTo(scalars);
    }
}
