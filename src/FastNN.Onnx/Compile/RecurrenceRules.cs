namespace FastNN.Onnx.Compile;

/// <summary>LSTM, GRU and RNN with the usual activations; gates change places between ONNX's order and the engine's.</summary>
internal static class RecurrenceRules
{
    // Where the engine's gates (input, forget, cell, output; reset, update, new) stand in ONNX's (iofc; zrh).
    private static readonly int[] LstmGates = [0, 2, 3, 1];
    private static readonly int[] GruGates = [1, 0, 2];

    public static Traced?[]? Lstm(TraceCall call) =>
        HasActivations(call, "Sigmoid", "Tanh", "Tanh") ? Record(call, LstmGates, RecurrentKind.Lstm) : null;

    /// <summary>The reset gate behind the product, as PyTorch has it; the other form is for the host.</summary>
    public static Traced?[]? Gru(TraceCall call) =>
        call.Host.Flag("linear_before_reset") && HasActivations(call, "Sigmoid", "Tanh")
            ? Record(call, GruGates, RecurrentKind.Gru)
            : null;

    public static Traced?[]? Rnn(TraceCall call) => HasActivations(call, "Tanh") ? Record(call, [0], RecurrentKind.Tanh)
        : HasActivations(call, "Relu") ? Record(call, [0], RecurrentKind.ReLU)
        : null;

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

    private static Traced?[]? Record(TraceCall call, int[] gates, RecurrentKind kind)
    {
        bool usesCell = kind == RecurrentKind.Lstm;
        if (call.FloatInput(0) is not { Rank: 3 } x || call.FloatConstant(1) is not { } w || call.FloatConstant(2) is not { } r
            || (call.Has(3) && call.FloatConstant(3) is null) || call.Has(7) || call.Host.HasAttribute("clip")
            || call.Host.Flag("input_forget")
            || call.Host.Int("layout", 0) != 0)
        {
            return null;
        }

        int steps = x.Dims[0], batch = x.Dims[1], features = x.Dims[2], directions = w.Dims[0], hidden = r.Dims[2];
        string direction = call.Host.Text("direction", "forward");
        Traced? state = call.FloatInput(5), cell = usesCell ? call.FloatInput(6) : null;
        if (usesCell && (state is null) != (cell is null))
        {
            Traced zeros = call.Record(OnnxTensor.Zeros(OnnxElementType.Float32, [directions, batch, hidden]))!;
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
            Value? h = Initial(state, d, batch, hidden);
            Value[] outputs = kind switch
            {
                RecurrentKind.Lstm => x.Plain.Lstm(
                    weight, recurrent, bias?.In, bias?.State, h, Initial(cell, d, batch, hidden), lengths, reverse),
                RecurrentKind.Gru => x.Plain.Gru(weight, recurrent, bias?.In, bias?.State, h, lengths, reverse),
                _ => x.Plain.SimpleRnn(
                    weight, recurrent, bias?.In, bias?.State, h, lengths, kind == RecurrentKind.ReLU, reverse),
            };
            all.Add(outputs[0].Reshape(new Shape(steps, 1, batch, hidden)));
            last.Add(outputs[1].Reshape(new Shape(1, batch, hidden)));
            if (usesCell)
            {
                cells.Add(outputs[2].Reshape(new Shape(1, batch, hidden)));
            }
        }

        Traced Joined(List<Value> parts, int axis, int[] dims) =>
            Traced.OfPlain(parts.Count == 1 ? parts[0] : Operators.Concat(axis, [.. parts]), x.Type, dims);
        Traced sequence = Joined(all, 1, [steps, directions, batch, hidden]),
            final = Joined(last, 0, [directions, batch, hidden]);
        return usesCell ? [sequence, final, Joined(cells, 0, [directions, batch, hidden])] : [sequence, final];
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

    private static Value? Initial(Traced? state, int direction, int batch, int hidden) =>
        state?.Plain.Slice(0, direction, direction + 1).Reshape(new Shape(batch, hidden));
}
