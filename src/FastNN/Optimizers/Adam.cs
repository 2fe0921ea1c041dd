using FastNN.Functions;

namespace FastNN;

/// <summary>Adam (Kingma and Ba, 2015), computed as PyTorch's Adam does: weight decay enters the gradient.</summary>
public class Adam : Optimizer
{
    private readonly (float Beta1, float Beta2, float Epsilon) _options;
    private readonly bool _decoupled;

    /// <summary>Adam.</summary>
    /// <param name="learningRate">Default 0.001.</param>
    /// <param name="beta1">Decay of the mean; default 0.9.</param>
    /// <param name="beta2">Decay of the variance; default 0.999.</param>
    /// <param name="epsilon">Added to the denominator; default 1e-8.</param>
    /// <param name="weightDecay">Added to the gradient as weightDecay * w; default 0.</param>
    /// <param name="amsGrad">Use the running maximum of the variance (Reddi et al., 2018); default false.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public Adam(
        float learningRate = 1e-3f, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-8f, float weightDecay = 0,
        bool amsGrad = false)
        : this(
            learningRate, beta1, beta2, epsilon, weightDecay, decoupled: false,
            amsGrad ? UpdateFunction.Of<AdamUpdate<No, Yes>>() : UpdateFunction.Of<AdamUpdate<No, No>>())
    {
    }

    private protected Adam(
        float learningRate, float beta1, float beta2, float epsilon, float weightDecay, bool decoupled, UpdateFunction update)
        : base(learningRate, weightDecay, update) =>
        (_options, _decoupled) = (
            (Share(beta1, nameof(beta1)), Share(beta2, nameof(beta2)), NotNegative(epsilon, nameof(epsilon))), decoupled);

    /// <inheritdoc/>
    public override string Name => "Adam";

    private protected override bool HasMomentum => true;

    internal override void WriteScalars(Span<float> scalars, long step, float learningRate, float weightDecay)
    {
        (_, float beta2, float epsilon) = _options;
        float beta1 = ScheduledMomentum ?? _options.Beta1;
        ReadOnlySpan<float> numbers =
        [
            _decoupled ? 1 - (learningRate * weightDecay) : weightDecay, -(float)(learningRate / Correction(beta1, step)),
            Complement(beta1), beta2, Complement(beta2), 1 / (float)Math.Sqrt(Correction(beta2, step)), epsilon,
        ];
        numbers.CopyTo(scalars);
    }
}

/// <summary>AdamW (Loshchilov and Hutter, 2019): Adam with the weight decay taken off the weights directly.</summary>
public sealed class AdamW : Adam
{
    /// <summary>AdamW.</summary>
    /// <param name="learningRate">Default 0.001.</param>
    /// <param name="beta1">Decay of the mean; default 0.9.</param>
    /// <param name="beta2">Decay of the variance; default 0.999.</param>
    /// <param name="epsilon">Added to the denominator; default 1e-8.</param>
    /// <param name="weightDecay">Each step multiplies the weights by 1 - learningRate * weightDecay; default 0.01.</param>
    /// <param name="amsGrad">Use the running maximum of the variance; default false.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public AdamW(
        float learningRate = 1e-3f, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-8f, float weightDecay = 0.01f,
        bool amsGrad = false)
        : base(
            learningRate, beta1, beta2, epsilon, weightDecay, decoupled: true,
            amsGrad ? UpdateFunction.Of<AdamUpdate<Yes, Yes>>() : UpdateFunction.Of<AdamUpdate<Yes, No>>())
    {
    }

    /// <inheritdoc/>
    public override string Name => "AdamW";
}
