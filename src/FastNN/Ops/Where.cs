using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>y = condition ? a : b with broadcasting. Inputs: the condition, a, b.</summary>
internal sealed record WhereOp : Operator
{
    public override string Name => "Where";

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => input == 0;

    public override bool ForwardInPlace(NodeTypes types, int input) => input > 0 && types.Inputs[input] == types.Outputs[0];

    // Backward writes b's gradient first, so a's may then overwrite dY.
    public override bool BackwardInPlace(NodeTypes types, int input) => input == 1 && types.Inputs[1] == types.Outputs[0];

    public override bool IsDifferentiable(int input) => input > 0;

    public override bool KeepsFeatures(int input) => input > 0;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 3, 3);
        RequireType(inputs, 0, DType.Bool);
        if (inputs[1].Type != inputs[2].Type)
        {
            throw new ShapeException(
                $"{Name}: expected two branches of one type, got {inputs[1]} and {inputs[2]}; cast one of them.");
        }

        return [inputs[1] with { Shape = Broadcasting.Of(Name, inputs[0].Shape, inputs[1].Shape, inputs[2].Shape) }];
    }

    // The gradient of a branch that repeats is selected first and then summed.
    public override TensorType[] BackwardScratch(NodeTypes types, ReadOnlySpan<bool> wanted) =>
        (wanted[1] && Repeats(types, 1)) || (wanted[2] && Repeats(types, 2)) ? [types.Outputs[0]] : [];

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Elements.WhereForward(tensors.Inputs[0], tensors.Inputs[1], tensors.Inputs[2], tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        Tensor dY = tensors.OutputGradient!;
        for (int i = 2; i >= 1; i--)
        {
            if (tensors.InputGradients[i] is not { } gradient)
            {
                continue;
            }

            if (gradient.Count == dY.Count)
            {
                kernels.Elements.WhereBackward(tensors.Inputs[0], i == 1, dY, gradient, tensors.Accumulate[i]);
            }
            else
            {
                Tensor selected = tensors.BackwardScratch[0];
                kernels.Elements.WhereBackward(tensors.Inputs[0], i == 1, dY, selected, accumulate: false);
                kernels.Elements.SumRepeated(selected, gradient, tensors.Accumulate[i]);
            }
        }
    }

    private static bool Repeats(NodeTypes types, int input) => types.Inputs[input].Shape.Count != types.Outputs[0].Shape.Count;
}

/// <summary>NumPy's broadcasting of shapes: axes align at the end, an extent of 1 repeats.</summary>
internal static class Broadcasting
{
    /// <summary>The shape that all of them broadcast to.</summary>
    /// <exception cref="ShapeException">There is none; the message names the operator.</exception>
    public static Shape Of(string name, params ReadOnlySpan<Shape> shapes)
    {
        int rank = 0;
        foreach (Shape shape in shapes)
        {
            rank = Math.Max(rank, shape.Rank);
        }

        var extents = new int[rank];
        Array.Fill(extents, 1);
        foreach (Shape shape in shapes)
        {
            for (int i = 1; i <= shape.Rank; i++)
            {
                if (extents[^i] != shape[-i] && extents[^i] != 1 && shape[-i] != 1)
                {
                    throw new ShapeException(
                        $"{name}: expected shapes that broadcast, got {string.Join(" and ", shapes.ToArray())}: axis -{i} has {extents[^i]} and {shape[-i]}.");
                }

                extents[^i] = extents[^i] == 1 ? shape[-i] : extents[^i];
            }
        }

        return new Shape(extents);
    }
}
