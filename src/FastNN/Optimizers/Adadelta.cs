using FastNN.Functions;

namespace FastNN;

/// <summary>Adadelta (Zeiler, 2012), computed as PyTorch's Adadelta does.</summary>
public sealed class Adadelta : Optimizer
{
    private readonly (float Rho, float Epsilon) _options;

    /// <summary>Adadelta.</summary>
    /// <param name="learningRate">What the changes are multiplied with; default 1.</param>
    /// <param name="rho">Decay of the means of squared gradients and changes, in [0, 1); default 0.9.</param>
    /// <param name="epsilon">Added to both means; default 1e-6.</param>
    /// <param name="weightDecay">Added to the gradient as weightDecay * w; default 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public Adadelta(float learningRate = 1, float rho = 0.9f, float epsilon = 1e-6f, float weightDecay = 0)
        : base(learningRate, weightDecay, UpdateFunction.Of<AdadeltaUpdate>()) =>
        _options = (Share(rho, nameof(rho)), NotNegative(epsilon, nameof(epsilon)));

    /// <inheritdoc/>
    public override string Name => "Adadelta";

    internal override void WriteScalars(Span<float> scalars, long step, float learningRate, float weightDecay)
    {
        ReadOnlySpan<float> numbers = [weightDecay, -learningRate, _options.Rho, Complement(_options.Rho), _options.Epsilon];
        numbers.CopyTo(scalars);
    }
}
