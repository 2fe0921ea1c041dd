using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>y = a op b with broadcasting.</summary>
internal sealed class BinaryOp(BinaryOperator op) : Operator
{
    private Shape _a;
    private Shape _b;
    private Shape _y;

    public override string Name => op.ToString();

    public override bool BackwardReadsInput(int index) => op == BinaryOperator.Multiply;

    public override bool ForwardInPlace(int index) => (index == 0 ? _a : _b) == _y;

    // Backward writes b's gradient first, so a's may then overwrite dY.
    public override bool BackwardInPlace(int index) => index == 0 && _a == _y;

    public override Shape InferShape(ReadOnlySpan<Shape> inputs)
    {
        RequireInputs(inputs, 2, 2);
        (_a, _b) = (inputs[0], inputs[1]);
        return _y = Broadcast(_a, _b);
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.BinaryForward(op, tensors.Inputs[0], tensors.Inputs[1], tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        for (int i = 1; i >= 0; i--)
        {
            if (tensors.InputGradients[i] is { } gradient)
            {
                kernels.BinaryBackward(op, tensors.OutputGradient!, tensors.Inputs[1 - i], gradient, tensors.Accumulate[i]);
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
