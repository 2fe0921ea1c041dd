using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>Squared error of x against targets of the same shape.</summary>
internal sealed record MeanSquaredErrorOp(Reduction Reduction) : Operator
{
    public override string Name => "MeanSquaredError";

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => true;

    public override bool IsDifferentiable(int input) => input == 0;

    // Where nothing is reduced.
    public override bool KeepsFeatures(int input) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 2, 2);
        if (inputs[0] != inputs[1])
        {
            throw new ShapeException($"{Name}: predictions {inputs[0].Shape} and targets {inputs[1].Shape} differ in shape.");
        }

        return [new TensorType(Reduction == Reduction.None ? inputs[0].Shape : default)];
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Losses.MeanSquaredErrorForward(Reduction, tensors.Inputs[0], tensors.Inputs[1], tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.Losses.MeanSquaredErrorBackward(
            Reduction, tensors.Inputs[0], tensors.Inputs[1], tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);
}
