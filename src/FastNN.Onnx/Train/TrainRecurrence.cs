using FastNN.Onnx.Compile;

namespace FastNN.Onnx.Train;

/// <summary>
/// Recurrent networks whose weights are parameters: gates are cut out and put into the engine's order while recording.
/// </summary>
internal static class TrainRecurrence
{
    // Where the engine's gates (input, forget, cell, output; reset, update, new) stand in ONNX's (iofc; zrh).
    private static readonly int[] LstmGates = [0, 2, 3, 1];
    private static readonly int[] GruGates = [1, 0, 2];

    public static Traced?[]? Record(TraceCall call, string cell)
    {
        if (call.FloatInput(0) is not { Rank: 3 } x || call.FloatInput(1) is not { } w || call.FloatInput(2) is not { } r
            || (call.Has(3) && call.FloatInput(3) is null) || (call.Has(5) && call.FloatInput(5) is null) || call.Has(7)
            || call.Host.HasAttribute("clip") || call.Host.Flag("input_forget") || call.Host.Int("layout", 0) != 0
            || (cell == "GRU" && !call.Host.Flag("linear_before_reset")))
        {
            return null;
        }

        string[]? activations = call.Host.Texts("activations");
        bool isReLU = cell == "RNN" && activations is { Length: > 0 } && Array.TrueForAll(activations, name => name == "Relu");
        string[] usual = cell switch { "LSTM" => ["Sigmoid", "Tanh", "Tanh"], "GRU" => ["Sigmoid", "Tanh"], _ => ["Tanh"] };
        if (activations is not null && !isReLU
            && activations.Where((name, i) => name != usual[i % usual.Length]).Any())
        {
            return null;
        }

        int[] gates = cell switch { "LSTM" => LstmGates, "GRU" => GruGates, _ => [0] };
        int steps = x.Dims[0], batch = x.Dims[1], directions = w.Dims[0], hidden = r.Dims[2];
        Traced? lengths = call.Has(4) ? call.Input(4) : null;
        Traced? state = call.FloatInput(5), memory = cell == "LSTM" ? call.FloatInput(6) : null;
        if ((call.Has(4) && lengths is not { Type: OnnxElementType.Int32 })
            || (cell == "LSTM" && (state is null) != (memory is null)))
        {
            return null;
        }

        var all = new List<Value>();
        var last = new List<Value>();
        var cells = new List<Value>();
        for (int d = 0; d < directions; d++)
        {
            bool reverse = call.Host.Text("direction", "forward") == "reverse" || d == 1;
            Value weight = Matrix(w, d, gates, hidden), recurrent = Matrix(r, d, gates, hidden);
            Value? first = null, second = null;
            if (call.FloatInput(3) is { } bias)
            {
                Value both = bias.Plain.Slice(0, d, d + 1).Reshape(new Shape(2 * gates.Length * hidden));
                first = Ordered(both.Slice(0, 0, gates.Length * hidden), gates, hidden);
                second = Ordered(both.Slice(0, gates.Length * hidden, 2 * gates.Length * hidden), gates, hidden);
            }

            Value? Initial(Traced? given) => given?.Plain.Slice(0, d, d + 1).Reshape(new Shape(batch, hidden));
            Value[] outputs = cell switch
            {
                "LSTM" => x.Plain.Lstm(
                    weight, recurrent, first, second, Initial(state), Initial(memory), lengths?.Plain, reverse),
                "GRU" => x.Plain.Gru(weight, recurrent, first, second, Initial(state), lengths?.Plain, reverse),
                _ => x.Plain.SimpleRnn(
                    weight, recurrent, first, second, Initial(state), lengths?.Plain, isReLU, reverse),
            };
            all.Add(outputs[0].Reshape(new Shape(steps, 1, batch, hidden)));
            last.Add(outputs[1].Reshape(new Shape(1, batch, hidden)));
            if (cell == "LSTM")
            {
                cells.Add(outputs[2].Reshape(new Shape(1, batch, hidden)));
            }
        }

        Traced Joined(List<Value> parts, int axis, int[] dims) =>
            Traced.OfPlain(parts.Count == 1 ? parts[0] : Operators.Concat(axis, [.. parts]), x.Type, dims);
        Traced sequence = Joined(all, 1, [steps, directions, batch, hidden]),
            final = Joined(last, 0, [directions, batch, hidden]);
        return cell == "LSTM" ? [sequence, final, Joined(cells, 0, [directions, batch, hidden])] : [sequence, final];
    }

    /// <summary>[directions, gates H, K] as the engine's [K, gates H] of one direction.</summary>
    private static Value Matrix(Traced w, int direction, int[] gates, int hidden)
    {
        Value one = w.Plain.Slice(0, direction, direction + 1).Reshape(new Shape(w.Dims[1], w.Dims[2]));
        return Ordered(one, gates, hidden).Permute(1, 0);
    }

    /// <summary>Gates along the first axis in the engine's order.</summary>
    private static Value Ordered(Value x, int[] gates, int hidden)
    {
        if (gates.Length == 1)
        {
            return x;
        }

        Value[] parts = x.Split(0, [.. gates.Select(_ => hidden)]);
        return Operators.Concat(0, [.. gates.Select(gate => parts[gate])]);
    }
}
