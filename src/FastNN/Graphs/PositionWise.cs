using FastNN.Ops;

namespace FastNN.Graphs;

/// <summary>Whether a recording computes each position from that position alone, but for attention over caches.</summary>
internal static class PositionWise
{
    /// <summary>Fails where an operator lets positions see one another.</summary>
    /// <param name="graph">The recording.</param>
    /// <param name="steps">The symbol of the positions.</param>
    /// <exception cref="ShapeException">One does, or is not known not to.</exception>
    public static void Require(Graph graph, int steps)
    {
        foreach (Node node in graph.Nodes)
        {
            if (Array.Exists(node.Inputs, input => AxisOf(input.Shape, steps) >= 0) && !IsAlone(node, steps))
            {
                throw new ShapeException(
                    $"Decoder: expected a model in which positions see one another in causal attention alone; {node.Op.Name} of "
                    + $"{string.Join(", ", node.Inputs.Select(input => input.TensorType))} mixes them.");
            }
        }
    }

    private static bool IsAlone(Node node, int steps)
    {
        Value first = node.Inputs[0], output = node.Outputs[0];
        int axis = AxisOf(first.Shape, steps);
        if (node.Op is ScaledDotProductOp || (node.Op is ScatterOp && first.Parameter is { IsCache: true }))
        {
            // What decoding records itself. Attention to keys that are no positions passes it by, and mixes none.
            return true;
        }

        if (Array.Exists(node.Outputs, made => AxisOf(made.Shape, steps) < 0))
        {
            return false;
        }

        return node.Op switch
        {
            ActivationOp or BiasActivationOp or CastOp or DropoutOp or OneHotOp or PermuteOp or ReduceOp or StopGradientOp
                => true,
            BinaryOp or WhereOp or ExpandOp => Array.TrueForAll(
                node.Inputs, input => FromEnd(input.Shape, steps) is var at && (at == 0 || at == FromEnd(output.Shape, steps))),
            DenseOp or EmbeddingOp => Only(node, 0, steps),
            RotaryOp => axis >= 0 && node.Inputs.Length == 3,
            MatMulOp { TransposeA: false } => Only(node, 0, steps) && axis < first.Shape.Rank - 1,
            RowNormOp norm => Only(node, 0, steps) && axis < first.Shape.Rank - norm.Trailing,
            SoftmaxOp softmax => axis != first.Shape.NormalizeAxis(softmax.Axis),
            ConcatOp concat => axis != first.Shape.NormalizeAxis(concat.Axis),
            SplitOp split => axis != first.Shape.NormalizeAxis(split.Axis),
            SliceOp slice => axis != first.Shape.NormalizeAxis(slice.Axis),
            ViewOp => output.Shape.Product(0, AxisOf(output.Shape, steps)) == first.Shape.Product(0, axis),
            _ => false,
        };
    }

    /// <summary>Whether no other input has the axis.</summary>
    private static bool Only(Node node, int input, int steps) =>
        !node.Inputs.Where((value, i) => i != input && AxisOf(value.Shape, steps) >= 0).Any();

    /// <summary>The axis counted from the end, from 1; 0 where there is none.</summary>
    private static int FromEnd(Shape shape, int steps) => AxisOf(shape, steps) is >= 0 and var axis ? shape.Rank - axis : 0;

    private static int AxisOf(Shape shape, int symbol) => Array.IndexOf(shape.ToArray(), symbol);
}
