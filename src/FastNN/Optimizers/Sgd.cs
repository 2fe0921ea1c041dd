using FastNN.Functions;

namespace FastNN;

/// <summary>
/// Stochastic gradient descent with momentum, Nesterov's or plain (Sutskever et al., 2013), computed as PyTorch's SGD does.
/// </summary>
public sealed class Sgd : Optimizer
{
    private readonly float _momentum;
    private readonly float _dampening;

    /// <summary>Stochastic gradient descent.</summary>
    /// <param name="learningRate">Default 0.01.</param>
    /// <param name="momentum">In [0, 1); default 0.</param>
    /// <param name="dampening">Of the gradient that enters the momentum; default 0.</param>
    /// <param name="weightDecay">Added to the gradient as weightDecay * w; default 0.</param>
    /// <param name="nesterov">Nesterov's momentum; needs momentum and no dampening. Default false.</param>
    /// <exception cref="ArgumentException">An option is out of range, or Nesterov lacks what it needs.</exception>
    public Sgd(float learningRate = 0.01f, float momentum = 0, float dampening = 0, float weightDecay = 0, bool nesterov = false)
        : base(
            learningRate, weightDecay,
            nesterov
                ? UpdateFunction.Of<MomentumSgd<Yes>>()
                : momentum != 0
                ? UpdateFunction.Of<MomentumSgd<No>>()
                : UpdateFunction.Of<PlainSgd>())
    {
        (_momentum, _dampening) = (Share(momentum, nameof(momentum)), NotNegative(dampening, nameof(dampening)));
        if (nesterov && (momentum == 0 || dampening != 0))
        {
            throw new ArgumentException(
                $"Sgd: expected a momentum above 0 and no dampening for Nesterov's momentum, got {momentum} and {dampening}.",
                nameof(nesterov));
        }
    }

    /// <inheritdoc/>
    public override string Name => "Sgd";

    private protected override bool HasMomentum => _momentum != 0;

    internal override void WriteScalars(Span<float> scalars, long step, float learningRate, float weightDecay)
    {
        bool first = step == 1;
        float momentum = ScheduledMomentum ?? _momentum;
        ReadOnlySpan<float> numbers = [weightDecay, -learningRate, first ? 0 : momentum, first ? 1 : 1 - _dampening, momentum];
        numbers.CopyTo(scalars);
    }
}
