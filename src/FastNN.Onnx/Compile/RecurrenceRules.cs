namespace FastNN.Onnx.Compile;

/// <summary>
/// LSTM, GRU and RNN in both layouts. With the usual activations they are the engine's operators, gates change places between
/// ONNX's order and the engine's; other forms are recorded step by step.
/// </summary>
internal static class RecurrenceRules
{
    // Where the engine's gates (input, forget, cell, output; reset, update, new) stand in ONNX's (iofc; zrh).
    private static readonly int[] LstmGates = [0, 2, 3, 1];
    private static readonly int[] GruGates = [1, 0, 2];

    public static Traced?[]? Lstm(TraceCall call) => Record(call, LstmGates, RecurrentKind.Lstm, ["Sigmoid", "Tanh", "Tanh"]);

    public static Traced?[]? Gru(TraceCall call) => Record(call, GruGates, RecurrentKind.Gru, ["Sigmoid", "Tanh"]);

    public static Traced?[]? Rnn(TraceCall call) => HasActivations(call, "Relu")
        ? Record(call, [0], RecurrentKind.ReLU, ["Relu"])
        : Record(call, [0], RecurrentKind.Tanh, ["Tanh"]);

    private enum RecurrentKind
    {
        Lstm,
        Gru,
        Tanh,
        ReLU,
    }

    /// <summary>Whether every direction has these activations, the usual ones of RNN where none are named.</summary>
    private static bool HasActivations(TraceCall call, params string[] wanted)
    {
        string[] given = call.Host.Texts("activations") ?? [];
        return given.Length == 0
            ? wanted is not ["Relu"]
            : given.Select((name, i) => string.Equals(name, wanted[i % wanted.Length], StringComparison.OrdinalIgnoreCase))
                .All(fits => fits)
                && !call.Host.HasAttribute("activation_alpha") && !call.Host.HasAttribute("activation_beta");
    }

    /// <summary>Whether the engine's operator computes this form: of a GRU that with the reset gate behind the product, as
    /// PyTorch has it.</summary>
    private static bool IsUsual(TraceCall call, RecurrentKind kind, string[] activations) => HasActivations(call, activations)
        && !call.Has(7) && !call.Host.HasAttribute("clip") && !call.Host.Flag("input_forget")
        && (kind != RecurrentKind.Gru || call.Host.Flag("linear_before_reset"));

    private static Traced?[]? Record(TraceCall call, int[] gates, RecurrentKind kind, string[] usual)
    {
        bool usesCell = kind == RecurrentKind.Lstm, isBatchFirst = call.Host.Int("layout", 0) == 1;
        if (call.FloatInput(0) is not { Rank: 3 } x || call.FloatConstant(1) is not { Rank: 3 } w
            || call.FloatConstant(2) is not { Rank: 3 } r || (call.Has(3) && call.FloatConstant(3) is null))
        {
            return null;
        }

        Value sequences = isBatchFirst ? x.Plain.Permute(1, 0, 2) : x.Plain;
        (int batch, int steps) = isBatchFirst ? (x.Dims[0], x.Dims[1]) : (x.Dims[1], x.Dims[0]);
        int features = x.Dims[2], directions = w.Dims[0], hidden = r.Dims[2];
        string direction = call.Host.Text("direction", "forward");
        RecurrenceSteps[]? recorded = IsUsual(call, kind, usual) ? []
            : RecurrenceSteps.Of(call, usual, directions, steps, hidden);
        if (recorded is null || w.Dims[1] != gates.Length * hidden || w.Dims[2] != features || r.Dims[1] != w.Dims[1]
            || r.Dims[0] != directions || directions != (direction == "bidirectional" ? 2 : 1))
        {
            return null;
        }

        Traced? state = call.FloatInput(5), cell = usesCell ? call.FloatInput(6) : null;
        if (usesCell && (state is null) != (cell is null))
        {
            Traced zeros = call.Record(OnnxTensor.Zeros(
                OnnxElementType.Float32, isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden]))!;
            state ??= zeros;
            cell ??= zeros;
        }

        Value? lengths = null;
        if (call.Has(4))
        {
            if (call.Input(4) is not { Type: OnnxElementType.Int32, Rank: 1 } given || given.Dims[0] != batch)
            {
                return null;
            }

            lengths = given.Plain;
        }

        var all = new List<Value>();
        var last = new List<Value>();
        var cells = new List<Value>();
        for (int d = 0; d < directions; d++)
        {
            Value weight = Weights(call, w, d, gates, hidden, features), recurrent = Weights(call, r, d, gates, hidden, hidden);
            (Value In, Value State)? bias = call.FloatConstant(3) is { } b
                ? (Bias(call, b, d, 0, gates, hidden), Bias(call, b, d, 1, gates, hidden))
                : null;
            bool reverse = direction == "reverse" || d == 1;
            Value? h = Initial(state, d, isBatchFirst), c = Initial(cell, d, isBatchFirst);
            Value[] outputs = recorded.Length > 0
                ? recorded[d].Record(sequences, weight, recurrent, bias, h, c, lengths, reverse)
                : kind switch
                {
                    RecurrentKind.Lstm => sequences.Lstm(weight, recurrent, bias?.In, bias?.State, h, c, lengths, reverse),
                    RecurrentKind.Gru => sequences.Gru(weight, recurrent, bias?.In, bias?.State, h, lengths, reverse),
                    _ => sequences.SimpleRnn(
                        weight, recurrent, bias?.In, bias?.State, h, lengths, kind == RecurrentKind.ReLU, reverse),
                };

            // [T, B, H] as [T, 1, B, H] or [B, T, 1, H], and [B, H] as [1, B, H] or [B, 1, H].
            all.Add(isBatchFirst
                ? outputs[0].Permute(1, 0, 2).Reshape(new Shape(batch, steps, 1, hidden))
                : outputs[0].Reshape(new Shape(steps, 1, batch, hidden)));
            var one = isBatchFirst ? new Shape(batch, 1, hidden) : new Shape(1, batch, hidden);
            last.Add(outputs[1].Reshape(one));
            if (usesCell)
            {
                cells.Add(outputs[2].Reshape(one));
            }
        }

        Traced Joined(List<Value> parts, int axis, int[] dims) =>
            Traced.OfPlain(parts.Count == 1 ? parts[0] : Operators.Concat(axis, [.. parts]), x.Type, dims);
        int[] states = isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
        int behind = isBatchFirst ? 1 : 0;
        Traced sequence = isBatchFirst
            ? Joined(all, 2, [batch, steps, directions, hidden])
            : Joined(all, 1, [steps, directions, batch, hidden]);
        Traced final = Joined(last, behind, states);
        return usesCell ? [sequence, final, Joined(cells, behind, states)] : [sequence, final];
    }

    /// <summary>[directions, gates H, K] as the engine's [K, gates H] of one direction.</summary>
    private static Value Weights(TraceCall call, OnnxTensor w, int direction, int[] gates, int hidden, int width)
    {
        var inside = new float[width * gates.Length * hidden];
        float[] from = w.Array<float>();
        for (int g = 0; g < gates.Length; g++)
        {
            for (int i = 0; i < hidden; i++)
            {
                int row = ((((direction * gates.Length) + gates[g]) * hidden) + i) * width;
                for (int k = 0; k < width; k++)
                {
                    inside[(k * gates.Length * hidden) + (g * hidden) + i] = from[row + k];
                }
            }
        }

        return call.Graph.Constant(inside, new Shape(width, gates.Length * hidden));
    }

    private static Value Bias(TraceCall call, OnnxTensor b, int direction, int half, int[] gates, int hidden)
    {
        var inside = new float[gates.Length * hidden];
        for (int g = 0; g < gates.Length; g++)
        {
            b.Array<float>().AsSpan((((((direction * 2) + half) * gates.Length) + gates[g]) * hidden), hidden)
                .CopyTo(inside.AsSpan(g * hidden));
        }

        return call.Graph.Constant(inside, new Shape(inside.Length));
    }

    /// <summary>One direction's [B, H] of [directions, B, H] or [B, directions, H].</summary>
    private static Value? Initial(Traced? state, int direction, bool isBatchFirst)
    {
        if (state is null)
        {
            return null;
        }

        int axis = isBatchFirst ? 1 : 0;
        return state.Plain.Slice(axis, direction, direction + 1).Reshape(new Shape(state.Dims[1 - axis], state.Dims[2]));
    }
}
