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
            throw new ShapeException($"{Name}: expected targets of the predictions' type {output.TensorType}, got {target.TensorType}.");
        }

        Value losses = Elements(output, target);
        return Reduction switch
        {
            Reduction.Mean => losses.Mean(),
            Reduction.Sum => losses.Sum(),
            _ => losses,
        };
    }

    /// <summary>The loss of every element.</summary>
    /// <param name="output">The network's output.</param>
    /// <param name="target">Targets of the same shape.</param>
    /// <returns>A value of that shape.</returns>
    protected abstract Value Elements(Value output, Value target);
}

/// <summary>Absolute error, |output - target| (PyTorch's L1Loss); its slope at 0 is 0.</summary>
public sealed class MeanAbsoluteErrorLoss : ElementLoss
{
    /// <inheritdoc/>
    public override string Name => "MeanAbsoluteError";

    /// <inheritdoc/>
    protected override Value Elements(Value output, Value target) => (output - target).Abs();
}

/// <summary>
/// Huber's loss (1964): half the squared error up to delta, then a line of slope delta (PyTorch's HuberLoss).
/// </summary>
/// <param name="delta">Where the line begins, above 0; default 1.</param>
public sealed class HuberLoss(float delta = 1) : ElementLoss
{
    private readonly float _delta = delta is > 0 and < float.PositiveInfinity
        ? delta
        : throw new ArgumentOutOfRangeException(nameof(delta), $"HuberLoss: expected a finite delta above 0, got {delta}.");

    /// <inheritdoc/>
    public override string Name => "Huber";

    /// <inheritdoc/>
    protected override Value Elements(Value output, Value target) => Curve(output, target, _delta);

    /// <summary>With c = min(|e|, delta): c^2 / 2 + delta (|e| - c), which is both branches and has both slopes.</summary>
    internal static Value Curve(Value output, Value target, float delta)
    {
        Value error = (output - target).Abs();
        Value near = error.HardTanh(0, delta);
        return (0.5f * near.Square()) + (delta * (error - near));
    }
}

/// <summary>
/// Smooth absolute error (Girshick, 2015): e^2 / (2 beta) for |e| below beta, else |e| - beta / 2 (PyTorch's SmoothL1Loss): Huber's loss over beta.
/// </summary>
/// <param name="beta">Where the line begins, above 0; default 1.</param>
public sealed class SmoothL1Loss(float beta = 1) : ElementLoss
{
    private readonly float _beta = beta is > 0 and < float.PositiveInfinity
        ? beta
        : throw new ArgumentOutOfRangeException(nameof(beta), $"SmoothL1Loss: expected a finite beta above 0, got {beta}.");

    /// <inheritdoc/>
    public override string Name => "SmoothL1";

    /// <inheritdoc/>
    protected override Value Elements(Value output, Value target) => HuberLoss.Curve(output, target, _beta) / _beta;
}

/// <summary>A loss of one's own, from a function that records it; see <see cref="Loss.From"/>.</summary>
internal sealed class RecordedLoss(string name, Func<Value, Value, Value> record) : Loss
{
    public override string Name => name;

    public override Value Apply(Value output, Value target) =>
        record(output, target) ?? throw new InvalidOperationException($"{name}: expected the function to return the loss, got null.");
}
