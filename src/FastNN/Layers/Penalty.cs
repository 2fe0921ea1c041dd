using FastNN.Ops;

namespace FastNN;

/// <summary>A penalty on a parameter, added to the training loss: l1 * sum |w| + l2 * sum w^2 (Keras' L1L2).</summary>
/// <param name="L1">Weight of the absolute values.</param>
/// <param name="L2">Weight of the squares.</param>
public sealed record Penalty(float L1, float L2)
{
    /// <summary>A penalty on absolute values alone.</summary>
    /// <param name="weight">Default 0.01 (Keras).</param>
    /// <returns>The penalty.</returns>
    public static Penalty OnAbsolute(float weight = 0.01f) => new(weight, 0);

    /// <summary>A penalty on squares alone.</summary>
    /// <param name="weight">Default 0.01 (Keras).</param>
    /// <returns>The penalty.</returns>
    public static Penalty OnSquares(float weight = 0.01f) => new(0, weight);

    /// <summary>Adds the penalty of a parameter to its graph's; a shared parameter is penalised once.</summary>
    internal void AddTo(Value parameter)
    {
        Graph graph = parameter.Graph;
        if (graph.Mode == GraphMode.Training && !graph.Penalties.ContainsKey(parameter))
        {
            graph.Penalties.Add(parameter, graph.Add(new PenaltyOp(L1, L2), parameter));
        }
    }
}
