using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Graphs;

/// <summary>
/// What a node costs by its definition: additions and multiplications of a direct computation, and bytes of what it reads and
/// writes once. A faster algorithm, such as Winograd's, shows as more operations in a second than the processor has.
/// </summary>
/// <param name="Flops">Floating-point operations.</param>
/// <param name="Bytes">Bytes of all inputs and outputs.</param>
internal readonly record struct OperatorCost(double Flops, long Bytes)
{
    public static OperatorCost Of(PlannedNode node) => Of(node.Op, node.Types);

    public static OperatorCost Of(Operator op, NodeTypes types)
    {
        if (op.IsView)
        {
            return default;
        }

        TensorType[] inputs = types.Inputs, outputs = types.Outputs;
        long bytes = inputs.Sum(input => input.Bytes) + outputs.Sum(output => output.Bytes);
        double results = outputs.Sum(output => (double)output.Shape.Count), taken = inputs.Length > 0 ? inputs[0].Shape.Count : 0;
        double flops = op switch
        {
            DenseOp => 2.0 * results * inputs[1].Shape[0],
            MatMulOp matMul => 2.0 * results * inputs[0].Shape[matMul.TransposeA ? -2 : -1],

            // Each output is a sum over the filter's window and its channels; each input of a transposed one gives as much.
            ConvolutionOp convolution => 2.0 * results * inputs[1].Shape.Count
                / Math.Max(1, convolution.HasTransposedFilter ? inputs[1].Shape[0] : inputs[1].Shape[-1]),
            ConvolutionMaxPoolOp pooled => Pooled(pooled, inputs),
            ConvolutionDepthwiseOp joined => (2.0 * inputs[0].Shape.Count * inputs[1].Shape[-1])
                + (2.0 * results * inputs[joined.HasBias ? 3 : 2].Shape.Count / Math.Max(1, inputs[1].Shape[-1])),
            ConvTransposeOp => 2.0 * taken * inputs[1].Shape.Count / Math.Max(1, inputs[1].Shape[-1]),
            ScaledDotProductOp => Attention((AttentionGeometry)types.Bound!),
            RecurrenceOp => 2.0 * inputs[0].Shape[0] * inputs[0].Shape[1] * (inputs[1].Shape.Count + inputs[2].Shape.Count),
            ReduceOp or ArgExtremeOp or ScanOp => taken,
            MaxPool2DOp pool => results * pool.Options.KernelH * pool.Options.KernelW,
            AvgPool2DOp pool => results * pool.Options.KernelH * pool.Options.KernelW,
            SoftmaxOp => 5 * taken,
            RowNormOp or ResidualNormOp or ColumnNormOp => 8 * taken,
            ActivationOp or BiasActivationOp or BinaryOp => results,
            _ => 0,
        };
        return new OperatorCost(flops, bytes);
    }

    /// <summary>
    /// What a node's gradients cost. Products cost for each factor's gradient what the product does; so do attention, whose
    /// gradients take four products in place of two, and recurrences together. All others cost what they do in forward, for all
    /// gradients together. The bytes are those of all inputs, of the gradients that arrive, and of those that are given, twice
    /// where they are added to.
    /// </summary>
    public static OperatorCost OfBackward(PlannedNode node)
    {
        TensorType[] inputs = node.Types.Inputs, outputs = node.Types.Outputs;
        long bytes = inputs.Sum(input => input.Bytes);
        int factors = 0, given = 0;
        for (int i = 0; i < outputs.Length; i++)
        {
            bytes += node.OutputGradients[i] is null ? 0 : outputs[i].Bytes;
        }

        for (int i = 0; i < node.InputGradients.Length; i++)
        {
            if (node.InputGradients[i] is { } gradient)
            {
                bytes += gradient.Type.Bytes * (node.Accumulate[i] ? 2 : 1);
                factors += i < 2 ? 1 : 0;
                given++;
            }
        }

        double forward = Of(node).Flops;
        return new OperatorCost(
            node.Op switch
            {
                DenseOp or MatMulOp or ConvolutionOp or ConvTransposeOp => factors * forward,
                ScaledDotProductOp or RecurrenceOp => 2 * forward,
                _ => given > 0 ? forward : 0,
            },
            node.Op.IsView ? 0 : bytes);
    }

    private static double Pooled(ConvolutionMaxPoolOp op, TensorType[] inputs)
    {
        double pixels = op.Convolution.Infer(inputs)[0].Shape.Count;
        return (2 * pixels * inputs[1].Shape.Count / Math.Max(1, inputs[1].Shape[-1])) + pixels;
    }

    private static double Attention(AttentionGeometry geometry) =>
        2.0 * geometry.Batch * geometry.Heads * geometry.Queries * geometry.Keys * (geometry.Width + geometry.ValueWidth);
}
