using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN;

/// <summary>
/// Recurrent networks over whole sequences, as fluent calls on values: one direction of one layer, as PyTorch computes it.
/// Values are time first, [T, B, D]: a step's rows lie together. Layers (<see cref="FastNN.Lstm"/>) take them batch first.
/// </summary>
public static class RecurrenceOperators
{
    /// <summary>h = f(x W + b + h U + c) at every step (Elman, 1990), as PyTorch's RNN.</summary>
    /// <param name="x">Sequences [T, B, D].</param>
    /// <param name="inputWeight">W, [D, H].</param>
    /// <param name="stateWeight">U, [H, H].</param>
    /// <param name="inputBias">b, [H], or null for none; then there is no other either.</param>
    /// <param name="stateBias">c, [H], or null for none.</param>
    /// <param name="firstState">h before the first step, [B, H]; default zeros.</param>
    /// <param name="lengths">Int32 [B]: how many steps of each sequence count, 0 to T; default all. Behind a sequence's end y
    /// is 0 and h stays. Lengths of an input are checked where a session or step is given them.</param>
    /// <param name="useReLU">f is ReLU, else tanh; default false.</param>
    /// <param name="isReverse">Begin at each sequence's end; default false.</param>
    /// <returns>h of every step [T, B, H], and behind the last step [B, H].</returns>
    /// <exception cref="ShapeException">The shapes or types do not fit.</exception>
    public static Value[] SimpleRnn(
        this Value x, Value inputWeight, Value stateWeight, Value? inputBias = null, Value? stateBias = null,
        Value? firstState = null, Value? lengths = null, bool useReLU = false, bool isReverse = false) =>
        Record(
            useReLU ? RecurrentCell.ReLU : RecurrentCell.Tanh, x, inputWeight, stateWeight, inputBias, stateBias, firstState,
            null, lengths, isReverse);

    /// <summary>Long short-term memory (Hochreiter and Schmidhuber, 1997; forget gate of Gers et al., 2000), as PyTorch's
    /// LSTM.</summary>
    /// <param name="x">Sequences [T, B, D].</param>
    /// <param name="inputWeight">[D, 4 H]: input, forget, cell and output gate.</param>
    /// <param name="stateWeight">[H, 4 H].</param>
    /// <param name="inputBias">[4 H], or null for none; then there is no other either.</param>
    /// <param name="stateBias">[4 H], or null for none.</param>
    /// <param name="firstState">h before the first step, [B, H]; default zeros.</param>
    /// <param name="firstCell">c before the first step, [B, H]; default zeros. Given together with h.</param>
    /// <param name="lengths">Int32 [B]: how many steps of each sequence count, 0 to T; default all. Behind a sequence's end y
    /// is 0 and h and c stay. Lengths of an input are checked where a session or step is given them.</param>
    /// <param name="isReverse">Begin at each sequence's end; default false.</param>
    /// <returns>h of every step [T, B, H], and h and c behind the last step, [B, H].</returns>
    /// <exception cref="ShapeException">The shapes or types do not fit.</exception>
    public static Value[] Lstm(
        this Value x, Value inputWeight, Value stateWeight, Value? inputBias = null, Value? stateBias = null,
        Value? firstState = null, Value? firstCell = null, Value? lengths = null, bool isReverse = false) =>
        (firstState is null) == (firstCell is null)
            ? Record(
                RecurrentCell.Lstm, x, inputWeight, stateWeight, inputBias, stateBias, firstState, firstCell, lengths, isReverse)
            : throw new ShapeException("Lstm: expected both first states h and c or neither, got one.");

    /// <summary>
    /// Gated recurrent units (Cho et al., 2014) with the reset gate behind the product, n = tanh(x W + b + r (h U + c)), as
    /// PyTorch's GRU.
    /// </summary>
    /// <param name="x">Sequences [T, B, D].</param>
    /// <param name="inputWeight">[D, 3 H]: reset, update and new gate.</param>
    /// <param name="stateWeight">[H, 3 H].</param>
    /// <param name="inputBias">[3 H], or null for none; then there is no other either.</param>
    /// <param name="stateBias">[3 H], or null for none.</param>
    /// <param name="firstState">h before the first step, [B, H]; default zeros.</param>
    /// <param name="lengths">Int32 [B]: how many steps of each sequence count, 0 to T; default all. Behind a sequence's end y
    /// is 0 and h stays. Lengths of an input are checked where a session or step is given them.</param>
    /// <param name="isReverse">Begin at each sequence's end; default false.</param>
    /// <returns>h of every step [T, B, H], and behind the last step [B, H].</returns>
    /// <exception cref="ShapeException">The shapes or types do not fit.</exception>
    public static Value[] Gru(
        this Value x, Value inputWeight, Value stateWeight, Value? inputBias = null, Value? stateBias = null,
        Value? firstState = null, Value? lengths = null, bool isReverse = false) =>
        Record(RecurrentCell.Gru, x, inputWeight, stateWeight, inputBias, stateBias, firstState, null, lengths, isReverse);

    private static Value[] Record(
        RecurrentCell cell, Value x, Value inputWeight, Value stateWeight, Value? inputBias, Value? stateBias, Value? state,
        Value? lstmCell, Value? lengths, bool isReverse)
    {
        var op = new RecurrenceOp(cell, isReverse, inputBias is not null, state is not null, lengths is not null);
        if ((inputBias is null) != (stateBias is null))
        {
            throw new ShapeException($"{op.Name}: expected both biases or neither, got one.");
        }

        Value?[] inputs = [x, inputWeight, stateWeight, inputBias, stateBias, state, lstmCell, lengths];
        return x.Graph.AddNode(op, [.. inputs.OfType<Value>()]);
    }
}
