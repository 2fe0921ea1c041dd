using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// Cross-entropy along the last axis. Inputs: x [..., classes], targets (class indices [...] or probabilities [..., classes]),
/// then class weights [classes] where there are any.
/// </summary>
internal sealed class CrossEntropyOp(CrossEntropyOptions options) : Operator
{
    private int _rows;
    private int _classes;

    public override string Name => "CrossEntropy";

    public CrossEntropyOptions Options => options;

    public override bool BackwardReadsInput(int index) => true;

    public override bool IsDifferentiable(int index) => index == 0;

    public override Shape InferShape(ReadOnlySpan<Shape> inputs)
    {
        RequireInputs(inputs, 2, 3);
        (Shape x, Shape targets) = (inputs[0], inputs[1]);
        if (x.Rank == 0)
        {
            throw new ShapeException($"{Name}: predictions {x} have no class axis.");
        }

        int[] rows = x.ToArray()[..^1];
        if (targets != x && targets != new Shape(rows))
        {
            throw new ShapeException($"{Name}: targets {targets} fit predictions {x} neither as class indices {new Shape(rows)} nor as probabilities {x}.");
        }

        if (inputs.Length > 2 && inputs[2] != new Shape(x[-1]))
        {
            throw new ShapeException($"{Name}: class weights {inputs[2]} do not fit predictions {x}: [{x[-1]}] expected.");
        }

        if (!(options.LabelSmoothing >= 0 && options.LabelSmoothing <= 1) || (options.LabelSmoothing > 0 && options.Input != CrossEntropyInput.Logits))
        {
            throw new ShapeException($"{Name}: label smoothing {options.LabelSmoothing} must be in [0, 1], and 0 unless given logits.");
        }

        _classes = x[-1];
        _rows = checked((int)(_classes == 0 ? 0 : x.Count / _classes));
        return options.Reduction == Reduction.None ? new Shape(rows) : default;
    }

    public override long SavedBytes(IKernels kernels, bool training) => ((long)_rows * _classes + _rows + 1) * sizeof(float);

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.CrossEntropyForward(options, tensors.Inputs[0], tensors.Inputs[1], Weights(tensors), tensors.Output, tensors.Saved!);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.CrossEntropyBackward(
            options, tensors.Inputs[0], tensors.Inputs[1], Weights(tensors), tensors.Saved!,
            tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);

    private static Tensor? Weights(NodeTensors tensors) => tensors.Inputs.Length > 2 ? tensors.Inputs[2] : null;
}
