using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>y = a op b with broadcasting.</summary>
/// <param name="Function">Which operator.</param>
internal sealed record BinaryOp(BinaryOperator Function) : Operator
{
    public override string Name => Function.ToString();

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => Function == BinaryOperator.Multiply && wanted[1 - input];

    public override bool ForwardInPlace(NodeTypes types, int input) => types.Inputs[input] == types.Outputs[0];

    // Backward writes b's gradient first, so a's may then overwrite dY.
    public override bool BackwardInPlace(NodeTypes types, int input) => input == 0 && types.Inputs[0] == types.Outputs[0];

    public override bool KeepsFeatures(int input) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 2, 2);
        return [new TensorType(Broadcast(inputs[0].Shape, inputs[1].Shape))];
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Elements.BinaryForward(Function, tensors.Inputs[0], tensors.Inputs[1], tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        for (int i = 1; i >= 0; i--)
        {
            if (tensors.InputGradients[i] is { } gradient)
            {
                kernels.Elements.BinaryBackward(Function, tensors.OutputGradient!, tensors.Inputs[1 - i], gradient, tensors.Accumulate[i]);
            }
        }
    }

    private Shape Broadcast(Shape a, Shape b)
    {
        Span<int> extents = stackalloc int[Math.Max(a.Rank, b.Rank)];
        for (int i = 1; i <= extents.Length; i++)
        {
            int left = i <= a.Rank ? a[-i] : 1;
            int right = i <= b.Rank ? b[-i] : 1;
            if (left != right && left != 1 && right != 1)
            {
                throw new ShapeException($"{Name}: {a} and {b} do not broadcast: axis -{i} has {left} and {right}.");
            }

            extents[^i] = left == 1 ? right : left;
        }

        return new Shape(extents);
    }
}
