using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>Joins tensors along one axis.</summary>
/// <param name="axis">Negative axes count from the end.</param>
internal sealed class ConcatOp(int axis) : Operator
{
    private int _rows;
    private int _total;
    private int[] _widths = [];

    public override string Name => "Concat";

    public override Shape InferShape(ReadOnlySpan<Shape> inputs)
    {
        RequireInputs(inputs, 1, int.MaxValue);
        Shape first = inputs[0];
        if (first.Rank == 0)
        {
            throw new ShapeException($"{Name}: scalars cannot be joined; reshape them to [1].");
        }

        int at = first.NormalizeAxis(axis);
        int[] extents = first.ToArray();
        extents[at] = 0;
        _widths = new int[inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            bool fits = inputs[i].Rank == first.Rank;
            for (int j = 0; fits && j < first.Rank; j++)
            {
                fits = j == at || inputs[i][j] == first[j];
            }

            if (!fits)
            {
                throw new ShapeException($"{Name}: {first} and {inputs[i]} differ outside axis {at}.");
            }

            extents[at] = checked(extents[at] + inputs[i][at]);
            _widths[i] = checked((int)inputs[i].Product(at, first.Rank));
            _total = checked(_total + _widths[i]);
        }

        _rows = checked((int)first.Product(0, at));
        return new Shape(extents);
    }

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        for (int i = 0, offset = 0; i < _widths.Length; offset += _widths[i++])
        {
            kernels.ConcatForward(tensors.Inputs[i], tensors.Output, _rows, _widths[i], _total, offset);
        }
    }

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        // Later inputs first: where one value is joined with itself, its last place writes the gradient and the others add.
        for (int i = _widths.Length - 1, offset = _total; i >= 0; i--)
        {
            offset -= _widths[i];
            if (tensors.InputGradients[i] is { } gradient)
            {
                kernels.ConcatBackward(tensors.OutputGradient!, gradient, _rows, _widths[i], _total, offset, tensors.Accumulate[i]);
            }
        }
    }
}
