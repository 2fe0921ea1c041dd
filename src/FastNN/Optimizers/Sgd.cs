using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN;

/// <summary>
/// Stochastic gradient descent with momentum, Nesterov's or plain (Sutskever et al., 2013), computed as PyTorch's SGD does.
/// </summary>
public sealed class Sgd : Optimizer
{
    private readonly SgdOptions _options;

    /// <summary>Stochastic gradient descent.</summary>
    /// <param name="learningRate">Default 0.01.</param>
    /// <param name="momentum">In [0, 1); default 0.</param>
    /// <param name="dampening">Of the gradient that enters the momentum; default 0.</param>
    /// <param name="weightDecay">Added to the gradient as weightDecay * w; default 0.</param>
    /// <param name="nesterov">Nesterov's momentum; needs momentum and no dampening. Default false.</param>
    /// <exception cref="ArgumentException">An option is out of range, or Nesterov lacks what it needs.</exception>
    public Sgd(float learningRate = 0.01f, float momentum = 0, float dampening = 0, float weightDecay = 0, bool nesterov = false)
        : base(learningRate)
    {
        if (nesterov && (momentum <= 0 || dampening != 0))
        {
            throw new ArgumentException("Sgd: Nesterov's momentum needs a momentum above 0 and no dampening.", nameof(nesterov));
        }

        _options = new SgdOptions(
            Share(momentum, nameof(momentum)), NotNegative(dampening, nameof(dampening)), NotNegative(weightDecay, nameof(weightDecay)), nesterov);
    }

    /// <inheritdoc/>
    public override string Name => "Sgd";

    internal override IReadOnlyList<string> StateNames { get; } = ["velocity"];

    internal override void WriteScalars(Span<float> scalars, long step, float learningRate)
    {
        scalars[0] = learningRate;
        scalars[1] = step == 1 ? 1 : 0;
    }

    internal override void Update(IKernels kernels, ParameterGroup? group, Tensor scalars, Tensor parameters, Tensor gradients, Tensor[] state) =>
        kernels.Updates.SgdUpdate(
            _options with { WeightDecay = group?.WeightDecay ?? _options.WeightDecay }, scalars, parameters, gradients, _options.Momentum == 0 ? null : state[0]);
}
