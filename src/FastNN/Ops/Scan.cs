using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>Sums or products of the terms up to each place along one axis, as ONNX's CumSum.</summary>
/// <param name="Function">Sum or Product.</param>
/// <param name="Axis">From the end: -1 is the last.</param>
/// <param name="Exclusive">Each place is left out of its own sum: the first is 0, or 1 of a product.</param>
/// <param name="Reverse">From the last place to the first.</param>
internal sealed record ScanOp(ScanFunction Function, int Axis, bool Exclusive, bool Reverse) : Operator
{
    public override string Name => Function == ScanFunction.Sum ? "CumSum" : "CumProd";

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => Function == ScanFunction.Product;

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => Function == ScanFunction.Product;

    public override bool KeepsFeatures(int input) => Axis != -1;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 1, 1);
        inputs[0].Shape.NormalizeAxis(Axis, Name);
        return [inputs[0]];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape x = inputs[0].Shape;
        int axis = x.NormalizeAxis(Axis);
        return new Bound(new ScanGeometry(
            Tensor.Index(x.Product(0, axis)), x[axis], Tensor.Index(x.Product(axis + 1, x.Rank)), Exclusive, Reverse));
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Reductions.Scan(Function, tensors.Inputs[0], tensors.Output, Geometry(tensors), accumulate: false);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        (Tensor dY, Tensor dX) = (tensors.OutputGradient!, tensors.InputGradients[0]!);
        ScanGeometry geometry = Geometry(tensors);
        if (Function == ScanFunction.Sum)
        {
            kernels.Reductions.Scan(Function, dY, dX, geometry.Reversed, tensors.Accumulate[0]);
        }
        else
        {
            kernels.Reductions.ScanProductBackward(
                tensors.Inputs[0], tensors.Output, dY, dX, geometry, tensors.Accumulate[0]);
        }
    }

    private static ScanGeometry Geometry(NodeTensors tensors) => ((Bound)tensors.Bound!).Geometry;

    private sealed record Bound(ScanGeometry Geometry);
}
