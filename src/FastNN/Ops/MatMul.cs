using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// y [..., M, N] = op(a) [..., M, K] op(b) [..., K, N]; the axes in front broadcast. A transposed operand has its last two axes
/// exchanged.
/// </summary>
internal sealed record MatMulOp(bool TransposeA = false, bool TransposeB = false) : Operator
{
    public override string Name => "MatMul";

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => wanted[1 - input];

    // The columns of y are those of b.
    public override bool KeepsFeatures(int input) => input == 1 && !TransposeB;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 2, 2);
        (Shape a, Shape b) = (inputs[0].Shape, inputs[1].Shape);
        if (a.Rank < 2 || b.Rank < 2 || Columns(a, TransposeA) != Columns(b, !TransposeB))
        {
            string given = $"{a}{(TransposeA ? " transposed" : "")} and {b}{(TransposeB ? " transposed" : "")}";
            throw new ShapeException($"{Name}: expected [..., M, K] and [..., K, N], got {given}.");
        }

        Shape batch = Broadcasting.Of(Name, a[..^2], b[..^2]);
        return [new TensorType([.. batch, Columns(a, !TransposeA), Columns(b, TransposeB)])];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        (Shape a, Shape b, Shape y) = (inputs[0].Shape, inputs[1].Shape, outputs[0].Shape);
        (int m, int n, int k) = (y[-2], y[-1], Columns(a, TransposeA));
        var axes = new (int Extent, long A, long B, long Y)[y.Rank - 2];
        for (int i = 0; i < axes.Length; i++)
        {
            axes[i] = (y[i], Stride(a, i - y.Rank), Stride(b, i - y.Rank), Stride(y, i - y.Rank));
        }

        return new Products(
            MatMulGeometry.Of(m, n, k, TransposeA, TransposeB, axes),
            TransposeA
                ? MatMulGeometry.Of(
                    k, m, n, TransposeB, true, Array.ConvertAll(axes, axis => (axis.Extent, axis.B, axis.Y, axis.A)))
                : MatMulGeometry.Of(
                    m, k, n, false, !TransposeB, Array.ConvertAll(axes, axis => (axis.Extent, axis.Y, axis.B, axis.A))),
            TransposeB
                ? MatMulGeometry.Of(
                    n, k, m, true, TransposeA, Array.ConvertAll(axes, axis => (axis.Extent, axis.Y, axis.A, axis.B)))
                : MatMulGeometry.Of(
                    k, n, m, !TransposeA, false, Array.ConvertAll(axes, axis => (axis.Extent, axis.A, axis.Y, axis.B))));
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Products.MatMul(
            tensors.Inputs[0], tensors.Inputs[1], tensors.Output, ((Products)tensors.Bound!).Y, accumulate: false);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        var products = (Products)tensors.Bound!;
        (Tensor a, Tensor b, Tensor dY) = (tensors.Inputs[0], tensors.Inputs[1], tensors.OutputGradient!);
        if (tensors.InputGradients[1] is { } dB)
        {
            kernels.Products.MatMul(TransposeB ? dY : a, TransposeB ? a : dY, dB, products.B, tensors.Accumulate[1]);
        }

        if (tensors.InputGradients[0] is { } dA)
        {
            kernels.Products.MatMul(TransposeA ? b : dY, TransposeA ? dY : b, dA, products.A, tensors.Accumulate[0]);
        }
    }

    private static int Columns(Shape shape, bool transposed) => transposed ? shape[-2] : shape[-1];

    /// <summary>
    /// Elements from one place to the next along an axis counted from the end; 0 where the shape lacks it or repeats along it.
    /// </summary>
    private static long Stride(Shape shape, int axis) =>
        -axis > shape.Rank || shape[axis] == 1 ? 0 : shape.Product(shape.Rank + axis + 1, shape.Rank);

    /// <summary>The products that give the output and the operands' gradients.</summary>
    private sealed record Products(MatMulGeometry Y, MatMulGeometry A, MatMulGeometry B);
}
