using FastNN.Functions;

namespace FastNN;

/// <summary>A loss of differences between outputs and targets of one shape, element by element, then reduced.</summary>
public abstract class ElementLoss : Loss
{
    /// <inheritdoc/>
    public sealed override Value Apply(Value output, Value target)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(target);
        if (output.TensorType != target.TensorType)
        {
            throw new ShapeException(
                $"{Name}: expected targets of the predictions' type {output.TensorType}, got {target.TensorType}.");
        }

        Value losses = Elements(output, target);
        return LossOperators.Reduced(Name, losses, Reduction);
    }

    /// <summary>The loss of every element.</summary>
    /// <param name="output">The network's output.</param>
    /// <param name="target">Targets of the same shape.</param>
    /// <returns>A value of that shape.</returns>
    protected abstract Value Elements(Value output, Value target);
}

/// <summary>Absolute error, |output - target| (PyTorch's L1Loss); its slope at 0 is 0.</summary>
public sealed class MeanAbsoluteErrorLoss : Loss
{
    /// <inheritdoc/>
    public override string Name => "MeanAbsoluteError";

    /// <inheritdoc/>
    public override Value Apply(Value output, Value target) => Record<AbsoluteError>(output, target);
}

/// <summary>
/// Huber's loss (1964): half the squared error up to delta, then a line of slope delta (PyTorch's HuberLoss).
/// </summary>
/// <param name="delta">Where the line begins, above 0; default 1.</param>
/// <exception cref="ArgumentOutOfRangeException">Delta is not positive and finite.</exception>
public sealed class HuberLoss(float delta = 1) : Loss
{
    private readonly float _delta = RequirePositive(delta, nameof(HuberLoss), nameof(delta));

    /// <inheritdoc/>
    public override string Name => "Huber";

    /// <inheritdoc/>
    public override Value Apply(Value output, Value target) => Record<HuberError>(output, target, scalars: new(_delta));
}

/// <summary>
/// Smooth absolute error (Girshick, 2015): e^2 / (2 beta) for |e| below beta, else |e| - beta / 2 (PyTorch's SmoothL1Loss):
/// Huber's loss over beta.
/// </summary>
/// <param name="beta">Where the line begins, above 0; default 1.</param>
/// <exception cref="ArgumentOutOfRangeException">Beta is not positive and finite.</exception>
public sealed class SmoothL1Loss(float beta = 1) : Loss
{
    private readonly float _beta = RequirePositive(beta, nameof(SmoothL1Loss), nameof(beta));

    /// <inheritdoc/>
    public override string Name => "SmoothL1";

    /// <inheritdoc/>
    public override Value Apply(Value output, Value target) => Record<SmoothAbsoluteError>(output, target, scalars: new(_beta));
}

/// <summary>
/// The divergence of Kullback and Leibler (1951) of outputs, which are log-probabilities as a log-softmax gives them, from
/// targets, which are probabilities (PyTorch's KLDivLoss). The targets get no gradient.
/// </summary>
public sealed class KLDivergenceLoss : Loss
{
    /// <inheritdoc/>
    public override string Name => "KLDivergence";

    /// <summary>Targets are log-probabilities, too. Default false.</summary>
    public bool LogTargets { get; init; }

    /// <summary>
    /// The mean is over examples (the first axis), which is the divergence by definition and PyTorch's reduction "batchmean";
    /// false (default): over all elements, as for the other losses.
    /// </summary>
    public bool PerExample { get; init; }

    /// <inheritdoc/>
    public override Value Apply(Value output, Value target) =>
        LogTargets ? Record<LogDivergence>(output, target, PerExample) : Record<Divergence>(output, target, PerExample);
}

/// <summary>
/// Hinge loss of distances: the output itself for a target of 1, max(0, margin - output) for a target of -1 (PyTorch's
/// HingeEmbeddingLoss).
/// </summary>
/// <param name="margin">From where on an output costs nothing for a target of -1, above 0; default 1.</param>
/// <exception cref="ArgumentOutOfRangeException">The margin is not positive and finite.</exception>
public sealed class HingeEmbeddingLoss(float margin = 1) : Loss
{
    private readonly float _margin = RequirePositive(margin, nameof(HingeEmbeddingLoss), nameof(margin));

    /// <inheritdoc/>
    public override string Name => "HingeEmbedding";

    /// <inheritdoc/>
    public override Value Apply(Value output, Value target) => Record<HingeError>(output, target, scalars: new(_margin));
}

/// <summary>A loss of one's own, from a function that records it; see <see cref="Loss.From"/>.</summary>
internal sealed class RecordedLoss(string name, Func<Value, Value, Value> record) : Loss
{
    public override string Name => name;

    public override Value Apply(Value output, Value target) =>
        record(output, target)
            ?? throw new InvalidOperationException($"{name}: expected the function to return the loss, got null.");
}
