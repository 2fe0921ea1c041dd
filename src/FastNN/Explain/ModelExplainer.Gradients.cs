using FastNN.Tensors;

namespace FastNN.Explain;

/// <content>Gradients of many changed copies of an example.</content>
public sealed partial class ModelExplainer
{
    /// <summary>
    /// The mean of the gradients at copies of the input with normal noise (Smilkov et al., "SmoothGrad: removing noise by adding
    /// noise", 2017). The same seed gives the same numbers; the noise of an example follows from its place in the call.
    /// </summary>
    /// <param name="x">Examples, flattened one after the other.</param>
    /// <param name="targets">One target for each example, or one for all.</param>
    /// <param name="options">How much noise and how many copies; null for the defaults.</param>
    /// <returns>As many numbers as there are inputs.</returns>
    /// <exception cref="ShapeException">The length does not fit.</exception>
    /// <exception cref="ArgumentException">There are too few or too many targets, or one is out of range.</exception>
    public float[] SmoothGrad(ReadOnlySpan<float> x, ReadOnlySpan<int> targets, SmoothGradOptions? options = null)
    {
        options ??= new SmoothGradOptions();
        (float[] examples, int count) = Examples(x);
        int[] chosen = Targets(targets, count);
        var deviations = new float[count];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<float> example = Example(examples, i);
            deviations[i] = options.Noise * (System.Numerics.Tensors.TensorPrimitives.Max(example)
                - System.Numerics.Tensors.TensorPrimitives.Min(example));
        }

        ulong stream = Philox.Stream(RandomUse.Explanation, (uint)ExplanationMethod.SmoothGrad);
        var sums = new double[examples.Length];
        Compute(
            checked(count * options.Samples), withGradients: true, point => chosen[point / options.Samples],
            (point, to) =>
            {
                int example = point / options.Samples;
                Philox.FillNormal(to, options.Seed, stream, (ulong)point * (ulong)_size);
                ReadOnlySpan<float> from = Example(examples, example);
                for (int i = 0; i < to.Length; i++)
                {
                    to[i] = from[i] + (deviations[example] * to[i]);
                }
            },
            (point, _, gradient) =>
            {
                Span<double> sum = sums.AsSpan(point / options.Samples * _size, _size);
                for (int i = 0; i < sum.Length; i++)
                {
                    sum[i] += options.OfMagnitudes ? Math.Abs(gradient[i]) : gradient[i];
                }
            });
        return Array.ConvertAll(sums, sum => (float)(sum / options.Samples));
    }

    /// <summary>
    /// Integrated gradients (Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", 2017): the input's difference
    /// from a baseline, times the mean gradient along the straight line between them. By the completeness axiom the attributions
    /// of an example add up to the difference of its score from the baseline's; how far the sum misses it tells whether there
    /// were enough steps.
    /// </summary>
    /// <param name="x">Examples, flattened one after the other.</param>
    /// <param name="targets">One target for each example, or one for all.</param>
    /// <param name="options">Steps, rule and baseline; null for the defaults.</param>
    /// <returns>The attributions with their completeness gaps.</returns>
    /// <exception cref="ShapeException">A length does not fit.</exception>
    /// <exception cref="ArgumentException">There are too few or too many targets, or one is out of range.</exception>
    public IntegratedGradients IntegratedGradients(
        ReadOnlySpan<float> x, ReadOnlySpan<int> targets, IntegratedGradientsOptions? options = null)
    {
        options ??= new IntegratedGradientsOptions();
        (float[] examples, int count) = Examples(x);
        int[] chosen = Targets(targets, count);
        float[] baselines = Baselines(options.Baseline, count);
        (double At, double Weight)[] rule = options.Rule == IntegrationRule.GaussLegendre
            ? GaussLegendre.Rule(options.Steps)
            : GaussLegendre.Trapezoid(options.Steps);
        var means = new double[examples.Length];
        Compute(
            checked(count * rule.Length), withGradients: true, point => chosen[point / rule.Length],
            (point, to) =>
            {
                ReadOnlySpan<float> from = Example(baselines, point / rule.Length), end = Example(examples, point / rule.Length);
                double at = rule[point % rule.Length].At;
                for (int i = 0; i < to.Length; i++)
                {
                    to[i] = (float)(from[i] + (at * ((double)end[i] - from[i])));
                }
            },
            (point, _, gradient) =>
            {
                double weight = rule[point % rule.Length].Weight;
                Span<double> mean = means.AsSpan(point / rule.Length * _size, _size);
                for (int i = 0; i < mean.Length; i++)
                {
                    mean[i] += weight * gradient[i];
                }
            });
        float[] scores = Scores(examples, chosen), baselineScores = Scores(baselines, chosen);
        var attributions = new float[examples.Length];
        var gaps = new double[count];
        for (int i = 0; i < attributions.Length; i++)
        {
            double attribution = ((double)examples[i] - baselines[i]) * means[i];
            attributions[i] = (float)attribution;
            gaps[i / _size] += attribution;
        }

        for (int i = 0; i < count; i++)
        {
            gaps[i] -= (double)scores[i] - baselineScores[i];
        }

        return new IntegratedGradients(attributions, scores, baselineScores, gaps);
    }

    private float[] Baselines(IReadOnlyList<float>? baseline, int count)
    {
        var baselines = new float[count * _size];
        if (baseline is null)
        {
            return baselines;
        }

        if (baseline.Count != _size && baseline.Count != 1 && baseline.Count != baselines.Length)
        {
            throw new ShapeException(
                $"ModelExplainer: expected a baseline of 1 value, of {_size} (one example of shape {InputShape}) or of {baselines.Length} (one for each example), got {baseline.Count}.");
        }

        for (int i = 0; i < baselines.Length; i++)
        {
            baselines[i] = baseline[i % baseline.Count];
        }

        return baselines;
    }
}

/// <summary>Streams of random numbers that explanations draw from.</summary>
internal enum ExplanationMethod : uint
{
    SmoothGrad,
    Permutation,
    Shapley,
    Background,
    Counterfactual,
}

/// <summary>How SmoothGrad adds noise.</summary>
public sealed record SmoothGradOptions
{
    /// <summary>Noisy copies of each example; default 50.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public int Samples { get; init => field = Requirements.AtLeast(value, 1, nameof(Samples)); } = 50;

    /// <summary>
    /// The standard deviation of the noise as a share of the example's range, its largest value less its smallest; default 0.15,
    /// amid the 0.1 to 0.2 that the paper recommends.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public float Noise { get; init => field = Requirements.NotNegative(value, nameof(Noise)); } = 0.15f;

    /// <summary>Whether magnitudes are averaged rather than gradients with their signs; default false.</summary>
    public bool OfMagnitudes { get; init; }

    /// <summary>What the noise is drawn from; default 0.</summary>
    public ulong Seed { get; init; }
}

/// <summary>Where integrated gradients evaluates the gradient.</summary>
public enum IntegrationRule
{
    /// <summary>Gauss and Legendre's places and weights: fewest steps for smooth functions.</summary>
    GaussLegendre,

    /// <summary>Equal steps from the baseline to the input, ends included.</summary>
    Trapezoid,
}

/// <summary>How integrated gradients integrates.</summary>
public sealed record IntegratedGradientsOptions
{
    /// <summary>Gradients for each example; default 50, at least 2.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is below 2 or above 10 000.</exception>
    public int Steps
    {
        get;
        init => field = value <= 10_000
            ? Requirements.AtLeast(value, 2, nameof(Steps))
            : throw new ArgumentOutOfRangeException(nameof(Steps), value, "Steps: expected at most 10000.");
    } = 50;

    /// <summary>The rule; default <see cref="IntegrationRule.GaussLegendre"/>.</summary>
    public IntegrationRule Rule { get; init; }

    /// <summary>
    /// What the input is compared with: one number for all of it, one example for all examples, or one for each. Default null for
    /// zeros.
    /// </summary>
    public IReadOnlyList<float>? Baseline { get; init; }
}

/// <summary>What integrated gradients found.</summary>
public sealed class IntegratedGradients
{
    internal IntegratedGradients(float[] attributions, float[] scores, float[] baselineScores, double[] gaps) =>
        (Attributions, Scores, BaselineScores, CompletenessGaps) = (attributions, scores, baselineScores, gaps);

    /// <summary>As many numbers as there are inputs.</summary>
    public float[] Attributions { get; }

    /// <summary>The score of each example.</summary>
    public float[] Scores { get; }

    /// <summary>The score of each example's baseline.</summary>
    public float[] BaselineScores { get; }

    /// <summary>
    /// For each example the sum of its attributions less the difference of the two scores: 0 but for rounding and for what too
    /// few steps miss.
    /// </summary>
    public double[] CompletenessGaps { get; }
}
