using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>y = f(x), element by element.</summary>
/// <param name="activation">Which function.</param>
internal sealed class ActivationOp(Activation activation) : Operator
{
    public Activation Activation { get; } = activation;

    public override string Name => Activation.Name;

    // With f' from y, x may be overwritten at once; otherwise x is kept and y may be overwritten by whoever follows.
    public override bool BackwardReadsInput(int index) => Activation.Reads == Reads.Input;

    public override bool BackwardReadsOutput => Activation.Reads == Reads.Output;

    public override bool ForwardInPlace(int index) => true;

    public override bool BackwardInPlace(int index) => true;

    public override Shape InferShape(ReadOnlySpan<Shape> inputs)
    {
        RequireInputs(inputs, 1, 1);
        return inputs[0];
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.ActivationForward(Activation, tensors.Inputs[0], tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.ActivationBackward(
            Activation, XOrY(tensors), tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);

    private Tensor XOrY(NodeTensors tensors) => Activation.Reads switch
    {
        Reads.Output => tensors.Output,
        Reads.Input => tensors.Inputs[0],
        _ => tensors.OutputGradient!,
    };
}
