using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN;

/// <summary>
/// Losses as fluent calls on values, above all those of more than a prediction and a target; <see cref="Loss"/> has the others as
/// objects for trainers.
/// </summary>
public static class LossOperators
{
    private const float CosineEpsilon = 1e-12f;

    /// <summary>Their numbers are a constant of the graph.</summary>
    private const int MaxClasses = 1 << 26;

    /// <summary>
    /// Binary cross-entropy (PyTorch's binary_cross_entropy and binary_cross_entropy_with_logits). Targets get no gradient.
    /// </summary>
    /// <param name="output">Probabilities, or logits.</param>
    /// <param name="target">Between 0 and 1, of the output's shape.</param>
    /// <param name="weight">Multiplies each element's loss; broadcasts to the output's shape. Default null: 1.</param>
    /// <param name="positiveWeight">Of positive targets, [the output's last extent]; logits only. Default null: 1.</param>
    /// <param name="fromLogits">Whether the output is logits; default false.</param>
    /// <param name="reduction">Default the mean over all elements.</param>
    /// <returns>A scalar, or a value of the output's shape.</returns>
    /// <exception cref="ShapeException">The shapes do not fit, or there are positive weights without logits.</exception>
    public static Value BinaryCrossEntropyLoss(
        this Value output, Value target, Value? weight = null, Value? positiveWeight = null, bool fromLogits = false,
        Reduction reduction = Reduction.Mean)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(target);
        if (positiveWeight is not null && !fromLogits)
        {
            throw new ShapeException("BinaryCrossEntropy: expected logits where there are positive weights, got probabilities.");
        }

        LossFunction loss = !fromLogits ? LossFunction.Of<ProbabilityLoss>()
            : positiveWeight is null ? LossFunction.Of<LogitLoss>()
            : LossFunction.Of<WeightedLogitLoss>();
        Value[] last = positiveWeight is null ? [] : [positiveWeight];
        if (weight is null || weight.Shape == output.Shape)
        {
            return output.Graph.Add(
                new ElementLossOp(loss, default, reduction, HasWeight: weight is not null),
                [output, target, .. weight is null ? (Value[])[] : [weight], .. last]);
        }

        return output.Graph.Compose(
            () =>
            {
                Value losses = output.Graph.Add(new ElementLossOp(loss, default, Reduction.None), [output, target, .. last]);
                return Reduced(loss.Info.Name, Weighted(loss.Info.Name, losses, weight), reduction);
            },
            loss.Info.Name);
    }

    /// <summary>
    /// max(0, margin - target (first - second)): the first is to be larger where the target is 1, the second where it is -1
    /// (PyTorch's margin_ranking_loss).
    /// </summary>
    /// <param name="first">Any shape.</param>
    /// <param name="second">The same.</param>
    /// <param name="target">1 or -1, of the same shape.</param>
    /// <param name="margin">How much larger, finite; default 0.</param>
    /// <param name="reduction">Default the mean over all elements.</param>
    /// <returns>A scalar, or a value of the inputs' shape.</returns>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The margin is not finite.</exception>
    public static Value MarginRankingLoss(
        this Value first, Value second, Value target, float margin = 0, Reduction reduction = Reduction.Mean)
    {
        RequireAlike("MarginRanking", first, second);
        Reductions.Require("MarginRanking", reduction);
        ArgumentNullException.ThrowIfNull(target);
        if (target.TensorType != first.TensorType)
        {
            throw new ShapeException(
                $"MarginRanking: expected targets {first.TensorType} as the values, got {target.TensorType}.");
        }

        var op = new ElementLossOp(LossFunction.Of<MarginError>(), new(Finite(margin, "MarginRanking")), reduction);
        return first.Graph.Compose(() => first.Graph.Add(op, first - second, target), "MarginRanking");
    }

    /// <summary>
    /// 1 - cos for a target of 1, max(0, cos - margin) for -1, of the angle between the rows of two values along the last axis
    /// (PyTorch's cosine_embedding_loss).
    /// </summary>
    /// <param name="first">[..., D].</param>
    /// <param name="second">The same shape.</param>
    /// <param name="target">1 or -1, [...].</param>
    /// <param name="margin">In [-1, 1]; default 0.</param>
    /// <param name="reduction">Default the mean over all rows.</param>
    /// <returns>A scalar, or [...].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The margin is out of range.</exception>
    public static Value CosineEmbeddingLoss(
        this Value first, Value second, Value target, float margin = 0, Reduction reduction = Reduction.Mean)
    {
        const string name = "CosineEmbedding";
        RequireRows(name, first, second);
        ArgumentNullException.ThrowIfNull(target);
        if (margin is not (>= -1 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(margin), $"{name}: expected a margin in [-1, 1], got {margin}.");
        }

        if (target.Shape != first.Shape[..^1])
        {
            throw new ShapeException(
                $"{name}: expected a target for each row of {first.Shape}, {first.Shape[..^1]}, got {target.Shape}.");
        }

        return first.Graph.Compose(
            () =>
            {
                Value squares = (first.Square().Sum([-1]) + CosineEpsilon) * (second.Square().Sum([-1]) + CosineEpsilon);
                Value cosine = (first * second).Sum([-1]) * squares.Rsqrt();
                return first.Graph.Add(
                    new ElementLossOp(LossFunction.Of<CosineError>(), new(margin), reduction), cosine, target);
            },
            name);
    }

    /// <summary>
    /// max(0, d(anchor, positive) - d(anchor, negative) + margin) along the last axis, where d(a, b) is the p-norm of a - b +
    /// epsilon (Balntas et al., 2016; PyTorch's triplet_margin_loss).
    /// </summary>
    /// <param name="anchor">[..., D].</param>
    /// <param name="positive">What is to be near it, the same shape.</param>
    /// <param name="negative">What is to be far from it, the same shape.</param>
    /// <param name="margin">Above 0; default 1.</param>
    /// <param name="p">The norm, above 0; default 2.</param>
    /// <param name="swap">Takes the distance between the positive and the negative where that is shorter; default false.</param>
    /// <param name="epsilon">Keeps the norm differentiable; default 1e-6.</param>
    /// <param name="reduction">Default the mean over all rows.</param>
    /// <returns>A scalar, or [...].</returns>
    /// <exception cref="ShapeException">The shapes differ, or have no axis.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public static Value TripletMarginLoss(
        this Value anchor, Value positive, Value negative, float margin = 1, float p = 2, bool swap = false,
            float epsilon = 1e-6f,
        Reduction reduction = Reduction.Mean)
    {
        const string name = "TripletMargin";
        RequireRows(name, anchor, positive);
        RequireRows(name, anchor, negative);
        RequirePositive(name, margin, nameof(margin));
        RequirePositive(name, p, nameof(p));
        Finite(epsilon, name, nameof(epsilon));
        return anchor.Graph.Compose(
            () =>
            {
                Value far = Distance(anchor, negative);
                far = swap ? far.Minimum(Distance(positive, negative)) : far;
                return Reduced(name, (Distance(anchor, positive) - far + margin).ReLU(), reduction);
            },
            name);

        Value Distance(Value a, Value b)
        {
            Value difference = a - b + epsilon;
            return p switch
            {
                1 => difference.Norm(1, [-1]),
                2 => difference.Norm(2, [-1]),
                _ => difference.Abs().Pow(p).Sum([-1]).Pow(1 / p),
            };
        }
    }

    /// <summary>
    /// Half of log(variance) + (output - target)^2 / variance, the negative log-likelihood of normal distributions up to a
    /// constant (PyTorch's gaussian_nll_loss). A variance below <paramref name="epsilon"/> counts as that and gets no gradient.
    /// </summary>
    /// <param name="output">The means, any shape.</param>
    /// <param name="target">The same shape.</param>
    /// <param name="variance">Not negative; the same shape, or one that broadcasts to it.</param>
    /// <param name="full">Adds the constant log(2 pi) / 2; default false.</param>
    /// <param name="epsilon">The least variance, above 0; default 1e-6.</param>
    /// <param name="reduction">Default the mean over all elements.</param>
    /// <returns>A scalar, or a value of the output's shape.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Epsilon is out of range.</exception>
    public static Value GaussianLoss(
        this Value output, Value target, Value variance, bool full = false, float epsilon = 1e-6f,
        Reduction reduction = Reduction.Mean)
    {
        const string name = "Gaussian";
        RequireAlike(name, output, target);
        ArgumentNullException.ThrowIfNull(variance);
        RequirePositive(name, epsilon, nameof(epsilon));
        if (variance.Type != DType.Float32 || Broadcasting.Of(name, output.Shape, variance.Shape) != output.Shape)
        {
            throw new ShapeException(
                $"{name}: expected Float32 variances that broadcast to {output.Shape}, got {variance.TensorType}.");
        }

        return output.Graph.Compose(
            () =>
            {
                Value spread = variance.Maximum(epsilon);
                Value losses = ((output - target).Square() / spread + spread.Log()) * 0.5f;
                return Reduced(name, full ? losses + 0.918938533f : losses, reduction);
            },
            name);
    }

    /// <summary>
    /// The sum over the other classes i of max(0, margin - x[target] + x[i])^p over the number of classes (PyTorch's
    /// multi_margin_loss).
    /// </summary>
    /// <param name="output">Scores [..., classes].</param>
    /// <param name="target">Class indices [...]. An index that no class has makes every class one of the others.</param>
    /// <param name="margin">Finite; default 1.</param>
    /// <param name="p">1 or 2; default 1.</param>
    /// <param name="classWeights">[classes]: multiplies the losses of a class's examples. Default null: 1.</param>
    /// <param name="reduction">Default the mean over all examples.</param>
    /// <returns>A scalar, or [...].</returns>
    /// <exception cref="ShapeException">The shapes or types do not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public static Value MultiMarginLoss(
        this Value output, Value target, float margin = 1, int p = 1, Value? classWeights = null,
        Reduction reduction = Reduction.Mean)
    {
        const string name = "MultiMargin";
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(target);
        Finite(margin, name);
        Shape shape = output.Shape;
        if (p is not (1 or 2))
        {
            throw new ArgumentOutOfRangeException(nameof(p), $"{name}: expected p 1 or 2, got {p}.");
        }

        if (shape.Rank == 0 || Dim.IsSymbol(shape[-1]) || target.Shape != shape[..^1] || target.Type != DType.Int32
            || output.Type != DType.Float32)
        {
            throw new ShapeException(
                $"{name}: expected scores [..., classes] and class indices [...] of Int32, got {output.TensorType} and {target.TensorType}.");
        }

        if (classWeights is not null && classWeights.Shape != new Shape(shape[-1]))
        {
            throw new ShapeException($"{name}: expected class weights [{shape[-1]}], got {classWeights.Shape}.");
        }

        if (shape[-1] > MaxClasses)
        {
            throw new ShapeException($"{name}: expected scores of at most {MaxClasses} classes, got {output.TensorType}.");
        }

        return output.Graph.Compose(
            () => Reduced(name, MultiMargins(output, target, margin, p, classWeights), reduction), name);
    }

    private static Value MultiMargins(Value output, Value target, float margin, int p, Value? classWeights)
    {
        (Graph graph, Shape shape) = (output.Graph, output.Shape);
        Value classes = graph.ConstantInt32([.. Enumerable.Range(0, shape[-1])], new Shape(shape[-1]));
        Value isTarget = target.Reshape([.. shape[..^1], 1]).Equal(classes), zero = graph.Constant(0);
        Value own = ShapeOperators.Where(isTarget, output, zero).Sum([-1], keepDims: true);
        Value excess = (output - own + margin).ReLU();
        Value losses = ShapeOperators.Where(isTarget, zero, p == 1 ? excess : excess.Square()).Mean([-1]);
        return classWeights is null ? losses : losses * ShapeOperators.Where(isTarget, classWeights, zero).Sum([-1]);
    }

    /// <summary>
    /// InfoNCE (van den Oord et al., 2018): each query is to be nearest to the key of its own row among all rows. The
    /// cross-entropy of the cosines over the temperature.
    /// </summary>
    /// <param name="queries">[N, D].</param>
    /// <param name="keys">[N, D]: row i belongs to query i, all others are negatives.</param>
    /// <param name="temperature">Above 0; default 0.1.</param>
    /// <param name="symmetric">Takes the mean with the loss of keys among queries, as CLIP does; default false.</param>
    /// <param name="reduction">Default the mean over all rows.</param>
    /// <returns>A scalar, or [N].</returns>
    /// <exception cref="ShapeException">The inputs are not matrices of one shape.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The temperature is not positive and finite.</exception>
    public static Value InfoNCELoss(
        this Value queries, Value keys, float temperature = 0.1f, bool symmetric = false, Reduction reduction = Reduction.Mean)
    {
        const string name = "InfoNCE";
        RequireRows(name, queries, keys);
        RequirePositive(name, temperature, nameof(temperature));
        if (queries.Shape.Rank != 2)
        {
            throw new ShapeException($"{name}: expected queries and keys [N, D], got {queries.Shape}.");
        }

        return queries.Graph.Compose(
            () =>
            {
                Value a = Normalized(queries), b = Normalized(keys);
                Value logits = a.MatMul(b, transposeB: true) * (1 / temperature);
                Value own = (a * b).Sum([-1]) * (1 / temperature);
                Value losses = logits.LogSumExp([1]) - own;
                return Reduced(name, symmetric ? (losses + (logits.LogSumExp([0]) - own)) * 0.5f : losses, reduction);
            },
            name);

        static Value Normalized(Value x) => x * (x.Square().Sum([-1], keepDims: true) + CosineEpsilon).Rsqrt();
    }

    /// <summary>
    /// 1 - (2 sum(x t) + smooth) / (sum(x) + sum(t) + smooth), the sums over all axes but the first and, of three or more, the
    /// last (Milletari et al., 2016; MONAI's DiceLoss): the overlap of areas for each example and class.
    /// </summary>
    /// <param name="output">Probabilities, or logits: [N, P], or [N, ..., C].</param>
    /// <param name="target">Between 0 and 1, the same shape.</param>
    /// <param name="fromLogits">Whether the output is logits, of which the sigmoid is taken; default false.</param>
    /// <param name="smooth">Keeps empty areas from dividing by 0, above 0; default 1e-5.</param>
    /// <param name="reduction">Default the mean over examples and classes.</param>
    /// <returns>A scalar, or [N], or [N, C].</returns>
    /// <exception cref="ShapeException">The shapes differ or have fewer than two axes.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The smoothing is not positive and finite.</exception>
    public static Value DiceLoss(
        this Value output, Value target, bool fromLogits = false, float smooth = 1e-5f, Reduction reduction = Reduction.Mean)
    {
        const string name = "Dice";
        RequireAlike(name, output, target);
        RequirePositive(name, smooth, nameof(smooth));
        int rank = output.Shape.Rank;
        if (rank < 2)
        {
            throw new ShapeException($"{name}: expected predictions [N, P] or [N, ..., C], got {output.Shape}.");
        }

        int[] axes = [.. Enumerable.Range(1, rank == 2 ? 1 : rank - 2)];
        return output.Graph.Compose(
            () =>
            {
                Value x = fromLogits ? output.Sigmoid() : output;
                Value overlap = (x * target).Sum(axes), total = x.Sum(axes) + target.Sum(axes);
                return Reduced(name, 1 - (((2 * overlap) + smooth) / (total + smooth)), reduction);
            },
            name);
    }

    /// <summary>
    /// Connectionist temporal classification (Graves et al., 2006; PyTorch's ctc_loss): the negative logarithm of the probability
    /// of all alignments of labels with longer inputs.
    /// </summary>
    /// <param name="logProbabilities">[steps, batch, classes], as <see cref="Operators.LogSoftmax"/> gives them.</param>
    /// <param name="targets">Class indices Int32 [batch, longest], not the blank; what is behind a target's length may be
    /// anything from 0 to classes - 1.</param>
    /// <param name="inputLengths">Int32 [batch], each from 0 to steps.</param>
    /// <param name="targetLengths">Int32 [batch], each from 0 to longest.</param>
    /// <param name="blank">The class between labels; default 0.</param>
    /// <param name="zeroInfinity">Examples whose targets do not fit into their inputs cost nothing instead of infinity; default
    /// false.</param>
    /// <param name="reduction">Default the mean: each loss over its target's length (at least 1), and the mean over the
    /// batch.</param>
    /// <returns>A scalar, or [batch].</returns>
    /// <exception cref="ShapeException">The shapes or types do not fit, or the blank is not a class.</exception>
    public static Value CtcLoss(
        this Value logProbabilities, Value targets, Value inputLengths, Value targetLengths, int blank = 0,
        bool zeroInfinity = false, Reduction reduction = Reduction.Mean)
    {
        ArgumentNullException.ThrowIfNull(logProbabilities);
        return logProbabilities.Graph.Add(
            new CtcOp(new CtcOptions(blank, reduction, zeroInfinity)), logProbabilities, targets, inputLengths, targetLengths);
    }

    /// <summary>The losses of elements or examples as a loss.</summary>
    internal static Value Reduced(string name, Value losses, Reduction reduction) => Reductions.Require(name, reduction) switch
    {
        Reduction.Mean => losses.Mean(),
        Reduction.Sum => losses.Sum(),
        _ => losses,
    };

    /// <summary>Losses times weights that repeat.</summary>
    internal static Value Weighted(string name, Value losses, Value weight) =>
        weight.Type == DType.Float32 && Broadcasting.Of(name, losses.Shape, weight.Shape) == losses.Shape
            ? losses * weight
            : throw new ShapeException(
                $"{name}: expected Float32 weights that broadcast to {losses.Shape}, got {weight.TensorType}.");

    private static void RequireAlike(string name, Value first, Value second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.TensorType != second.TensorType || first.Type != DType.Float32)
        {
            throw new ShapeException(
                $"{name}: expected two Float32 values of one shape, got {first.TensorType} and {second.TensorType}.");
        }
    }

    private static void RequireRows(string name, Value first, Value second)
    {
        RequireAlike(name, first, second);
        if (first.Shape.Rank == 0)
        {
            throw new ShapeException($"{name}: expected rows [..., D], got {first.TensorType}.");
        }
    }

    private static void RequirePositive(string name, float value, string what)
    {
        if (value is not (> 0 and < float.PositiveInfinity))
        {
            throw new ArgumentOutOfRangeException(what, $"{name}: expected a finite {what} above 0, got {value}.");
        }
    }

    private static float Finite(float value, string name, string what = "margin") => float.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(what, $"{name}: expected a finite {what}, got {value}.");
}
