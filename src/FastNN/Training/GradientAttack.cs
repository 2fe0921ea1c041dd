using FastNN.Data;
using FastNN.Tensors;

namespace FastNN;

/// <summary>
/// Adversarial examples within a distance of the given ones: projected gradient ascent on the loss, each element moving by at
/// most epsilon (Madry et al., 2018), or a single step (Goodfellow et al., 2015: <see cref="FastGradientSign"/>). To measure
/// how robust a classifier is, and to train one that is: attack each batch, then train on what came out.
/// </summary>
/// <example>
/// <code>
/// var attack = new GradientAttack(epsilon: 0.2f, steps: 20);
/// double? robust = trainer.Evaluate(attack.Apply(trainer, test)).Accuracy;
/// </code>
/// </example>
public sealed class GradientAttack
{
    /// <summary>An attack of several steps.</summary>
    /// <param name="epsilon">The largest change of an element, above 0.</param>
    /// <param name="steps">Steps of ascent; default 20.</param>
    /// <param name="stepSize">What an element moves by in a step; default 2.5 epsilon / steps, so that any point can be
    /// reached.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is not positive and finite.</exception>
    public GradientAttack(float epsilon, int steps = 20, float? stepSize = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        (Epsilon, Steps) = (Positive(epsilon, nameof(epsilon)), steps);
        StepSize = Positive(stepSize ?? 2.5f * epsilon / steps, nameof(stepSize));
    }

    /// <summary>The largest change of an element.</summary>
    public float Epsilon { get; }

    /// <summary>Steps of ascent.</summary>
    public int Steps { get; }

    /// <summary>What an element moves by in a step.</summary>
    public float StepSize { get; }

    /// <summary>
    /// Whether the ascent begins at a random place within the distance, so that a loss that is flat at the example itself does
    /// not stop it; default true.
    /// </summary>
    public bool HasRandomStart { get; init; } = true;

    /// <summary>The least and the greatest value that an element may have; default 0 to 1.</summary>
    /// <exception cref="ArgumentException">The least is not below the greatest.</exception>
    public (float Least, float Greatest) Range
    {
        get; init => field = value.Least < value.Greatest
            ? value
            : throw new ArgumentException(
                $"GradientAttack: expected a range from a smaller to a greater number, got {value.Least} to {value.Greatest}.");
    } = (0, 1);

    /// <summary>The attack of one step: each element moves by epsilon to where the loss grows.</summary>
    /// <param name="epsilon">The change of an element, above 0.</param>
    /// <returns>The attack.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Epsilon is not positive and finite.</exception>
    public static GradientAttack FastGradientSign(float epsilon) => new(epsilon, steps: 1, epsilon) { HasRandomStart = false };

    /// <summary>Attacks a batch; changes nothing of the trainer's.</summary>
    /// <param name="trainer">Has the network, and the loss to raise.</param>
    /// <param name="x">A batch of inputs, [N, ...] flattened.</param>
    /// <param name="labels">N class indices, the true ones.</param>
    /// <param name="result">Receives the adversarial examples, as many numbers as x.</param>
    /// <param name="seed">What a random start is drawn from; default 0.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public void Apply(
        Trainer trainer, ReadOnlySpan<float> x, ReadOnlySpan<int> labels, Span<float> result, ulong seed = 0)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        if (result.Length != x.Length)
        {
            throw new ShapeException($"GradientAttack: expected room for {x.Length} numbers, got {result.Length}.");
        }

        if (HasRandomStart)
        {
            Philox.FillUniform(result, seed, Philox.Stream(RandomUse.Attack));
            for (int i = 0; i < x.Length; i++)
            {
                result[i] = Project(x[i] + (Epsilon * ((2 * result[i]) - 1)), x[i]);
            }
        }
        else
        {
            x.CopyTo(result);
        }

        var gradient = new float[x.Length];
        for (int step = 0; step < Steps; step++)
        {
            trainer.InputGradient(result, labels, gradient);
            for (int i = 0; i < x.Length; i++)
            {
                result[i] = Project(result[i] + (StepSize * MathF.Sign(gradient[i])), x[i]);
            }
        }
    }

    /// <summary>Attacks all examples of a dataset.</summary>
    /// <param name="trainer">Has the network, and the loss to raise.</param>
    /// <param name="data">Examples with class indices.</param>
    /// <param name="batchSize">Examples at a time; default 250.</param>
    /// <param name="seed">What random starts are drawn from; default 0.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The adversarial examples with the true classes, in the same order.</returns>
    /// <exception cref="InvalidOperationException">The data has no class indices.</exception>
    public Dataset Apply(
        Trainer trainer, Dataset data, int batchSize = 250, ulong seed = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (!data.HasLabels)
        {
            throw new InvalidOperationException(
                "GradientAttack: expected examples with class indices, these have other targets.");
        }

        var features = new float[checked(data.Count * data.ExampleSize)];
        var labels = new int[data.Count];
        using var loader = new DataLoader(data, batchSize, shuffle: false);
        loader.StartEpoch(1, cancellationToken: cancellationToken);
        int at = 0;
        while (loader.TryNext(out Batch batch))
        {
            Span<float> result = features.AsSpan(at * data.ExampleSize, batch.Count * data.ExampleSize);
            Apply(trainer, batch.Features, batch.Labels, result, seed + (ulong)batch.Index);
            batch.Labels.CopyTo(labels.AsSpan(at));
            at += batch.Count;
        }

        return Dataset.FromFloats(features, data.ExampleShape, labels, data.Classes, data.ClassNames);
    }

    private float Project(float value, float original) =>
        Math.Clamp(Math.Clamp(value, original - Epsilon, original + Epsilon), Range.Least, Range.Greatest);

    private static float Positive(float value, string name) => value is > 0 and < float.PositiveInfinity
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"GradientAttack: expected a finite {name} above 0.");
}
