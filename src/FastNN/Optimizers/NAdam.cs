using FastNN.Functions;

namespace FastNN;

/// <summary>NAdam (Dozat, 2016): Adam with Nesterov's momentum, computed as PyTorch's NAdam does.</summary>
public sealed class NAdam : Optimizer
{
    private readonly (float Beta1, float Beta2, float Epsilon, float MomentumDecay) _options;
    private readonly bool _decoupled;

    // The product of mu up to a step; what is not the step after it is multiplied anew.
    private (long Step, double Product) _momentum = (0, 1);

    /// <summary>NAdam.</summary>
    /// <param name="learningRate">Default 0.002.</param>
    /// <param name="beta1">Decay of the mean; default 0.9.</param>
    /// <param name="beta2">Decay of the variance; default 0.999.</param>
    /// <param name="epsilon">Added to the denominator; default 1e-8.</param>
    /// <param name="weightDecay">Added to the gradient as weightDecay * w; default 0.</param>
    /// <param name="momentumDecay">Step t has the momentum mu = beta1 (1 - 0.96^(t momentumDecay) / 2); default 0.004.</param>
    /// <param name="decoupled">Each step multiplies the weights by 1 - learningRate * weightDecay instead; default false.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public NAdam(
        float learningRate = 2e-3f, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-8f, float weightDecay = 0,
        float momentumDecay = 4e-3f, bool decoupled = false)
        : base(
            learningRate, weightDecay,
            decoupled ? UpdateFunction.Of<NAdamUpdate<Yes>>() : UpdateFunction.Of<NAdamUpdate<No>>()) => (_options,
                _decoupled) = (
            (
                Share(beta1, nameof(beta1)), Share(beta2, nameof(beta2)), NotNegative(epsilon, nameof(epsilon)),
                NotNegative(momentumDecay, nameof(momentumDecay))), decoupled);

    /// <inheritdoc/>
    public override string Name => "NAdam";

    internal override void WriteScalars(Span<float> scalars, long step, float learningRate, float weightDecay)
    {
        (float beta1, float beta2, float epsilon, _) = _options;
        double product = ProductUpTo(step), next = Momentum(step + 1.0);
        ReadOnlySpan<float> numbers =
        [
            _decoupled ? 1 - (learningRate * weightDecay) : weightDecay,
            (float)(-learningRate * (1 - Momentum(step)) / (1 - product)), Complement(beta1), Complement(beta2),
            (float)(1 / Math.Sqrt(Correction(beta2, step))), epsilon, (float)(-learningRate * next / (1 - (product * next))),
        ];
        numbers.CopyTo(scalars);
    }

    private double Momentum(double step) => Meant(_options.Beta1) * (1 - (0.5 * Math.Pow(0.96, step * _options.MomentumDecay)));

    /// <summary>All groups ask for one step, then for the next; a resumed run asks for a later one.</summary>
    private double ProductUpTo(long step)
    {
        (long last, double product) = _momentum.Step <= step ? _momentum : (0, 1);

        // Below 1e-300 it changes nothing any more, and the steps of a long run need not be walked through.
        while (last < step && product > 1e-300)
        {
            product *= Momentum(++last);
        }

        _momentum = (step, product);
        return product;
    }
}
