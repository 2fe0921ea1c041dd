using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>Inverted dropout. Inputs: x and the step counter, from which both passes draw the same mask.</summary>
internal sealed record DropoutOp(DropoutOptions Options) : Operator
{
    public override string Name => "Dropout";

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => input == 1;

    public override bool ForwardInPlace(NodeTypes types, int input) => input == 0;

    public override bool BackwardInPlace(NodeTypes types, int input) => input == 0;

    public override bool IsDifferentiable(int input) => input == 0;

    public override bool KeepsFeatures(int input) => input == 0;

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) => hasExamples[0];

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 2, 2);
        RequireType(inputs, 0, DType.Float32);
        RequireType(inputs, 1, DType.Int32);
        if (!(Options.Rate >= 0 && Options.Rate < 1))
        {
            throw new ShapeException($"{Name}: rate {Options.Rate} is not in [0, 1).");
        }

        return [inputs[0]];
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Elements.DropoutForward(Options, tensors.Inputs[1], tensors.Inputs[0], tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.Elements.DropoutBackward(
            Options, tensors.Inputs[1], tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);
}
