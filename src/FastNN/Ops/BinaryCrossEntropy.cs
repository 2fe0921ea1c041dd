using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// Binary cross-entropy. Inputs: x, targets, then a weight per element and a weight per positive class, where the flags say so.
/// </summary>
internal sealed record BinaryCrossEntropyOp(bool FromLogits, Reduction Reduction, bool HasWeight = false, bool HasPositiveWeight = false) : Operator
{
    public override string Name => FromLogits ? "BinaryCrossEntropyWithLogits" : "BinaryCrossEntropy";

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => true;

    public override bool IsDifferentiable(int input) => input == 0;

    // Where nothing is reduced.
    public override bool KeepsFeatures(int input) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        int count = 2 + (HasWeight ? 1 : 0) + (HasPositiveWeight ? 1 : 0);
        RequireFloats(inputs, count, count);
        Shape x = inputs[0].Shape;
        if (x != inputs[1].Shape || (HasWeight && x != inputs[2].Shape))
        {
            throw new ShapeException($"{Name}: predictions {x}, targets {inputs[1].Shape} and weights must have one shape.");
        }

        if (HasPositiveWeight && (!FromLogits || x.Rank == 0 || inputs[^1].Shape != new Shape(x[-1])))
        {
            throw new ShapeException($"{Name}: positive weights {inputs[^1].Shape} need logits and one number per column of {x}.");
        }

        return [new TensorType(Reduction == Reduction.None ? x : default)];
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Losses.BinaryCrossEntropyForward(
            FromLogits, Reduction, tensors.Inputs[0], tensors.Inputs[1], Weight(tensors), PositiveWeight(tensors), tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.Losses.BinaryCrossEntropyBackward(
            FromLogits, Reduction, tensors.Inputs[0], tensors.Inputs[1], Weight(tensors), PositiveWeight(tensors),
            tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);

    private Tensor? Weight(NodeTensors tensors) => HasWeight ? tensors.Inputs[2] : null;

    private Tensor? PositiveWeight(NodeTensors tensors) => HasPositiveWeight ? tensors.Inputs[^1] : null;
}
