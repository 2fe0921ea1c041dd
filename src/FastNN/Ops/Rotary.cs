using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// Rows rotated by their positions (Su et al., 2021). Inputs: x, the table [P, D] of cosines and sines, and positions, Int32
/// [T] or
/// [B, T], where they are given.
/// </summary>
/// <param name="TimeAxis">The axis of positions, counted from the end.</param>
/// <param name="Rotated">Indices of the axes between time and the last that are rotated; -1: all.</param>
/// <param name="Interleaved">Neighbors are a pair; otherwise the halves.</param>
/// <param name="Offset">The position of the first row, where positions are not given.</param>
internal sealed record RotaryOp(int TimeAxis, int Rotated, bool Interleaved, int Offset) : Operator
{
    public override string Name => "Rotary";

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => input > 0;

    public override bool ForwardInPlace(NodeTypes types, int input) => input == 0;

    public override bool BackwardInPlace(NodeTypes types, int input) => input == 0;

    public override bool IsDifferentiable(int input) => input == 0;

    public override IndexRange? IndexRange(int input, ReadOnlySpan<TensorType> inputs) =>
        input == 2 ? new IndexRange(Name, inputs[1].Shape[0]) : null;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, 2, 3);
        RequireType(inputs, 0, DType.Float32);
        RequireType(inputs, 1, DType.Float32);
        (Shape x, Shape table) = (inputs[0].Shape, inputs[1].Shape);
        int time = x.Rank + TimeAxis;
        if (time < 0 || TimeAxis > -2 || x[-1] % 2 != 0)
        {
            throw new ShapeException(
                $"{Name}: expected positions along an axis before the last, whose extent is even, got axis {TimeAxis} of {x}.");
        }

        if (table.Rank != 2 || table[1] != x[-1])
        {
            throw new ShapeException($"{Name}: expected a table [positions, {x[-1]}], got {table}.");
        }

        if (inputs.Length == 3)
        {
            RequireType(inputs, 2, DType.Int32);
            Shape positions = inputs[2].Shape;
            bool fits = positions.Rank is 1 or 2 && positions[-1] == x[time]
                && (positions.Rank == 1 || (time > 0 && positions[0] == x[0]));
            if (!fits)
            {
                throw new ShapeException(
                    $"{Name}: expected positions [{x[time]}] or [batch, {x[time]}] for {x}, got {positions}.");
            }
        }

        long rows = x.Product(time + 1, x.Rank - 1);
        return Rotated >= -1 && Rotated <= rows
            ? [inputs[0]]
            : throw new ShapeException($"{Name}: expected at most {rows} rows per position of {x} to rotate, got {Rotated}.");
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape x = inputs[0].Shape, table = inputs[1].Shape;
        int time = x.Rank + TimeAxis;

        // With the numbers of a plan: those that stand for symbols while recording may be any.
        if (inputs.Length == 2 && (Offset < 0 || (long)Offset + x[time] > table[0]))
        {
            throw new ShapeException(
                $"{Name}: expected at most {table[0]} positions, got {x[time]} from {Offset} on; make the table longer.");
        }

        (int outer, int inner) = ((int)x.Product(0, time), (int)x.Product(time + 1, x.Rank - 1));
        int perExample = inputs.Length == 3 && inputs[2].Shape.Rank == 2 && x[0] > 0 ? outer / x[0] : 0;
        return new RotaryGeometry(
            outer, x[time], inner, x[-1], Rotated < 0 ? inner : Rotated, Interleaved, Offset, perExample, inputs[1].Shape[0]);
    }

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        if (tensors.Output.Count > 0)
        {
            kernels.Attention.Rotate(
                (RotaryGeometry)tensors.Bound!, tensors.Inputs[0], tensors.Inputs[1],
                tensors.Inputs.Length > 2 ? tensors.Inputs[2] : null, backwards: false, tensors.Output, accumulate: false);
        }
    }

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        if (tensors.Output.Count > 0)
        {
            kernels.Attention.Rotate(
                (RotaryGeometry)tensors.Bound!, tensors.OutputGradient!, tensors.Inputs[1],
                tensors.Inputs.Length > 2 ? tensors.Inputs[2] : null, backwards: true, tensors.InputGradients[0]!,
                tensors.Accumulate[0]);
        }
    }
}
