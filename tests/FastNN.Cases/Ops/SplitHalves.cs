namespace FastNN.Testing;

/// <summary>
/// Two outputs from one input, the halves of its last axis, and only on the host: what a user writes without kernels.
/// </summary>
internal sealed class SplitHalves : CustomOperator
{
    public override string Name => "SplitHalves";

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        Shape x = inputs[0].Shape;
        if (inputs[0].Type != DType.Float32 || x.Rank == 0 || x[-1] % 2 != 0)
        {
            throw new ShapeException($"{Name}: expected Float32 and an even last axis, got {inputs[0]}.");
        }

        int[] extents = x.ToArray();
        extents[^1] /= 2;
        return [new TensorType(new Shape(extents)), new TensorType(new Shape(extents))];
    }

    public override bool BackwardReadsInput(int input) => false;

    public override bool BackwardReadsOutput(int output) => false;

    public override void Forward(ForwardPass pass)
    {
        int width = pass.OutputType().Shape[-1];
        ReadOnlySpan<float> x = pass.Input(0);
        for (int i = 0; i < x.Length; i++)
        {
            int column = i % (2 * width);
            pass.Output(column / width)[(i / (2 * width) * width) + (column % width)] = x[i];
        }
    }

    public override void Backward(BackwardPass pass)
    {
        Span<float> dX = pass.InputGradient(0);
        int width = pass.InputType(0).Shape[-1] / 2;
        for (int half = 0; half < 2; half++)
        {
            // Nothing arrives at an output that nobody uses.
            ReadOnlySpan<float> dY = pass.OutputGradient(half);
            for (int i = 0; i < dY.Length; i++)
            {
                dX[(i / width * 2 * width) + (half * width) + (i % width)] += dY[i];
            }
        }
    }
}
