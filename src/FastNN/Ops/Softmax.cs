using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>softmax(x), or its logarithm, along one axis.</summary>
internal sealed class SoftmaxOp(int axis, bool logarithm) : Operator
{
    private int _outer;
    private int _extent;
    private int _inner;
    private bool _last;

    public override string Name => logarithm ? "LogSoftmax" : "Softmax";

    public bool IsLogarithmOfLastAxis => logarithm && _last;

    public override bool BackwardReadsOutput => true;

    public override bool ForwardInPlace(int index) => true;

    public override bool BackwardInPlace(int index) => true;

    public override Shape InferShape(ReadOnlySpan<Shape> inputs)
    {
        RequireInputs(inputs, 1, 1);
        Shape x = inputs[0];
        int at = x.NormalizeAxis(axis);
        _outer = checked((int)x.Product(0, at));
        _extent = x[at];
        _inner = checked((int)x.Product(at + 1, x.Rank));
        _last = at == x.Rank - 1;
        return x;
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.SoftmaxForward(tensors.Inputs[0], tensors.Output, _outer, _extent, _inner, logarithm);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.SoftmaxBackward(
            tensors.Output, tensors.OutputGradient!, tensors.InputGradients[0]!, _outer, _extent, _inner, logarithm, tensors.Accumulate[0]);
}
