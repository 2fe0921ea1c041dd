using FastNN.Functions;

namespace FastNN;

/// <summary>Hinge loss of scores, max(0, margin - target output), for targets of 1 or -1; the mean over all elements.</summary>
/// <param name="margin">From where on target times output costs nothing, above 0; default 1.</param>
/// <exception cref="ArgumentOutOfRangeException">The margin is not positive and finite.</exception>
public sealed class HingeLoss(float margin = 1) : Loss
{
    private readonly float _margin = RequirePositive(margin, nameof(HingeLoss), nameof(margin));

    /// <inheritdoc/>
    public override string Name => "Hinge";

    /// <inheritdoc/>
    public override Value Apply(Value output, Value target) => Record<MarginError>(output, target, scalars: new(_margin));
}

/// <summary>
/// Focal loss (Lin et al., 2017) of logits, as torchvision's sigmoid_focal_loss: binary cross-entropy that counts examples less
/// the better they are classified.
/// </summary>
/// <param name="alpha">The weight of positive targets, in [0, 1], that of the negative ones being 1 - alpha; null for 1 and 1.
/// Default 0.25.</param>
/// <param name="gamma">How much less, at least 0; default 2.</param>
/// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
public sealed class FocalLoss(float? alpha = 0.25f, float gamma = 2) : Loss
{
    private readonly Scalars _scalars = new(
        gamma is >= 0 and < float.PositiveInfinity
            ? gamma
            : throw new ArgumentOutOfRangeException(
                nameof(gamma), $"{nameof(FocalLoss)}: expected a finite gamma of at least 0, got {gamma}."),
        alpha is null or (>= 0 and <= 1)
            ? alpha ?? 1
            : throw new ArgumentOutOfRangeException(
                nameof(alpha), $"{nameof(FocalLoss)}: expected an alpha in [0, 1], got {alpha}."),
        alpha is null ? 1 : 1 - alpha.Value);

    /// <inheritdoc/>
    public override string Name => "Focal";

    /// <summary>Two for a single output; several outputs are as many answers, not classes.</summary>
    /// <param name="output">The output's shape, batch axis first.</param>
    /// <returns>2 or null.</returns>
    public override int? ClassCount(Shape output) => Columns(output) == 1 ? 2 : null;

    /// <inheritdoc/>
    public override float Threshold => 0;

    /// <inheritdoc/>
    public override Value Apply(Value output, Value target) => Record<FocalError>(output, target, scalars: _scalars);
}

/// <summary>
/// Margins between the score of an example's class and those of all others (PyTorch's MultiMarginLoss); see
/// <see cref="LossOperators.MultiMarginLoss"/>.
/// </summary>
/// <param name="margin">Finite; default 1.</param>
/// <param name="p">1 or 2; default 1.</param>
/// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
public sealed class MultiMarginLoss(float margin = 1, int p = 1) : Loss
{
    private readonly (float Margin, int P) _options = (
        float.IsFinite(margin)
            ? margin
            : throw new ArgumentOutOfRangeException(
                nameof(margin), $"{nameof(MultiMarginLoss)}: expected a finite margin, got {margin}."),
        p is 1 or 2
            ? p
            : throw new ArgumentOutOfRangeException(nameof(p), $"{nameof(MultiMarginLoss)}: expected p 1 or 2, got {p}."));

    private Parameter? _weights;

    /// <inheritdoc/>
    public override string Name => "MultiMargin";

    /// <summary>True: targets are class indices.</summary>
    public override bool ClassIndices { get; init; } = true;

    /// <summary>A weight per class, or null.</summary>
    public IReadOnlyList<float>? ClassWeights
    {
        init => _weights = value is null ? null : Constant("classWeights", [.. value]);
    }

    internal override IReadOnlyList<Parameter> Constants => _weights is null ? [] : [_weights];

    /// <inheritdoc/>
    public override Value Apply(Value output, Value target) => output.MultiMarginLoss(
        target, _options.Margin, _options.P, _weights is null ? null : output.Graph.Use(_weights), Reduction);
}

/// <summary>
/// One less the overlap of areas, for segmentation (Milletari et al., 2016; MONAI's DiceLoss); see
/// <see cref="LossOperators.DiceLoss"/>.
/// </summary>
/// <param name="smooth">Keeps empty areas from dividing by 0, above 0; default 1e-5.</param>
/// <exception cref="ArgumentOutOfRangeException">The smoothing is not positive and finite.</exception>
public sealed class DiceLoss(float smooth = 1e-5f) : Loss
{
    private readonly float _smooth = RequirePositive(smooth, nameof(DiceLoss), nameof(smooth));

    /// <inheritdoc/>
    public override string Name => "Dice";

    /// <summary>The network ends in logits rather than a sigmoid. Default false.</summary>
    public bool FromLogits { get; init; }

    /// <inheritdoc/>
    public override Value Apply(Value output, Value target) => output.DiceLoss(target, FromLogits, _smooth, Reduction);
}

/// <summary>
/// InfoNCE (van den Oord et al., 2018): outputs and targets are rows of features, of which those of one example belong together;
/// see <see cref="LossOperators.InfoNCELoss"/>.
/// </summary>
/// <param name="temperature">Above 0; default 0.1.</param>
/// <exception cref="ArgumentOutOfRangeException">The temperature is not positive and finite.</exception>
public sealed class InfoNCELoss(float temperature = 0.1f) : Loss
{
    private readonly float _temperature = RequirePositive(temperature, nameof(InfoNCELoss), nameof(temperature));

    /// <inheritdoc/>
    public override string Name => "InfoNCE";

    /// <summary>The mean with the loss of targets among outputs, as CLIP takes it. Default false.</summary>
    public bool Symmetric { get; init; }

    /// <inheritdoc/>
    public override Value Apply(Value output, Value target) => output.InfoNCELoss(target, _temperature, Symmetric, Reduction);
}
