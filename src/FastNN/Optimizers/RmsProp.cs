using FastNN.Functions;

namespace FastNN;

/// <summary>
/// RMSprop (Tieleman and Hinton, 2012), with momentum and centered (Graves, 2013) as PyTorch's RMSprop computes them.
/// </summary>
public sealed class RmsProp : Optimizer
{
    private readonly (float Alpha, float Epsilon, float Momentum) _options;

    /// <summary>RMSprop.</summary>
    /// <param name="learningRate">Default 0.01.</param>
    /// <param name="alpha">Decay of the squared gradients' mean, in [0, 1); default 0.99.</param>
    /// <param name="epsilon">Added to the denominator; default 1e-8.</param>
    /// <param name="weightDecay">Added to the gradient as weightDecay * w; default 0.</param>
    /// <param name="momentum">In [0, 1); default 0.</param>
    /// <param name="centered">Divide by an estimate of the gradients' variance, which their mean is taken off. Default
    /// false.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public RmsProp(
        float learningRate = 0.01f, float alpha = 0.99f, float epsilon = 1e-8f, float weightDecay = 0, float momentum = 0,
        bool centered = false)
        : base(learningRate, weightDecay, (centered, momentum != 0) switch
        {
            (false, false) => UpdateFunction.Of<RmsPropUpdate<No, No>>(),
            (false, true) => UpdateFunction.Of<RmsPropUpdate<No, Yes>>(),
            (true, false) => UpdateFunction.Of<RmsPropUpdate<Yes, No>>(),
            _ => UpdateFunction.Of<RmsPropUpdate<Yes, Yes>>(),
        }) =>
        _options = (Share(alpha, nameof(alpha)), NotNegative(epsilon, nameof(epsilon)), Share(momentum, nameof(momentum)));

    /// <inheritdoc/>
    public override string Name => "RmsProp";

    internal override void WriteScalars(Span<float> scalars, long step, float learningRate, float weightDecay)
    {
        (float alpha, float epsilon, float momentum) = _options;
        ReadOnlySpan<float> numbers = [weightDecay, -learningRate, alpha, Complement(alpha), epsilon, momentum];
        numbers.CopyTo(scalars);
    }
}
