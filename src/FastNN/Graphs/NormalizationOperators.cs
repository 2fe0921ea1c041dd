using FastNN.Ops;

namespace FastNN;

/// <summary>Normalizations, as fluent calls on values.</summary>
public static class NormalizationOperators
{
    /// <summary>Layer normalization (Ba et al., 2016) over the trailing axes, as PyTorch's layer_norm.</summary>
    /// <param name="x">At least so many axes.</param>
    /// <param name="weight">Of the trailing axes' shape, or null for none.</param>
    /// <param name="bias">Likewise; only beside a weight.</param>
    /// <param name="axes">How many trailing axes; default 1.</param>
    /// <param name="eps">Added to the variance; default 1e-5.</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Value LayerNorm(this Value x, Value? weight = null, Value? bias = null, int axes = 1, float eps = 1e-5f)
    {
        var op = new LayerNormOp(axes, eps);
        return (weight, bias) switch
        {
            (null, null) => x.Graph.Add(op, x),
            (null, _) => throw new ShapeException("LayerNorm: expected a weight beside the bias."),
            (_, null) => x.Graph.Add(op, x, weight),
            _ => x.Graph.Add(op, x, weight, bias),
        };
    }

    /// <summary>
    /// Batch normalization (Ioffe and Szegedy, 2015) of the last axis, the channels, as PyTorch's batch_norm. In a graph for
    /// training it takes the batch's statistics and moves the running ones, which are written back at the end of the step; in
    /// inference it takes the running ones.
    /// </summary>
    /// <param name="x">[N, C], [N, L, C] or [N, H, W, C].</param>
    /// <param name="runningMean">[C], a parameter that is not trained.</param>
    /// <param name="runningVariance">Likewise.</param>
    /// <param name="weight">[C], or null for none.</param>
    /// <param name="bias">[C], or null for none; only beside a weight.</param>
    /// <param name="momentum">Of the batch in the running statistics; default 0.1 (PyTorch).</param>
    /// <param name="eps">Added to the variance; default 1e-5.</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Value BatchNorm(
        this Value x, Value runningMean, Value runningVariance, Value? weight = null, Value? bias = null, float momentum = 0.1f,
        float eps = 1e-5f)
    {
        if (weight is null && bias is not null)
        {
            throw new ShapeException("BatchNorm: expected a weight beside the bias.");
        }

        Graph graph = x.Graph;
        Value[] inputs = [
            x, runningMean, runningVariance, .. weight is null ? (Value[])[] : [weight], .. bias is null ? (Value[])[] : [bias]];
        Value[] outputs = graph.AddNode(new BatchNormOp(graph.Mode == GraphMode.Training, momentum, eps), inputs);
        if (outputs.Length > 1 && runningMean.Kind == ValueKind.Parameter && runningVariance.Kind == ValueKind.Parameter)
        {
            graph.WriteBack(runningMean, outputs[1]);
            graph.WriteBack(runningVariance, outputs[2]);
        }

        return outputs[0];
    }
}
