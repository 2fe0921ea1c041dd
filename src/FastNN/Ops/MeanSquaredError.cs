using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>Squared error of x against targets of the same shape.</summary>
internal sealed class MeanSquaredErrorOp(Reduction reduction) : Operator
{
    public override string Name => "MeanSquaredError";

    public override bool BackwardReadsInput(int index) => true;

    public override bool IsDifferentiable(int index) => index == 0;

    public override Shape InferShape(ReadOnlySpan<Shape> inputs)
    {
        RequireInputs(inputs, 2, 2);
        if (inputs[0] != inputs[1])
        {
            throw new ShapeException($"{Name}: predictions {inputs[0]} and targets {inputs[1]} differ in shape.");
        }

        return reduction == Reduction.None ? inputs[0] : default;
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.MeanSquaredErrorForward(reduction, tensors.Inputs[0], tensors.Inputs[1], tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.MeanSquaredErrorBackward(
            reduction, tensors.Inputs[0], tensors.Inputs[1], tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);
}
