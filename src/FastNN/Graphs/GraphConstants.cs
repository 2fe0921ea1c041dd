namespace FastNN;

/// <summary>Constants that follow a rule.</summary>
public static class GraphConstants
{
    /// <summary>One number everywhere, as PyTorch's full.</summary>
    /// <param name="graph">The recording.</param>
    /// <param name="shape">Its extents, which may be symbols.</param>
    /// <param name="value">The number.</param>
    /// <returns>Its value.</returns>
    public static Value Full(this Graph graph, Shape shape, float value)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return graph.Constant(value).Expand(shape.ToArray());
    }

    /// <summary>Evenly spaced numbers, as PyTorch's arange: start + i step.</summary>
    /// <param name="graph">The recording.</param>
    /// <param name="start">The first.</param>
    /// <param name="end">The first that is left out.</param>
    /// <param name="step">From one to the next; default 1.</param>
    /// <returns>A vector.</returns>
    /// <exception cref="ShapeException">The step does not lead from start to end, or a number is not finite.</exception>
    public static Value Arange(this Graph graph, float start, float end, float step = 1)
    {
        ArgumentNullException.ThrowIfNull(graph);
        double count = Math.Ceiling(((double)end - start) / step);
        if (!(count >= 0 && count <= int.MaxValue) || step == 0)
        {
            throw new ShapeException($"Arange: expected a step that leads from {start} to {end}, got {step}.");
        }

        var values = new float[(int)count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)(start + (i * (double)step));
        }

        return graph.Constant(values, new Shape(values.Length));
    }

    /// <summary>Int32 numbers from one on, such as the indices of rows.</summary>
    /// <param name="graph">The recording.</param>
    /// <param name="start">The first.</param>
    /// <param name="count">How many.</param>
    /// <returns>A vector.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer than none, or they exceed the type.</exception>
    public static Value RangeInt32(this Graph graph, int start, int count)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return graph.ConstantInt32(Enumerable.Range(start, count).ToArray(), new Shape(count));
    }
}
