using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>Inverted dropout. Inputs: x and the step counter, from which both passes draw the same mask.</summary>
internal sealed class DropoutOp(DropoutOptions options) : Operator
{
    public override string Name => "Dropout";

    public override bool BackwardReadsInput(int index) => index == 1;

    public override bool ForwardInPlace(int index) => index == 0;

    public override bool BackwardInPlace(int index) => index == 0;

    public override bool IsDifferentiable(int index) => index == 0;

    public override Shape InferShape(ReadOnlySpan<Shape> inputs)
    {
        RequireInputs(inputs, 2, 2);
        if (!(options.Rate >= 0 && options.Rate < 1))
        {
            throw new ShapeException($"{Name}: rate {options.Rate} is not in [0, 1).");
        }

        return inputs[0];
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.DropoutForward(options, tensors.Inputs[1], tensors.Inputs[0], tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.DropoutBackward(options, tensors.Inputs[1], tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);
}
