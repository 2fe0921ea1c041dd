namespace FastNN.Onnx.Host;

/// <summary>RNN, GRU and LSTM with ONNX's gates (iofc, zrh), directions, lengths, peepholes and both layouts.</summary>
internal static class Recurrences
{
    private delegate double Activation(double x);

    public static OnnxValue?[] Rnn(HostCall call) => Run(call, gates: 1, ["Tanh"]);

    public static OnnxValue?[] Gru(HostCall call) => Run(call, gates: 3, ["Sigmoid", "Tanh"]);

    public static OnnxValue?[] Lstm(HostCall call) => Run(call, gates: 4, ["Sigmoid", "Tanh", "Tanh"]);

    private static OnnxValue?[] Run(HostCall call, int gates, string[] usual)
    {
        OnnxTensor x = call.Tensor(0), weight = call.Tensor(1), recurrent = call.Tensor(2);
        OnnxElementType type = x.ElementType;
        bool batchFirst = call.Int("layout", 0) == 1;
        if (x.Rank != 3 || weight.Rank != 3 || recurrent.Rank != 3)
        {
            throw call.Error(
                "an input [time, batch, features], W [directions, gates, features] and R [directions, gates, hidden]",
                $"{x}, {weight}, {recurrent}");
        }

        if (batchFirst)
        {
            x = Shapes.Transpose(x, [1, 0, 2]);
        }

        int steps = x.Dims[0], batch = x.Dims[1], features = x.Dims[2], directions = weight.Dims[0], hidden = recurrent.Dims[2];
        string direction = call.Text("direction", "forward");
        if (weight.Dims[1] != gates * hidden || weight.Dims[2] != features || recurrent.Dims[1] != gates * hidden
            || recurrent.Dims[0] != directions || directions != (direction == "bidirectional" ? 2 : 1))
        {
            throw call.Error($"weights for {direction}, {features} features and {hidden} units", $"{weight} and {recurrent}");
        }

        long[]? lengths = call.Longs(4);
        string[] names = call.Texts("activations") is { Length: > 0 } given ? given
            : [.. Enumerable.Repeat(usual, directions).SelectMany(n => n)];
        if (names.Length != usual.Length * directions)
        {
            throw call.Error($"{usual.Length * directions} activations", $"{names.Length}");
        }

        double[] xs = Numbers.Doubles(x), w = Numbers.Doubles(weight), r = Numbers.Doubles(recurrent);
        double[]? b = call.Optional(3) is { } bias ? Numbers.Doubles(bias) : null;
        double[] h = State(call, 5, directions, batch, hidden, batchFirst),
            c = State(call, gates == 4 ? 6 : -1, directions, batch, hidden, batchFirst);
        double[]? peepholes = gates == 4 && call.Optional(7) is { } p ? Numbers.Doubles(p) : null;
        var y = new double[Shapes.Product([steps, directions, batch, hidden])];
        for (int d = 0; d < directions; d++)
        {
            bool backward = direction == "reverse" || d == 1;
            var cell = new Cell(call, gates, hidden, features, names.AsSpan(d * usual.Length, usual.Length))
            {
                Weight = w.AsMemory(d * gates * hidden * features, gates * hidden * features),
                Recurrent = r.AsMemory(d * gates * hidden * hidden, gates * hidden * hidden),
                Bias = b?.AsMemory(d * 2 * gates * hidden, 2 * gates * hidden) ?? default,
                Peepholes = peepholes?.AsMemory(d * 3 * hidden, 3 * hidden) ?? default,
            };
            for (int n = 0; n < batch; n++)
            {
                int length = (int)Math.Clamp(lengths?[n] ?? steps, 0, steps);
                Span<double> state = h.AsSpan(((d * batch) + n) * hidden, hidden),
                    memory = c.AsSpan(((d * batch) + n) * hidden, hidden);
                for (int s = 0; s < length; s++)
                {
                    int t = backward ? length - 1 - s : s;
                    cell.Step(xs.AsSpan(((t * batch) + n) * features, features), state, memory);
                    state.CopyTo(y.AsSpan(((((t * directions) + d) * batch) + n) * hidden));
                }
            }
        }

        OnnxTensor all = Normalizations.Rounded(y, [steps, directions, batch, hidden], type);
        OnnxTensor last = Normalizations.Rounded(h, [directions, batch, hidden], type);
        OnnxTensor cells = Normalizations.Rounded(c, [directions, batch, hidden], type);
        if (batchFirst)
        {
            all = Shapes.Transpose(all, [2, 0, 1, 3]);
            last = Shapes.Transpose(last, [1, 0, 2]);
            cells = Shapes.Transpose(cells, [1, 0, 2]);
        }

        return gates == 4 ? [all, last, cells] : [all, last];
    }

    private static double[] State(HostCall call, int input, int directions, int batch, int hidden, bool batchFirst)
    {
        if (input < 0 || call.Optional(input) is not { } state)
        {
            return new double[directions * batch * hidden];
        }

        if (batchFirst)
        {
            state = Shapes.Transpose(state, [1, 0, 2]);
        }

        return state.Dims.AsSpan().SequenceEqual([directions, batch, hidden])
            ? (double[])Numbers.Doubles(state).Clone()
            : throw call.Error($"an initial state {OnnxTensor.Text([directions, batch, hidden])}", state.ToString());
    }

    /// <summary>One step of one direction.</summary>
    private sealed class Cell
    {
        private readonly int _gates;
        private readonly int _hidden;
        private readonly int _features;
        private readonly Activation[] _activations;
        private readonly double _clip;
        private readonly bool _linearBeforeReset;
        private readonly bool _coupled;
        private readonly double[] _input;
        private readonly double[] _state;

        public Cell(HostCall call, int gates, int hidden, int features, ReadOnlySpan<string> activations)
        {
            _gates = gates;
            _hidden = hidden;
            _features = features;
            _activations = new Activation[activations.Length];
            float[]? alphas = call.Floats("activation_alpha"), betas = call.Floats("activation_beta");
            for (int i = 0; i < activations.Length; i++)
            {
                _activations[i] = Named(call, activations[i], i < alphas?.Length ? alphas[i] : null, i < betas?.Length ? betas[i]
                    : null);
            }

            _clip = call.HasAttribute("clip") ? call.Float("clip", 0) : double.PositiveInfinity;
            _linearBeforeReset = call.Flag("linear_before_reset");
            _coupled = call.Flag("input_forget");
            _input = new double[gates * hidden];
            _state = new double[gates * hidden];
        }

        public Memory<double> Weight { get; init; }

        public Memory<double> Recurrent { get; init; }

        public Memory<double> Bias { get; init; }

        public Memory<double> Peepholes { get; init; }

        public void Step(ReadOnlySpan<double> x, Span<double> h, Span<double> c)
        {
            Span<double> bias = Bias.Span;
            for (int i = 0; i < _input.Length; i++)
            {
                _input[i] = Dot(Weight.Span.Slice(i * _features, _features), x) + (bias.IsEmpty ? 0 : bias[i]);
                _state[i] = Dot(Recurrent.Span.Slice(i * _hidden, _hidden), h) + (bias.IsEmpty ? 0 : bias[_input.Length + i]);
            }

            switch (_gates)
            {
                case 1:
                    for (int i = 0; i < _hidden; i++)
                    {
                        h[i] = _activations[0](Clip(_input[i] + _state[i]));
                    }

                    break;
                case 3:
                    Gru(h);
                    break;
                default:
                    Lstm(h, c);
                    break;
            }
        }

        private void Gru(Span<double> h)
        {
            int n = _hidden;
            var z = new double[n];
            var reset = new double[n];
            for (int i = 0; i < n; i++)
            {
                z[i] = _activations[0](Clip(_input[i] + _state[i]));
                reset[i] = _activations[0](Clip(_input[n + i] + _state[n + i]));
            }

            var candidate = new double[n];
            if (_linearBeforeReset)
            {
                for (int i = 0; i < n; i++)
                {
                    candidate[i] = _input[(2 * n) + i] + (reset[i] * _state[(2 * n) + i]);
                }
            }
            else
            {
                var gated = new double[n];
                for (int i = 0; i < n; i++)
                {
                    gated[i] = reset[i] * h[i];
                }

                for (int i = 0; i < n; i++)
                {
                    double bias = Bias.IsEmpty ? 0 : Bias.Span[_input.Length + (2 * n) + i];
                    candidate[i] = _input[(2 * n) + i] + Dot(Recurrent.Span.Slice(((2 * n) + i) * n, n), gated) + bias;
                }
            }

            for (int i = 0; i < n; i++)
            {
                h[i] = ((1 - z[i]) * _activations[1](Clip(candidate[i]))) + (z[i] * h[i]);
            }
        }

        private void Lstm(Span<double> h, Span<double> c)
        {
            int n = _hidden;
            Span<double> p = Peepholes.Span;
            for (int i = 0; i < n; i++)
            {
                double input = _input[i] + _state[i], output = _input[n + i] + _state[n + i];
                double forget = _input[(2 * n) + i] + _state[(2 * n) + i], cell = _input[(3 * n) + i] + _state[(3 * n) + i];
                if (!p.IsEmpty)
                {
                    input += p[i] * c[i];
                    forget += p[(2 * n) + i] * c[i];
                }

                double i1 = _activations[0](Clip(input));
                double f1 = _coupled ? 1 - i1 : _activations[0](Clip(forget));
                c[i] = (f1 * c[i]) + (i1 * _activations[1](Clip(cell)));
                if (!p.IsEmpty)
                {
                    output += p[n + i] * c[i];
                }

                h[i] = _activations[0](Clip(output)) * _activations[2](c[i]);
            }
        }

        private double Clip(double value) => Math.Clamp(value, -_clip, _clip);

        private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b) =>
            System.Numerics.Tensors.TensorPrimitives.Dot(a, b);

        private static Activation Named(HostCall call, string name, double? alpha, double? beta) => name.ToUpperInvariant() switch
        {
            "TANH" => Math.Tanh,
            "SIGMOID" => x => 1 / (1 + Math.Exp(-x)),
            "RELU" => x => Math.Max(0, x),
            "AFFINE" => x => ((alpha ?? 1) * x) + (beta ?? 0),
            "LEAKYRELU" => x => x < 0 ? (alpha ?? 0.01) * x : x,
            "THRESHOLDEDRELU" => x => x > (alpha ?? 1) ? x : 0,
            "SCALEDTANH" => x => (alpha ?? 1) * Math.Tanh((beta ?? 1) * x),
            "HARDSIGMOID" => x => Math.Clamp(((alpha ?? 0.2) * x) + (beta ?? 0.5), 0, 1),
            "ELU" => x => x < 0 ? (alpha ?? 1) * (Math.Exp(x) - 1) : x,
            "SOFTSIGN" => x => x / (1 + Math.Abs(x)),
            "SOFTPLUS" => x => Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x))),
            _ => throw call.Error("an activation of the standard", name),
        };
    }
}
