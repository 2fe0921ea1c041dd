namespace FastNN.Onnx.Compile;

/// <summary>
/// One direction of a recurrence in a form that the engine's operator does not have (a GRU whose reset gate stands in front of
/// the product, peepholes, coupled gates, clipping, other activations), recorded step by step. The inputs' product is one for all
/// steps.
/// </summary>
internal sealed class RecurrenceSteps
{
    // A longer sequence is left to the host: every step is nodes of its own in the recording.
    private const int MaxSteps = 1024;

    private readonly Func<Value, Value>[] _activations;
    private readonly float? _clip;
    private readonly bool _isCoupled;
    private readonly bool _isLinearBeforeReset;

    // Of an LSTM those of input, output and forget gate, [H] each; null where there are none.
    private readonly Value[]? _peepholes;

    private RecurrenceSteps(TraceCall call, Func<Value, Value>[] activations, Value[]? peepholes)
    {
        (_activations, _peepholes) = (activations, peepholes);
        _clip = call.Host.HasAttribute("clip") ? call.Host.Float("clip", 0) : null;
        _isCoupled = call.Host.Flag("input_forget");
        _isLinearBeforeReset = call.Host.Flag("linear_before_reset");
    }

    /// <summary>The steps of every direction; null where the host knows more.</summary>
    /// <param name="call">The node.</param>
    /// <param name="usual">The activations where the node names none; as many as a step has.</param>
    /// <param name="directions">How many directions there are.</param>
    /// <param name="steps">How many steps each has.</param>
    /// <param name="hidden">How many units a state has.</param>
    public static RecurrenceSteps[]? Of(TraceCall call, string[] usual, int directions, int steps, int hidden)
    {
        string[] names = call.Host.Texts("activations") is { Length: > 0 } given ? given
            : [.. Enumerable.Repeat(usual, directions).SelectMany(name => name)];
        Traced? peepholes = call.Has(7) ? call.FloatInput(7) : null;
        if (names.Length != usual.Length * directions || steps * directions > MaxSteps
            || call.Host.HasAttribute("activation_alpha") || call.Host.HasAttribute("activation_beta")
            || (call.Has(7) && (peepholes is null || !peepholes.Dims.AsSpan().SequenceEqual([directions, 3 * hidden]))))
        {
            return null;
        }

        var all = new RecurrenceSteps[directions];
        for (int d = 0; d < directions; d++)
        {
            Func<Value, Value>?[] activations = Array.ConvertAll(names[(d * usual.Length)..((d + 1) * usual.Length)], Named);
            if (Array.Exists(activations, activation => activation is null))
            {
                return null;
            }

            all[d] = new RecurrenceSteps(
                call, activations!,
                peepholes?.Plain.Slice(0, d, d + 1).Reshape(new Shape(3 * hidden)).Split(0, hidden, hidden, hidden));
        }

        return all;
    }

    /// <summary>Records all steps.</summary>
    /// <param name="x">Sequences [T, B, D].</param>
    /// <param name="weight">[D, gates H], gates in the engine's order.</param>
    /// <param name="recurrent">[H, gates H].</param>
    /// <param name="bias">Both biases [gates H]; null for none.</param>
    /// <param name="h">The first state [B, H]; null for zeros.</param>
    /// <param name="c">The first cell [B, H]; null for zeros, and where there is none.</param>
    /// <param name="lengths">How many steps of each sequence count, Int32 [B]; null for all.</param>
    /// <param name="reverse">Whether it begins at each sequence's end.</param>
    /// <returns>h of every step [T, B, H], the last h [B, H], and of an LSTM the last c.</returns>
    public Value[] Record(
        Value x, Value weight, Value recurrent, (Value In, Value State)? bias, Value? h, Value? c, Value? lengths, bool reverse)
    {
        int steps = x.Shape[0], batch = x.Shape[1], hidden = recurrent.Shape[0], gates = recurrent.Shape[1] / hidden;

        // A GRU whose reset gate stands behind the product resets the state's bias as well; elsewhere the two are one.
        bool isApart = gates == 3 && _isLinearBeforeReset;
        Value? added = bias is null ? null : isApart ? bias.Value.In : bias.Value.In + bias.Value.State;
        Value input = x.Reshape(new Shape(steps * batch, x.Shape[2])).Dense(weight, added);
        Step step = gates switch
        {
            1 => new Step(this, [recurrent], null),
            3 when !isApart => new Step(this, Columns(recurrent, 2 * hidden, hidden), null),
            _ => new Step(this, [recurrent], isApart ? bias?.State : null),
        };
        Value zeros = Zeros(x, batch, hidden);
        h ??= zeros;
        c = gates == 4 ? c ?? zeros : null;
        var all = new Value[steps];
        for (int s = 0; s < steps; s++)
        {
            int t = reverse ? steps - 1 - s : s;
            (Value next, Value? memory) = step.Run(input.Slice(0, t * batch, (t + 1) * batch), h, c);
            if (lengths is null)
            {
                (h, c, all[t]) = (next, memory, next);
                continue;
            }

            // Behind a sequence's end the output is 0 and states stay.
            Value counts = lengths.Greater(t).Reshape(new Shape(batch, 1));
            all[t] = ShapeOperators.Where(counts, next, zeros);
            h = ShapeOperators.Where(counts, next, h);
            c = c is null ? null : ShapeOperators.Where(counts, memory!, c);
        }

        Value joined = steps == 1 ? all[0] : Operators.Concat(0, all);
        Value sequence = joined.Reshape(new Shape(steps, batch, hidden));
        return c is null ? [sequence, h] : [sequence, h, c];
    }

    private static Value Zeros(Value x, int batch, int hidden) =>
        x.Graph.Constant(new float[batch * hidden], new Shape(batch, hidden));

    private static Value[] Columns(Value matrix, params ReadOnlySpan<int> widths) => matrix.Split(1, widths);

    private Value Clipped(Value x) => _clip is { } clip ? x.Clamp(-clip, clip) : x;

    private Value Gate(int activation, Value x) => _activations[activation](Clipped(x));

    /// <summary>An activation that takes no numbers, or the standard's own.</summary>
    private static Func<Value, Value>? Named(string name) => name.ToUpperInvariant() switch
    {
        "TANH" => x => x.Tanh(),
        "SIGMOID" => x => x.Sigmoid(),
        "RELU" => x => x.ReLU(),
        "LEAKYRELU" => x => x.LeakyReLU(0.01f),
        "HARDSIGMOID" => x => x.HardSigmoid(0.2f, 0.5f),
        "ELU" => x => x.Elu(),
        "SOFTSIGN" => x => x.Softsign(),
        "SOFTPLUS" => x => x.Softplus(),
        _ => null,
    };

    /// <summary>What one step computes of the inputs' product [B, gates H] and the states before it.</summary>
    /// <param name="form">The form.</param>
    /// <param name="recurrent">The states' weight, in one matrix or cut behind the gates that need no reset.</param>
    /// <param name="stateBias">The states' bias where the inputs' product does not have it.</param>
    private sealed class Step(RecurrenceSteps form, Value[] recurrent, Value? stateBias)
    {
        private readonly int _hidden = recurrent[0].Shape[0];

        public (Value H, Value? C) Run(Value input, Value h, Value? c)
        {
            if (c is not null)
            {
                return Lstm(input + h.Dense(recurrent[0]), c);
            }

            return (recurrent[0].Shape[1] == _hidden ? form.Gate(0, input + h.Dense(recurrent[0]))
                : recurrent.Length == 2 ? GruInFront(input, h)
                : GruBehind(input, h), null);
        }

        /// <summary>n = g(x W + (r h) U)</summary>
        private Value GruInFront(Value input, Value h)
        {
            Value[] given = Columns(input, 2 * _hidden, _hidden);
            Value[] gates = Columns(form.Gate(0, given[0] + h.Dense(recurrent[0])), _hidden, _hidden);
            Value candidate = form.Gate(1, given[1] + (gates[0] * h).Dense(recurrent[1]));
            return Mixed(gates[1], candidate, h);
        }

        /// <summary>n = g(x W + r (h U + b))</summary>
        private Value GruBehind(Value input, Value h)
        {
            Value[] given = Columns(input, 2 * _hidden, _hidden);
            Value[] state = Columns(h.Dense(recurrent[0], stateBias), 2 * _hidden, _hidden);
            Value[] gates = Columns(form.Gate(0, given[0] + state[0]), _hidden, _hidden);
            return Mixed(gates[1], form.Gate(1, given[1] + (gates[0] * state[1])), h);
        }

        /// <summary>(1 - z) n + z h</summary>
        private static Value Mixed(Value update, Value candidate, Value h) => candidate + (update * (h - candidate));

        private (Value H, Value? C) Lstm(Value sum, Value c)
        {
            Value[] parts = Columns(sum, _hidden, _hidden, _hidden, _hidden);
            (Value input, Value forget, Value cell, Value output) = (parts[0], parts[1], parts[2], parts[3]);
            if (form._peepholes is { } seen)
            {
                input += seen[0] * c;
                forget += seen[2] * c;
            }

            Value taken = form.Gate(0, input);
            Value kept = form._isCoupled ? 1 - taken : form.Gate(0, forget);
            Value next = (kept * c) + (taken * form.Gate(1, cell));
            if (form._peepholes is { } behind)
            {
                output += behind[1] * next;
            }

            return (form.Gate(0, output) * form._activations[2](next), next);
        }
    }
}
