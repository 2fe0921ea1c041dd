using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>Matrices [..., M, N] with zeros on one side of a diagonal.</summary>
/// <param name="Upper">The upper triangle stays, else the lower.</param>
/// <param name="Diagonal">0 is the main one; above it positive.</param>
internal sealed record TriluOp(bool Upper, int Diagonal) : Operator
{
    public override string Name => Upper ? "Triu" : "Tril";

    public override bool ForwardInPlace(NodeTypes types, int input) => true;

    public override bool BackwardInPlace(NodeTypes types, int input) => true;

    // What becomes 0 depends on the place along the last axis.
    public override bool KeepsFeatures(int input) => false;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 1, 1);
        return inputs[0].Shape.Rank >= 2
            ? [inputs[0]]
            : throw new ShapeException($"{Name}: expected matrices [..., M, N], got {inputs[0].Shape}.");
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) => kernels.Indexing.Trilu(
        tensors.Inputs[0], tensors.Output, tensors.Output.Shape[-2], tensors.Output.Shape[-1], Diagonal, Upper,
        accumulate: false);

    public override void Backward(IKernels kernels, NodeTensors tensors) => kernels.Indexing.Trilu(
        tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Output.Shape[-2], tensors.Output.Shape[-1], Diagonal, Upper,
        tensors.Accumulate[0]);
}
