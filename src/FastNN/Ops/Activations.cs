using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>y = f(x), element by element.</summary>
/// <param name="Activation">Which function.</param>
internal sealed record ActivationOp(Activation Activation) : Operator
{
    public override string Name => Activation.Name;

    // With f' from y, x may be overwritten at once; otherwise x is kept and y may be overwritten by the next node.
    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => Activation.Reads == Reads.Input;

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => Activation.Reads == Reads.Output;

    public override bool ForwardInPlace(NodeTypes types, int input) => true;

    public override bool BackwardInPlace(NodeTypes types, int input) => true;

    public override bool KeepsFeatures(int input) => true;

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 1, 1);
        return [inputs[0]];
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Elements.ActivationForward(Activation, tensors.Inputs[0], tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.Elements.ActivationBackward(
            Activation, XOrY(tensors), tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);

    private Tensor XOrY(NodeTensors tensors) => Activation.Reads switch
    {
        Reads.Output => tensors.Output,
        Reads.Input => tensors.Inputs[0],
        _ => tensors.OutputGradient!,
    };
}
