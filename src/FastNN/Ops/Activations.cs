using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>y = f(x), element by element.</summary>
/// <param name="activation">Which function.</param>
/// <param name="slope">Of LeakyReLU for negative x.</param>
internal sealed class ActivationOp(Activation activation, float slope = 0) : Operator
{
    public Activation Activation { get; } = activation;

    public float Slope { get; } = slope;

    public override string Name => Activation.ToString();

    // With f' from y, x may be overwritten at once; otherwise x is kept and y may be overwritten by whoever follows.
    public override bool BackwardReadsInput(int index) => !Activation.DerivativeFromOutput(Slope);

    public override bool BackwardReadsOutput => Activation.DerivativeFromOutput(Slope);

    public override bool ForwardInPlace(int index) => true;

    public override bool BackwardInPlace(int index) => true;

    public override Shape InferShape(ReadOnlySpan<Shape> inputs)
    {
        RequireInputs(inputs, 1, 1);
        return inputs[0];
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.ActivationForward(Activation, Slope, tensors.Inputs[0], tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.ActivationBackward(
            Activation, Slope, BackwardReadsOutput ? tensors.Output : tensors.Inputs[0],
            tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);
}
