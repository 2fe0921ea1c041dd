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

/// <summary>
/// What a product leaves behind it, z = x + bias and y = f(z), and backward the sums of z's gradient for the bias: one pass each
/// way. Inputs: x and bias; outputs: z, which f' reads, and y. Recorded by the compiler alone, for devices where it is a pass of
/// its own.
/// </summary>
/// <param name="Activation">A function whose gradient reads its argument.</param>
internal sealed record BiasActivationOp(Activation Activation) : Operator
{
    public override string Name => "BiasActivation";

    /// <summary>Whether there are kernels for a function: those that are common behind dense layers.</summary>
    public static bool Takes(Activation activation) =>
        activation == Activation.Gelu || activation == Activation.GeluTanh || activation == Activation.SiLU;

    public override int InPlaceOutput => 1;

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => output == 0;

    public override bool ForwardInPlace(NodeTypes types, int input) => input == 0;

    public override bool BackwardInPlace(NodeTypes types, int input) => input == 0;

    public override bool KeepsFeatures(int input) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 2, 2);
        return inputs[1].Shape == new Shape(inputs[0].Shape[-1])
            ? [inputs[0], inputs[0]]
            : throw new ShapeException($"{Name}: expected a bias [{inputs[0].Shape[-1]}] for {inputs[0]}, got {inputs[1]}.");
    }

    // The bias's gradient is the sum of x's, whether that is wanted or not.
    public override TensorType[] BackwardScratch(NodeTypes types, ReadOnlySpan<bool> wanted) =>
        wanted[0] ? [] : [types.Inputs[0]];

    public override void Forward(IKernels kernels, NodeTensors tensors) => kernels.Elements.BiasActivationForward(
        Activation, tensors.Inputs[0], tensors.Inputs[1], tensors.Outputs[0], tensors.Outputs[1]);

    public override void Backward(IKernels kernels, NodeTensors tensors) => kernels.Elements.BiasActivationBackward(
        Activation, tensors.Outputs[0], tensors.OutputGradients[1]!, tensors.InputGradients[0] ?? tensors.BackwardScratch[0],
        tensors.InputGradients[1], tensors.Accumulate[1]);
}
