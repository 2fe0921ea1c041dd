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
        RequireWeight("LayerNorm", weight, bias);
        return x.Graph.Add(new LayerNormOp(axes, eps), [x, .. Present(weight), .. Present(bias)]);
    }

    /// <summary>
    /// Root mean square normalization (Zhang and Sennrich, 2019) over the trailing axes, x / sqrt(mean(x^2) + eps) weight, as
    /// PyTorch's rms_norm.
    /// </summary>
    /// <param name="x">At least so many axes.</param>
    /// <param name="weight">Of the trailing axes' shape, or null for none.</param>
    /// <param name="axes">How many trailing axes; default 1.</param>
    /// <param name="eps">Added to the mean of squares; default that of PyTorch, the distance from 1 to the next float.</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Value RMSNorm(this Value x, Value? weight = null, int axes = 1, float eps = 1.1920929e-7f)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.Graph.Add(new RmsNormOp(axes, eps), [x, .. Present(weight)]);
    }

    /// <summary>
    /// Group normalization (Wu and He, 2018) of the last axis, the channels, in groups of neighbors, statistics over a group and
    /// all places of an example, as PyTorch's group_norm.
    /// </summary>
    /// <param name="x">[N, C], [N, L, C], [N, H, W, C] or [N, D, H, W, C].</param>
    /// <param name="groups">How many; C must be divisible by it.</param>
    /// <param name="weight">[C], or null for none.</param>
    /// <param name="bias">[C], or null for none; only beside a weight.</param>
    /// <param name="eps">Added to the variance; default 1e-5.</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">The shapes do not fit, or the channels cannot be divided.</exception>
    public static Value GroupNorm(this Value x, int groups, Value? weight = null, Value? bias = null, float eps = 1e-5f)
    {
        ArgumentNullException.ThrowIfNull(x);
        RequireWeight("GroupNorm", weight, bias);
        return groups < 1
            ? throw new ShapeException($"GroupNorm: expected at least 1 group for input {x.Shape}, got {groups}.")
            : x.Graph.Add(new GroupNormOp(groups, eps), [x, .. Present(weight), .. Present(bias)]);
    }

    /// <summary>
    /// Instance normalization (Ulyanov et al., 2016): each example's channels, the last axis, by their own statistics, as
    /// PyTorch's instance_norm.
    /// </summary>
    /// <param name="x">[N, L, C], [N, H, W, C] or [N, D, H, W, C], of more than one place.</param>
    /// <param name="weight">[C], or null for none.</param>
    /// <param name="bias">[C], or null for none; only beside a weight.</param>
    /// <param name="eps">Added to the variance; default 1e-5.</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Value InstanceNorm(this Value x, Value? weight = null, Value? bias = null, float eps = 1e-5f)
    {
        ArgumentNullException.ThrowIfNull(x);
        RequireWeight("InstanceNorm", weight, bias);
        return x.Graph.Add(new GroupNormOp(0, eps), [x, .. Present(weight), .. Present(bias)]);
    }

    /// <summary>
    /// Batch normalization (Ioffe and Szegedy, 2015) of the last axis, the channels, as PyTorch's batch_norm. In a graph for
    /// training it takes the batch's statistics and moves the running ones, which are written back at the end of the step; in
    /// inference it takes the running ones.
    /// </summary>
    /// <param name="x">[N, C], [N, L, C], [N, H, W, C] or [N, D, H, W, C].</param>
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
        RequireWeight("BatchNorm", weight, bias);
        Graph graph = x.Graph;
        Value[] inputs = [x, runningMean, runningVariance, .. Present(weight), .. Present(bias)];
        Value[] outputs = graph.AddNode(new BatchNormOp(graph.Mode == GraphMode.Training, momentum, eps), inputs);
        if (outputs.Length > 1 && runningMean.Kind == ValueKind.Parameter && runningVariance.Kind == ValueKind.Parameter)
        {
            graph.WriteBack(runningMean, outputs[1]);
            graph.WriteBack(runningVariance, outputs[2]);
        }

        return outputs[0];
    }

    private static Value[] Present(Value? value) => value is null ? [] : [value];

    private static void RequireWeight(string name, Value? weight, Value? bias)
    {
        if (weight is null && bias is not null)
        {
            throw new ShapeException($"{name}: expected a weight beside the bias.");
        }
    }
}
