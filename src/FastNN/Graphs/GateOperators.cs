using FastNN.Functions;

namespace FastNN;

/// <summary>
/// Gated linear units as fluent calls: one half of a value times an activation of the other. Where the halves come from two
/// products, <c>a.SiLUGate(b)</c> joins them without a copy.
/// </summary>
public static class GateOperators
{
    /// <summary>The first half times sigmoid of the second, as PyTorch's glu (Dauphin et al., 2017).</summary>
    /// <param name="x">An even extent along the axis.</param>
    /// <param name="axis">Default the last; negative axes count from the end.</param>
    /// <returns>A value with half the extent along the axis.</returns>
    /// <exception cref="ShapeException">The axis is out of range, or its extent is odd or a symbol.</exception>
    public static Value GLU(this Value x, int axis = -1) => Gate<SigmoidGate>(nameof(GLU), x, axis);

    /// <summary>The first half times SiLU of the second (Shazeer, 2020).</summary>
    /// <param name="x">An even extent along the axis.</param>
    /// <param name="axis">Default the last; negative axes count from the end.</param>
    /// <returns>A value with half the extent along the axis.</returns>
    /// <exception cref="ShapeException">The axis is out of range, or its extent is odd or a symbol.</exception>
    public static Value SwiGLU(this Value x, int axis = -1) => Gate<SiLUGate>(nameof(SwiGLU), x, axis);

    /// <summary>The first half times GELU of the second (Shazeer, 2020).</summary>
    /// <param name="x">An even extent along the axis.</param>
    /// <param name="axis">Default the last; negative axes count from the end.</param>
    /// <returns>A value with half the extent along the axis.</returns>
    /// <exception cref="ShapeException">The axis is out of range, or its extent is odd or a symbol.</exception>
    public static Value GeGLU(this Value x, int axis = -1) => Gate<GeluGate>(nameof(GeGLU), x, axis);

    /// <summary>The first half times ReLU of the second (Shazeer, 2020).</summary>
    /// <param name="x">An even extent along the axis.</param>
    /// <param name="axis">Default the last; negative axes count from the end.</param>
    /// <returns>A value with half the extent along the axis.</returns>
    /// <exception cref="ShapeException">The axis is out of range, or its extent is odd or a symbol.</exception>
    public static Value ReGLU(this Value x, int axis = -1) => Gate<ReluGate>(nameof(ReGLU), x, axis);

    private static Value Gate<TGate>(string name, Value x, int axis)
        where TGate : struct, IBinaryFunction
    {
        ArgumentNullException.ThrowIfNull(x);
        int extent = x.Shape[x.Shape.NormalizeAxis(axis, name)];
        if (Dim.IsSymbol(extent) || extent % 2 != 0)
        {
            throw new ShapeException(
                $"{name}: expected an even extent along axis {axis}, which is halved, got {x.Shape}.");
        }

        return x.Graph.Compose(
            () =>
            {
                Value[] halves = x.Chunk(2, axis);
                return ArithmeticOperators.Record<TGate>(halves[0], halves[1]);
            },
            name);
    }
}
