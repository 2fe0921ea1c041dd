using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN;

/// <summary>Adam (Kingma and Ba, 2015), computed as PyTorch's Adam does: weight decay enters the gradient.</summary>
public class Adam : Optimizer
{
    private readonly AdamOptions _options;

    /// <summary>Adam.</summary>
    /// <param name="learningRate">Default 0.001.</param>
    /// <param name="beta1">Decay of the mean; default 0.9.</param>
    /// <param name="beta2">Decay of the variance; default 0.999.</param>
    /// <param name="epsilon">Added to the denominator; default 1e-8.</param>
    /// <param name="weightDecay">Added to the gradient as weightDecay * w; default 0.</param>
    /// <param name="amsGrad">Use the running maximum of the variance (Reddi et al., 2018); default false.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public Adam(
        float learningRate = 1e-3f, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-8f, float weightDecay = 0, bool amsGrad = false)
        : this(learningRate, beta1, beta2, epsilon, weightDecay, amsGrad, decoupled: false)
    {
    }

    private protected Adam(float learningRate, float beta1, float beta2, float epsilon, float weightDecay, bool amsGrad, bool decoupled)
        : base(learningRate) => _options = new AdamOptions(
            Share(beta1, nameof(beta1)), Share(beta2, nameof(beta2)), NotNegative(epsilon, nameof(epsilon)),
            NotNegative(weightDecay, nameof(weightDecay)), decoupled, amsGrad);

    /// <inheritdoc/>
    public override string Name => "Adam";

    internal override IReadOnlyList<string> StateNames => _options.AmsGrad ? ["mean", "variance", "maximum"] : ["mean", "variance"];

    internal override bool IsNeverNegative(string stateName) => stateName != "mean";

    internal override void WriteScalars(Span<float> scalars, long step, float learningRate)
    {
        // In double, and from the decimal that was meant: 1 - 0.999^t loses most of float's digits at small t, and 0.999f is off
        // by 1.3e-5 of 1 - 0.999.
        double correction1 = 1 - Math.Pow((double)(decimal)_options.Beta1, step);
        double correction2 = 1 - Math.Pow((double)(decimal)_options.Beta2, step);
        scalars[0] = learningRate;
        scalars[1] = (float)(learningRate / correction1);
        scalars[2] = (float)Math.Sqrt(correction2);
    }

    internal override void Update(IKernels kernels, ParameterGroup? group, Tensor scalars, Tensor parameters, Tensor gradients, Tensor[] state) =>
        kernels.Updates.AdamUpdate(
            _options with { WeightDecay = group?.WeightDecay ?? _options.WeightDecay }, scalars, parameters, gradients, state[0], state[1],
            _options.AmsGrad ? state[2] : null);
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
        float learningRate = 1e-3f, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-8f, float weightDecay = 0.01f, bool amsGrad = false)
        : base(learningRate, beta1, beta2, epsilon, weightDecay, amsGrad, decoupled: true)
    {
    }

    /// <inheritdoc/>
    public override string Name => "AdamW";
}
