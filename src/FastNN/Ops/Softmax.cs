using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>softmax(x), or its logarithm, along one axis.</summary>
/// <param name="Axis">Negative axes count from the end.</param>
/// <param name="Logarithm">Give the logarithm.</param>
internal sealed record SoftmaxOp(int Axis, bool Logarithm) : Operator
{
    public override string Name => Logarithm ? "LogSoftmax" : "Softmax";

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => true;

    public override bool ForwardInPlace(NodeTypes types, int input) => true;

    public override bool BackwardInPlace(NodeTypes types, int input) => true;

    public override bool KeepsFeatures(int input) => true;

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) =>
        inputs[0].Shape.NormalizeAxis(Axis) > 0;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        if (x.Rank == 0)
        {
            throw new ShapeException($"{Name}: expected an input with an axis, got a scalar.");
        }

        int at = x.NormalizeAxis(Axis, Name);
        if (x.Product(0, at) > int.MaxValue || x.Product(at + 1, x.Rank) > int.MaxValue)
        {
            throw new ShapeException($"{Name}: {x} has more than {int.MaxValue} elements on one side of axis {at}.");
        }

        return [inputs[0]];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape x = inputs[0].Shape;
        int at = x.NormalizeAxis(Axis);
        return new Sizes((int)x.Product(0, at), x[at], (int)x.Product(at + 1, x.Rank));
    }

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        var sizes = (Sizes)tensors.Bound!;
        kernels.Normalizations.SoftmaxForward(
            tensors.Inputs[0], tensors.Output, sizes.Outer, sizes.Extent, sizes.Inner, Logarithm);
    }

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        var sizes = (Sizes)tensors.Bound!;
        kernels.Normalizations.SoftmaxBackward(
            tensors.Output, tensors.OutputGradient!, tensors.InputGradients[0]!, sizes.Outer, sizes.Extent, sizes.Inner,
            Logarithm, tensors.Accumulate[0]);
    }

    private sealed record Sizes(int Outer, int Extent, int Inner);
}
