using FastNN.Functions;

namespace FastNN;

/// <summary>
/// The negative log-likelihood of counts under Poisson's distribution (PyTorch's PoissonNLLLoss); the mean over all elements.
/// </summary>
public sealed class PoissonLoss : Loss
{
    /// <inheritdoc/>
    public override string Name => "Poisson";

    /// <summary>The network gives rates rather than their logarithms. Default false (PyTorch's log_input=True).</summary>
    public bool FromRates { get; init; }

    /// <summary>Adds Stirling's approximation of log t!, which changes no gradient. Default false.</summary>
    public bool Full { get; init; }

    /// <summary>Added to rates before their logarithm is taken, above 0; default 1e-8.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive and finite.</exception>
    public float Epsilon { get; init => field = RequirePositive(value, nameof(PoissonLoss), nameof(Epsilon)); } = 1e-8f;

    /// <inheritdoc/>
    public override Value Apply(Value output, Value target) => FromRates
        ? Record<PoissonError>(output, target, scalars: new(Full ? 1 : 0, Epsilon))
        : Record<LogPoissonError>(output, target, scalars: new(Full ? 1 : 0));
}

/// <summary>
/// The negative log-likelihood of normal distributions, of which the network gives means and variances side by side: outputs
/// [..., 2 C] hold C means and then C logarithms of variances, targets are [..., C]. <see cref="LossOperators.GaussianLoss"/>
/// takes variances by themselves, as PyTorch's GaussianNLLLoss does.
/// </summary>
public sealed class GaussianLoss : Loss
{
    /// <inheritdoc/>
    public override string Name => "Gaussian";

    /// <summary>Adds the constant log(2 pi) / 2. Default false.</summary>
    public bool Full { get; init; }

    /// <inheritdoc/>
    public override Shape TargetShape(Shape output) => [.. Rows(output), output[-1] / 2];

    /// <inheritdoc/>
    public override Value Apply(Value output, Value target)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(target);
        Shape expected = TargetShape(output.Shape);
        if (target.Shape != expected || output.Type != DType.Float32 || target.Type != DType.Float32)
        {
            throw new ShapeException(
                $"{Name}: expected Float32 targets {expected} for means and variances {output.TensorType}, got {target.TensorType}.");
        }

        return output.Graph.Compose(
            () =>
            {
                Value[] parts = output.Chunk(2);
                Value losses = (((parts[0] - target).Square() * (-parts[1]).Exp()) + parts[1]) * 0.5f;
                return LossOperators.Reduced(Name, Full ? losses + 0.918938533f : losses, Reduction);
            },
            Name);
    }

    private Shape Rows(Shape output) => output.Rank > 0 && !Dim.IsSymbol(output[-1]) && output[-1] % 2 == 0
        ? output[..^1]
        : throw new ShapeException($"{Name}: expected outputs [..., 2 C], as many variances as means, got {output}.");
}
