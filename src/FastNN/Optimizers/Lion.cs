using FastNN.Functions;

namespace FastNN;

/// <summary>
/// Lion (Chen et al., 2023): steps of one size along the sign of a mean of gradients, with decoupled weight decay. It remembers
/// half as much as Adam and wants a rate 3 to 10 times smaller.
/// </summary>
public sealed class Lion : Optimizer
{
    private readonly (float Beta1, float Beta2) _options;

    /// <summary>Lion.</summary>
    /// <param name="learningRate">Default 0.0001.</param>
    /// <param name="beta1">What of the mean the direction keeps; default 0.9.</param>
    /// <param name="beta2">Decay of the mean; default 0.99.</param>
    /// <param name="weightDecay">Each step multiplies the weights by 1 - learningRate * weightDecay; default 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public Lion(float learningRate = 1e-4f, float beta1 = 0.9f, float beta2 = 0.99f, float weightDecay = 0)
        : base(learningRate, weightDecay, UpdateFunction.Of<LionUpdate>()) =>
        _options = (Share(beta1, nameof(beta1)), Share(beta2, nameof(beta2)));

    /// <inheritdoc/>
    public override string Name => "Lion";

    internal override void WriteScalars(Span<float> scalars, long step, float learningRate, float weightDecay)
    {
        ReadOnlySpan<float> numbers = [
            1 - (learningRate * weightDecay), -learningRate, Complement(_options.Beta1), Complement(_options.Beta2)];
        numbers.CopyTo(scalars);
    }
}
