using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// A recurrent network over all steps of its sequences, time first. Inputs: x [T, B, D], the weights [D, G H] and [H, G H] of
/// inputs and states; then, if there are any, both biases [G H], the first states [B, H] (of an LSTM h and c), and Int32
/// lengths [B]. Outputs: h of every step [T, B, H], and the last states [B, H]. Gates stand in PyTorch's order.
/// </summary>
/// <param name="Cell">What a step computes.</param>
/// <param name="IsReverse">Steps go from each sequence's end to its beginning.</param>
/// <param name="HasBias">Whether both biases are there.</param>
/// <param name="HasState">Whether the first states are given, which are zero otherwise.</param>
/// <param name="HasLengths">Whether sequences have lengths of their own: behind them y is 0, and states stay.</param>
internal sealed record RecurrenceOp(RecurrentCell Cell, bool IsReverse, bool HasBias, bool HasState, bool HasLengths) : Operator
{
    public override string Name => Cell switch
    {
        RecurrentCell.Lstm => "Lstm",
        RecurrentCell.Gru => "Gru",
        _ => "SimpleRnn",
    };

    private int States => Cell == RecurrentCell.Lstm ? 2 : 1;

    private int StateAt => HasBias ? 5 : 3;

    private int LengthsAt => StateAt + (HasState ? States : 0);

    private int InputCount => LengthsAt + (HasLengths ? 1 : 0);

    public override bool IsDifferentiable(int input) => !HasLengths || input != LengthsAt;

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => input switch
    {
        // cuDNN computes the gradients of all weights and biases together.
        0 => wanted[1] || wanted[2] || (HasBias && (wanted[3] || wanted[4])),
        1 => wanted[0],
        2 => true,
        _ => input >= StateAt,
    };

    // h of the step before, for the weight's gradient and a GRU's update gate; the last states are y's or those given.
    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => output == 0;

    public override IndexRange? IndexRange(int input, ReadOnlySpan<TensorType> inputs) =>
        HasLengths && input == LengthsAt ? new IndexRange($"{Name} lengths", inputs[0].Shape[0] + 1L) : null;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireInputs(inputs, InputCount, InputCount);
        for (int i = 0; i < InputCount; i++)
        {
            RequireType(inputs, i, HasLengths && i == LengthsAt ? DType.Int32 : DType.Float32);
        }

        (Shape x, Shape input, Shape state) = (inputs[0].Shape, inputs[1].Shape, inputs[2].Shape);
        int gates = new RecurrenceGeometry(Cell, IsReverse, 1, 1, 1, 1).Gates;
        string width = gates == 1 ? "H" : $"{gates} H";
        if (x.Rank != 3)
        {
            throw new ShapeException($"{Name}: expected sequences [time, batch, features], got {x}.");
        }

        if (x[0] == 0 || x[2] == 0)
        {
            throw new ShapeException($"{Name}: expected at least one step and one feature, got {x}.");
        }

        if (state.Rank != 2 || state[0] == 0 || state[1] != (long)gates * state[0])
        {
            throw new ShapeException($"{Name}: expected a weight [H, {width}] of the states, got {state}.");
        }

        if (input.Rank != 2 || input[0] != x[2] || input[1] != state[1])
        {
            throw new ShapeException(
                $"{Name}: expected a weight [{x[2]}, {state[1]}] of the inputs for sequences {x} and states' weight {state}, got {input}.");
        }

        for (int i = 3; i < StateAt; i++)
        {
            Require(inputs[i].Shape, new Shape(state[1]), i == 3 ? "the inputs' bias" : "the states' bias");
        }

        var states = new Shape(x[1], state[0]);
        for (int i = StateAt; i < LengthsAt; i++)
        {
            Require(inputs[i].Shape, states, i == StateAt ? "the first state h" : "the first state c");
        }

        if (HasLengths)
        {
            Require(inputs[LengthsAt].Shape, new Shape(x[1]), "the lengths");
        }

        var last = new TensorType(states);
        return [new TensorType(new Shape(x[0], x[1], state[0])), .. Enumerable.Repeat(last, States)];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape x = inputs[0].Shape;
        var geometry = new RecurrenceGeometry(Cell, IsReverse, x[0], x[1], x[2], inputs[2].Shape[0])
        {
            HasBias = HasBias,
            HasLengths = HasLengths,
        };
        return (long)x[0] * x[1] <= int.MaxValue
            ? geometry
            : throw new ShapeException(
                $"{Name}: expected at most {int.MaxValue} steps of all sequences together, got {x}; use a smaller batch.");
    }

    public override long SavedBytes(IPlanning planning, NodeTypes types, bool training) =>
        planning.RecurrenceSavedBytes((RecurrenceGeometry)types.Bound!, training);

    public override long ForwardWorkspaceBytes(IPlanning planning, NodeTypes types) =>
        planning.RecurrenceWorkspaceBytes((RecurrenceGeometry)types.Bound!, backward: false);

    public override long BackwardWorkspaceBytes(IPlanning planning, NodeTypes types, ReadOnlySpan<bool> wanted) =>
        planning.RecurrenceWorkspaceBytes((RecurrenceGeometry)types.Bound!, backward: true);

    public override void Forward(IKernels kernels, NodeTensors tensors) => kernels.Recurrence.RecurrenceForward(
        (RecurrenceGeometry)tensors.Bound!, Tensors(tensors), tensors.ForwardWorkspace!);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        WantedGradient Wanted(int input, bool exists = true) =>
            exists ? new WantedGradient(tensors.InputGradients[input], tensors.Accumulate[input]) : default;

        bool isLstm = Cell == RecurrentCell.Lstm;
        kernels.Recurrence.RecurrenceBackward(
            (RecurrenceGeometry)tensors.Bound!, Tensors(tensors),
            new RecurrenceGradients(
                tensors.OutputGradients[0], tensors.OutputGradients[1], isLstm ? tensors.OutputGradients[2] : null, Wanted(0),
                Wanted(1), Wanted(2), Wanted(3, HasBias), Wanted(4, HasBias), Wanted(StateAt, HasState),
                Wanted(StateAt + 1, HasState && isLstm)),
            tensors.BackwardWorkspace!);
    }

    private void Require(Shape shape, Shape expected, string what)
    {
        if (shape != expected)
        {
            throw new ShapeException($"{Name}: expected {what} of shape {expected}, got {shape}.");
        }
    }

    private RecurrenceTensors Tensors(NodeTensors tensors)
    {
        Tensor[] inputs = tensors.Inputs;
        bool isLstm = Cell == RecurrentCell.Lstm;
        return new RecurrenceTensors(
            inputs[0], inputs[1], inputs[2], HasBias ? inputs[3] : null, HasBias ? inputs[4] : null,
            HasState ? inputs[StateAt] : null, HasState && isLstm ? inputs[StateAt + 1] : null,
            HasLengths ? inputs[LengthsAt] : null, tensors.Outputs[0], tensors.Outputs[1], isLstm ? tensors.Outputs[2] : null,
            tensors.Saved);
    }
}
