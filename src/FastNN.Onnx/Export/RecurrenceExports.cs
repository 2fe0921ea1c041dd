using FastNN.Kernels;
using FastNN.Ops;
using static FastNN.Onnx.Export.Emitter;

namespace FastNN.Onnx.Export;

/// <summary>Recurrent networks of one layer and direction; gates change places between the engine's order and ONNX's.</summary>
internal static class RecurrenceExports
{
    // Where ONNX's gates (input, output, forget, cell; update, reset, new) stand in the engine's.
    private static readonly int[] LstmGates = [0, 3, 1, 2];
    private static readonly int[] GruGates = [1, 0, 2];

    public static void Write(ExportCall call)
    {
        var op = (RecurrenceOp)call.Op;
        Emitter e = call.Emit;
        bool isLstm = op.Cell == RecurrentCell.Lstm;
        int[] gates = op.Cell switch
        {
            RecurrentCell.Lstm => LstmGates,
            RecurrentCell.Gru => GruGates,
            _ => [0],
        };
        int hidden = call.Input(2).Shape[0], at = op.HasBias ? 5 : 3;
        string[] inputs =
        [
            call.X.Plain, Weight(call, 1, gates, hidden), Weight(call, 2, gates, hidden),
            op.HasBias ? Bias(call, gates, hidden) : "",
            op.HasLengths ? call.Input(call.InputCount - 1).Plain : "",
            op.HasState ? e.Unsqueeze(call.Input(at).Plain, 0) : "",
            op.HasState && isLstm ? e.Unsqueeze(call.Input(at + 1).Plain, 0) : "",
        ];
        int count = inputs.Length;
        while (inputs[count - 1].Length == 0)
        {
            count--;
        }

        var attributes = new List<Model.AttributeDef>
        {
            Attribute("hidden_size", hidden),
            Attribute("direction", op.IsReverse ? "reverse" : "forward"),
        };
        if (op.Cell == RecurrentCell.Gru)
        {
            attributes.Add(Attribute("linear_before_reset", 1));
        }
        else if (op.Cell == RecurrentCell.ReLU)
        {
            var activations = new Model.AttributeDef { Name = "activations", Kind = Model.AttributeKind.Strings };
            activations.Strings.Add("Relu"u8.ToArray());
            attributes.Add(activations);
        }

        string[] outputs = e.AddMany(
            op.Cell switch { RecurrentCell.Lstm => "LSTM", RecurrentCell.Gru => "GRU", _ => "RNN" }, inputs[..count],
            isLstm ? 3 : 2, [.. attributes]);
        string[] squeezed =
            [e.Op("Squeeze", outputs[0], e.Longs(1)), .. outputs[1..].Select(y => e.Op("Squeeze", y, e.Longs(0)))];
        for (int i = 0; i < squeezed.Length; i++)
        {
            bool kept = i > 0 && op.HasLengths && op.HasState;
            call.Plain(kept ? Kept(call, squeezed[i], call.Input(at + i - 1)) : squeezed[i], i);
        }
    }

    /// <summary>The state behind a sequence of no steps is the first one, of which ONNX says nothing.</summary>
    private static string Kept(ExportCall call, string last, ExportValue first)
    {
        string lengths = call.Emit.Unsqueeze(call.Input(call.InputCount - 1).Plain, 1);
        string none = call.Emit.Op("Equal", lengths, call.Emit.Number(0, OnnxElementType.Int32));
        return call.Emit.Op("Where", none, first.Plain, last);
    }

    /// <summary>[K, gates H] as [1, gates H, K] with the gates in ONNX's order.</summary>
    private static string Weight(ExportCall call, int input, int[] gates, int hidden)
    {
        ExportValue weight = call.Input(input);
        if (weight.Constant is { } constant)
        {
            return constant.Arranged(
                [1, 0], [1, weight.Shape[1], weight.Shape[0]], gates.Length == 1 ? null : (1, Order(gates, hidden)));
        }

        string ordered = call.Emit.Add(
            "Gather", [weight.Plain, call.Emit.Longs([.. Order(gates, hidden).Select(place => (long)place)])],
            Attribute("axis", 1));
        return call.Emit.Unsqueeze(call.Emit.Transpose(ordered, 1, 0), 0);
    }

    /// <summary>Both biases, one behind the other: [1, 2 gates H].</summary>
    private static string Bias(ExportCall call, int[] gates, int hidden)
    {
        int[] order = Order(gates, hidden);
        if (call.Input(3).Constant is { } first && call.Input(4).Constant is { } second)
        {
            float[] a = first.Floats, b = second.Floats;
            float[] both = [.. order.Select(place => a[place]), .. order.Select(place => b[place])];
            string name = first.Name == second.Name ? first.Name : $"{first.Name}+{second.Name}";
            return call.Emit.Weights(name, both, 1, both.Length);
        }

        string Ordered(int input) => call.Emit.Add(
            "Gather", [call.Input(input).Plain, call.Emit.Longs([.. order.Select(place => (long)place)])],
            Attribute("axis", 0));
        return call.Emit.Unsqueeze(call.Emit.Concat(0, Ordered(3), Ordered(4)), 0);
    }

    private static int[] Order(int[] gates, int hidden) =>
        [.. gates.SelectMany(gate => Enumerable.Range(gate * hidden, hidden))];
}
