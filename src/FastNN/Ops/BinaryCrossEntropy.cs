using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// Binary cross-entropy. Inputs: x, targets, then a weight per element and a weight per positive class, where the flags say so.
/// </summary>
internal sealed class BinaryCrossEntropyOp(bool fromLogits, Reduction reduction, bool hasWeight = false, bool hasPositiveWeight = false) : Operator
{
    public override string Name => fromLogits ? "BinaryCrossEntropyWithLogits" : "BinaryCrossEntropy";

    public override bool BackwardReadsInput(int index) => true;

    public override bool IsDifferentiable(int index) => index == 0;

    public override Shape InferShape(ReadOnlySpan<Shape> inputs)
    {
        int count = 2 + (hasWeight ? 1 : 0) + (hasPositiveWeight ? 1 : 0);
        RequireInputs(inputs, count, count);
        Shape x = inputs[0];
        if (x != inputs[1] || (hasWeight && x != inputs[2]))
        {
            throw new ShapeException($"{Name}: predictions {x}, targets {inputs[1]} and weights must have one shape.");
        }

        if (hasPositiveWeight && (!fromLogits || x.Rank == 0 || inputs[^1] != new Shape(x[-1])))
        {
            throw new ShapeException($"{Name}: positive weights {inputs[^1]} need logits and one number per column of {x}.");
        }

        return reduction == Reduction.None ? x : default;
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.BinaryCrossEntropyForward(
            fromLogits, reduction, tensors.Inputs[0], tensors.Inputs[1], Weight(tensors), PositiveWeight(tensors), tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.BinaryCrossEntropyBackward(
            fromLogits, reduction, tensors.Inputs[0], tensors.Inputs[1], Weight(tensors), PositiveWeight(tensors),
            tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);

    private Tensor? Weight(NodeTensors tensors) => hasWeight ? tensors.Inputs[2] : null;

    private Tensor? PositiveWeight(NodeTensors tensors) => hasPositiveWeight ? tensors.Inputs[^1] : null;
}
