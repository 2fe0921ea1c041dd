using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>y = f(x), element by element.</summary>
/// <param name="Activation">Which function.</param>
/// <param name="Slope">Of LeakyReLU for negative x.</param>
internal sealed record ActivationOp(Activation Activation, float Slope = 0) : Operator
{
    public override string Name => Activation.ToString();

    // With f' from y, x may be overwritten at once; otherwise x is kept and y may be overwritten by whoever follows.
    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => !Activation.DerivativeFromOutput(Slope);

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => Activation.DerivativeFromOutput(Slope);

    public override bool ForwardInPlace(NodeTypes types, int input) => true;

    public override bool BackwardInPlace(NodeTypes types, int input) => true;

    public override bool KeepsFeatures(int input) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 1, 1);
        return [inputs[0]];
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.ActivationForward(Activation, Slope, tensors.Inputs[0], tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.ActivationBackward(
            Activation, Slope, Activation.DerivativeFromOutput(Slope) ? tensors.Output : tensors.Inputs[0],
            tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);
}
