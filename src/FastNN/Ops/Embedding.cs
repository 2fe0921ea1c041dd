using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>Rows of a table by their numbers. Inputs: indices [...] of Int32 or Int64, weight [V, D]. Output [..., D].</summary>
/// <param name="Padding">A row that gets no gradient, or -1.</param>
internal sealed record EmbeddingOp(int Padding) : Operator
{
    public override string Name => "Embedding";

    public override bool IsDifferentiable(int input) => input == 1;

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => input == 0;

    public override IndexRange? IndexRange(int input, ReadOnlySpan<TensorType> inputs) =>
        input == 0 ? new IndexRange(Name, inputs[1].Shape[0]) : null;

    // A row of y is a row of the table.
    public override bool KeepsFeatures(int input) => input == 1;

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) =>
        hasExamples[0] && !hasExamples[1];

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 2, 2);
        RequireType(inputs, 1, DType.Float32);
        if (inputs[0].Type is not (DType.Int32 or DType.Int64))
        {
            throw new ShapeException($"{Name}: expected indices of type Int32 or Int64, got {inputs[0]}; cast them first.");
        }

        (Shape indices, Shape weight) = (inputs[0].Shape, inputs[1].Shape);
        if (weight.Rank != 2 || Padding < -1 || Padding >= weight[0])
        {
            throw new ShapeException(
                $"{Name}: expected a table [V, D] and a padding index below V, or -1 for none, got {weight} and {Padding}.");
        }

        return [new TensorType([.. indices, weight[1]])];
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Indexing.EmbeddingForward(tensors.Inputs[0], tensors.Inputs[1], tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.Indexing.EmbeddingBackward(
            tensors.Inputs[0], tensors.OutputGradient!, Padding, tensors.InputGradients[1]!, tensors.Accumulate[1]);
}
