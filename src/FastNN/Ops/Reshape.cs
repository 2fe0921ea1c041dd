using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>The same elements under another shape; a view, so neither pass moves a byte.</summary>
internal sealed class ReshapeOp(Shape shape) : Operator
{
    public override string Name => "Reshape";

    public override bool IsView => true;

    public override Shape InferShape(ReadOnlySpan<Shape> inputs)
    {
        RequireInputs(inputs, 1, 1);
        return inputs[0].Count == shape.Count
            ? shape
            : throw new ShapeException($"{Name}: {inputs[0]} has {inputs[0].Count} elements, {shape} has {shape.Count}.");
    }

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
    }

    /// <summary>Moves nothing unless the input's gradient already lies elsewhere, written there by another consumer.</summary>
    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        Tensor dX = tensors.InputGradients[0]!;
        if (dX.Address != tensors.OutputGradient!.Address)
        {
            kernels.Copy(tensors.OutputGradient, dX, tensors.Accumulate[0]);
        }
    }
}
