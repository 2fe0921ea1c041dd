using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// Cross-entropy along the last axis. Inputs: x [..., classes], targets (class indices [...] or probabilities [..., classes]),
/// then class weights [classes] where there are any.
/// </summary>
internal sealed record CrossEntropyOp(CrossEntropyOptions Options) : Operator
{
    public override string Name => "CrossEntropy";

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => true;

    public override bool IsDifferentiable(int input) => input == 0;

    // Class weights and ignored classes make the divisor depend on the targets.
    public override bool AveragesExamples(int inputs) =>
        Options.Reduction == Reduction.Mean && inputs == 2 && Options.IgnoreIndex < 0;

    public override IndexRange? IndexRange(int input, ReadOnlySpan<TensorType> inputs) =>
        input == 1 && inputs[1].Type == DType.Int32 ? new IndexRange(Name, inputs[0].Shape[-1], Options.IgnoreIndex) : null;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        Reductions.Require(Name, Options.Reduction);
        RequireInputs(inputs, 2, 3);
        RequireType(inputs, 0, DType.Float32);
        (Shape x, Shape targets) = (inputs[0].Shape, inputs[1].Shape);
        if (x.Rank == 0)
        {
            throw new ShapeException($"{Name}: predictions {x} have no class axis.");
        }

        int[] rows = x.ToArray()[..^1];
        if (targets != x && targets != new Shape(rows))
        {
            throw new ShapeException(
                $"{Name}: targets {targets} fit predictions {x} neither as class indices {new Shape(rows)} nor as probabilities {x}.");
        }

        RequireType(inputs, 1, targets == x ? DType.Float32 : DType.Int32);
        if (inputs.Length > 2)
        {
            RequireType(inputs, 2, DType.Float32);
        }

        if (inputs.Length > 2 && inputs[2].Shape != new Shape(x[-1]))
        {
            throw new ShapeException($"{Name}: class weights {inputs[2].Shape} do not fit predictions {x}: [{x[-1]}] expected.");
        }

        if (!(Options.LabelSmoothing >= 0 && Options.LabelSmoothing <= 1)
            || (Options.LabelSmoothing > 0 && Options.Input != CrossEntropyInput.Logits))
        {
            throw new ShapeException(
                $"{Name}: expected a label smoothing in [0, 1], and 0 unless given logits, got {Options.LabelSmoothing}.");
        }

        return [new TensorType(Options.Reduction == Reduction.None ? new Shape(rows) : default)];
    }

    public override long SavedBytes(IPlanning planning, NodeTypes types, bool training)
    {
        Shape x = types.Inputs[0].Shape;
        long rows = x[-1] == 0 ? 0 : x.Count / x[-1];
        return (x.Count + rows + 1) * sizeof(float);
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Losses.CrossEntropyForward(
            Options, tensors.Inputs[0], tensors.Inputs[1], Weights(tensors), tensors.Output, tensors.Saved!);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.Losses.CrossEntropyBackward(
            Options, tensors.Inputs[0], tensors.Inputs[1], Weights(tensors), tensors.Saved!,
            tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);

    private static Tensor? Weights(NodeTensors tensors) => tensors.Inputs.Length > 2 ? tensors.Inputs[2] : null;
}
