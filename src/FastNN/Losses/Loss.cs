using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN;

/// <summary>The objective to minimize: one number from a network's output and the targets.</summary>
public abstract class Loss
{
    /// <summary>Cross-entropy of class indices from logits; the mean over the batch (PyTorch's CrossEntropyLoss).</summary>
    public static Loss SparseCrossEntropy { get; } = new CrossEntropyLoss { ClassIndices = true };

    /// <summary>Cross-entropy of one-hot or other class probabilities from logits; the mean over the batch.</summary>
    public static Loss CrossEntropy { get; } = new CrossEntropyLoss();

    /// <summary>
    /// The negative log-likelihood of class indices from log-probabilities, as a log-softmax gives them; the mean over the batch
    /// (PyTorch's NLLLoss).
    /// </summary>
    public static Loss NegativeLogLikelihood { get; } = new CrossEntropyLoss { ClassIndices = true, FromLogProbabilities = true };

    /// <summary>Binary cross-entropy of probabilities, as a sigmoid gives them (PyTorch's BCELoss).</summary>
    public static Loss BinaryCrossEntropy { get; } = new BinaryCrossEntropyLoss();

    /// <summary>Binary cross-entropy of logits (PyTorch's BCEWithLogitsLoss).</summary>
    public static Loss BinaryCrossEntropyWithLogits { get; } = new BinaryCrossEntropyLoss { FromLogits = true };

    /// <summary>The mean of squared errors (PyTorch's MSELoss).</summary>
    public static Loss MeanSquaredError { get; } = new MeanSquaredErrorLoss();

    /// <summary>The mean of absolute errors (PyTorch's L1Loss).</summary>
    public static Loss MeanAbsoluteError { get; } = new MeanAbsoluteErrorLoss();

    /// <summary>Huber's loss with delta 1; the mean over all elements (PyTorch's HuberLoss).</summary>
    public static Loss Huber { get; } = new HuberLoss();

    /// <summary>
    /// A loss of one's own: <c>Loss.From("Squares", (output, target) => (output - target).Square().Mean())</c>. Its targets are
    /// numbers of the output's shape, and its outputs are taken for numbers, not for classes.
    /// </summary>
    /// <param name="name">Its name in reports.</param>
    /// <param name="record">Records it; training needs one number, of shape [].</param>
    /// <returns>The loss.</returns>
    public static Loss From(string name, Func<Value, Value, Value> record)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(record);
        return new RecordedLoss(name, record);
    }

    /// <summary>Its name in reports.</summary>
    public abstract string Name { get; }

    /// <summary>Whether targets are class indices (int) rather than numbers (float).</summary>
    public virtual bool ClassIndices { get; init; }

    /// <summary>
    /// How the losses of a batch become one number; default their mean. Training needs one number, so not None.
    /// </summary>
    public Reduction Reduction { get; init => field = Reductions.Require(Name, value); } = Reduction.Mean;

    /// <summary>
    /// What a network's output means to this loss: so many classes, of which each row names one (the largest of several, or a
    /// single number against <see cref="Threshold"/>); null where it names none, as in regression, and there is no accuracy.
    /// Default: the last axis where targets are class indices, else null.
    /// </summary>
    /// <param name="output">The output's shape, batch axis first.</param>
    /// <returns>The number of classes, or null.</returns>
    public virtual int? ClassCount(Shape output) => ClassIndices ? Columns(output) : null;

    /// <summary>
    /// Where a single output stands for two classes: above this it is the second. Default 0.5, as for probabilities.
    /// </summary>
    public virtual float Threshold => 0.5f;

    /// <summary>A class index that does not count, or null.</summary>
    internal virtual int? IgnoredClass => null;

    /// <summary>Tensors that the loss needs on the device and nobody trains, such as class weights.</summary>
    internal virtual IReadOnlyList<Parameter> Constants => [];

    /// <summary>The shape of the targets for a network's output.</summary>
    /// <param name="output">The output's shape, batch axis first.</param>
    /// <returns>The targets' shape.</returns>
    public virtual Shape TargetShape(Shape output) =>
        ClassIndices ? new Shape(output.ToArray().AsSpan(0, Math.Max(output.Rank - 1, 0))) : output;

    /// <summary>Records the loss.</summary>
    /// <param name="output">The network's output.</param>
    /// <param name="target">The targets, of <see cref="TargetShape"/>.</param>
    /// <returns>A scalar, or one number per element or example if nothing is reduced.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public abstract Value Apply(Value output, Value target);

    /// <summary>Records a loss of single elements, reduced as this one is.</summary>
    /// <param name="perExample">The mean divides by the number of examples, not of elements.</param>
    /// <param name="scalars">Its parameters.</param>
    private protected Value Record<TFunction>(Value output, Value target, bool perExample = false, Scalars scalars = default)
        where TFunction : struct, ILossFunction
    {
        ArgumentNullException.ThrowIfNull(output);
        return output.Graph.Add(new ElementLossOp(LossFunction.Of<TFunction>(), scalars, Reduction, perExample), output, target);
    }

    /// <summary>Numbers of an example that stand side by side.</summary>
    private protected static int Columns(Shape output) => output.Rank > 1 ? output[-1] : 1;

    /// <summary>A parameter of a loss that must be positive and finite.</summary>
    private protected static float RequirePositive(float value, string loss, string name) =>
        value is > 0 and < float.PositiveInfinity
        ? value
        : throw new ArgumentOutOfRangeException(name, $"{loss}: expected a finite {name} above 0, got {value}.");

    /// <summary>A constant of this loss.</summary>
    internal static Parameter Constant(string name, ReadOnlySpan<float> values)
    {
        var parameter = new Parameter(name, new Shape(values.Length), Initializer.Zeros) { IsTrainable = false };
        parameter.Write(values);
        return parameter;
    }
}

/// <summary>
/// Cross-entropy along the last axis, from logits or probabilities, with class indices or probabilities as targets.
/// </summary>
public sealed class CrossEntropyLoss : Loss
{
    private Parameter? _weights;

    /// <inheritdoc/>
    public override string Name => ClassIndices ? "SparseCrossEntropy" : "CrossEntropy";

    /// <summary>
    /// The network ends in a softmax: probabilities are clipped to [1e-7, 1 - 1e-7] (Keras' from_logits=False). Default false:
    /// logits, which is faster and more accurate.
    /// </summary>
    public bool FromProbabilities { get; init; }

    /// <summary>The network ends in a log-softmax (PyTorch's NLLLoss). Default false.</summary>
    public bool FromLogProbabilities { get; init; }

    /// <summary>Share of each target spread evenly over all classes, in [0, 1]; logits only. Default 0.</summary>
    public float LabelSmoothing { get; init; }

    /// <summary>Targets with this class index do not count. Default -100 (PyTorch).</summary>
    public int IgnoreIndex { get; init; } = -100;

    /// <inheritdoc/>
    public override int? ClassCount(Shape output) => Columns(output);

    internal override int? IgnoredClass => IgnoreIndex;

    /// <summary>A weight per class, or null; the mean divides by the weights of the targets (PyTorch).</summary>
    public IReadOnlyList<float>? ClassWeights
    {
        init => _weights = value is null ? null : Constant("classWeights", [.. value]);
    }

    internal override IReadOnlyList<Parameter> Constants => _weights is null ? [] : [_weights];

    /// <inheritdoc/>
    public override Value Apply(Value output, Value target)
    {
        CrossEntropyInput input = FromProbabilities ? CrossEntropyInput.Probabilities
            : FromLogProbabilities ? CrossEntropyInput.LogProbabilities
            : CrossEntropyInput.Logits;
        var op = new CrossEntropyOp(new CrossEntropyOptions(input, Reduction, LabelSmoothing, IgnoreIndex));
        return _weights is null
            ? output.Graph.Add(op, output, target)
            : output.Graph.Add(op, output, target, output.Graph.Use(_weights));
    }
}

/// <summary>Binary cross-entropy, from probabilities or logits.</summary>
public sealed class BinaryCrossEntropyLoss : Loss
{
    private Parameter? _positiveWeights;
    private Parameter? _weights;

    /// <inheritdoc/>
    public override string Name => FromLogits ? "BinaryCrossEntropyWithLogits" : "BinaryCrossEntropy";

    /// <summary>The network ends in logits rather than a sigmoid. Default false.</summary>
    public bool FromLogits { get; init; }

    /// <summary>Two for a single output; several outputs are as many answers, not classes.</summary>
    /// <param name="output">The output's shape, batch axis first.</param>
    /// <returns>2 or null.</returns>
    public override int? ClassCount(Shape output) => Columns(output) == 1 ? 2 : null;

    /// <inheritdoc/>
    public override float Threshold => FromLogits ? 0 : 0.5f;

    /// <summary>A weight of positive targets per output column, or null; logits only (PyTorch's pos_weight).</summary>
    public IReadOnlyList<float>? PositiveWeights
    {
        init => _positiveWeights = value is null ? null : Constant("positiveWeights", [.. value]);
    }

    /// <summary>
    /// A weight per output column, or null (PyTorch's weight, of a batch's column); the mean divides by the number of elements.
    /// </summary>
    public IReadOnlyList<float>? Weights
    {
        init => _weights = value is null ? null : Constant("weights", [.. value]);
    }

    internal override IReadOnlyList<Parameter> Constants =>
        [.. new[] { _positiveWeights, _weights }.Where(parameter => parameter is not null).Select(parameter => parameter!)];

    /// <inheritdoc/>
    public override Value Apply(Value output, Value target)
    {
        if (!FromLogits && _positiveWeights is not null)
        {
            throw new InvalidOperationException($"{Name}: expected FromLogits where there are positive weights.");
        }

        ArgumentNullException.ThrowIfNull(output);
        return output.BinaryCrossEntropyLoss(
            target, _weights is null ? null : output.Graph.Use(_weights),
            _positiveWeights is null ? null : output.Graph.Use(_positiveWeights), FromLogits, Reduction);
    }
}

/// <summary>Squared error.</summary>
public sealed class MeanSquaredErrorLoss : Loss
{
    /// <inheritdoc/>
    public override string Name => "MeanSquaredError";

    /// <inheritdoc/>
    public override Value Apply(Value output, Value target) => Record<SquaredError>(output, target);
}
