using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>The same values in another type. Gradients flow between floats.</summary>
/// <param name="Type">The output's type.</param>
internal sealed record CastOp(DType Type) : Operator
{
    public override string Name => "Cast";

    public override bool KeepsFeatures(int input) => true;

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 1, 1);
        Type.Traits();
        return [inputs[0] with { Type = Type }];
    }

    // Gradients are float32 on both sides.
    public override bool BackwardInPlace(NodeTypes types, int input) => true;

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Elements.Cast(tensors.Inputs[0], tensors.Output, accumulate: false);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        if (tensors.InputGradients[0]!.Address != tensors.OutputGradient!.Address)
        {
            kernels.Elements.Cast(tensors.OutputGradient, tensors.InputGradients[0]!, tensors.Accumulate[0]);
        }
    }
}
