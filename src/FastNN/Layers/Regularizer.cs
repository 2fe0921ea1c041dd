using FastNN.Ops;

namespace FastNN;

/// <summary>A penalty on a parameter, added to the training loss: l1 * sum |w| + l2 * sum w^2 (Keras' L1L2).</summary>
public sealed class Regularizer
{
    private Regularizer(float l1, float l2)
    {
        if (!float.IsFinite(l1) || !float.IsFinite(l2) || l1 < 0 || l2 < 0)
        {
            throw new ArgumentOutOfRangeException(
                nameof(l1), $"Regularizer: expected finite weights that are not negative, got {l1} and {l2}.");
        }

        (AbsoluteWeight, SquareWeight) = (l1, l2);
    }

    /// <summary>What the sum of absolute values is multiplied with.</summary>
    public float AbsoluteWeight { get; }

    /// <summary>What the sum of squares is multiplied with.</summary>
    public float SquareWeight { get; }

    /// <summary>A penalty on absolute values alone.</summary>
    /// <param name="weight">Default 0.01 (Keras).</param>
    /// <returns>The regularizer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The weight is negative or not finite.</exception>
    public static Regularizer L1(float weight = 0.01f) => new(weight, 0);

    /// <summary>A penalty on squares alone.</summary>
    /// <param name="weight">Default 0.01 (Keras).</param>
    /// <returns>The regularizer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The weight is negative or not finite.</exception>
    public static Regularizer L2(float weight = 0.01f) => new(0, weight);

    /// <summary>A penalty on both.</summary>
    /// <param name="l1">Weight of the absolute values; default 0.01 (Keras).</param>
    /// <param name="l2">Weight of the squares; default 0.01 (Keras).</param>
    /// <returns>The regularizer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A weight is negative or not finite.</exception>
    public static Regularizer L1L2(float l1 = 0.01f, float l2 = 0.01f) => new(l1, l2);

    /// <summary>As in <c>L1L2(0.01, 0.02)</c>.</summary>
    public override string ToString() =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"L1L2({AbsoluteWeight}, {SquareWeight})");

    /// <summary>Adds the penalty of a parameter to its graph's; a shared parameter is penalized once.</summary>
    internal void AddTo(Value parameter)
    {
        Graph graph = parameter.Graph;
        if (graph.Mode == GraphMode.Training && !graph.Penalties.ContainsKey(parameter))
        {
            graph.Penalties.Add(parameter, graph.Add(new PenaltyOp(AbsoluteWeight, SquareWeight), parameter));
        }
    }
}
