namespace FastNN.Onnx.Host;

/// <summary>Operators that run graphs of their own: If, Loop, Scan, SequenceMap.</summary>
internal static class ControlFlow
{
    public static OnnxValue?[] If(HostCall call) => call.Run(Truth(call, call.Tensor(0)) ? "then_branch" : "else_branch");

    private static bool Truth(HostCall call, OnnxTensor condition) => condition is { Data: bool[] { Length: 1 } values }
        ? values[0]
        : throw call.Error("a condition of one truth value", condition.ToString());

    public static OnnxValue?[] Loop(HostCall call)
    {
        long trips = call.Has(0) ? call.Long(0)!.Value : long.MaxValue;
        bool go = !call.Has(1) || Truth(call, call.Tensor(1));
        int carried = Math.Max(0, call.InputCount - 2), outputs = call.OutputsOf("body");
        if (outputs < carried + 1)
        {
            throw call.Error($"a body with a condition and {carried} carried values as outputs", $"{outputs}");
        }

        var state = new OnnxValue?[carried];
        for (int i = 0; i < carried; i++)
        {
            state[i] = call.Value(i + 2);
        }

        var scanned = new List<OnnxTensor>[outputs - 1 - carried];
        for (int i = 0; i < scanned.Length; i++)
        {
            scanned[i] = [];
        }

        for (long trip = 0; trip < trips && go; trip++)
        {
            OnnxValue?[] result = call.Run("body", [OnnxTensor.Create([trip]), OnnxTensor.Create([go]), .. state]);
            go = result[0] is OnnxTensor condition && Truth(call, condition);
            Array.Copy(result, 1, state, 0, carried);
            for (int i = 0; i < scanned.Length; i++)
            {
                scanned[i].Add((OnnxTensor)result[1 + carried + i]!);
            }
        }

        return [.. state, .. scanned.Select(list => list.Count == 0
            ? OnnxTensor.Zeros(OnnxElementType.Float32, [0])
            : (OnnxValue?)Stack(call, list, 0))];
    }

    /// <summary>Tensors of one shape as steps of a new axis.</summary>
    public static OnnxTensor Stack(HostCall call, IReadOnlyList<OnnxTensor> parts, int axis) =>
        Shapes.Concat(call, [.. parts.Select(part => part.WithDims([.. part.Dims[..axis], 1, .. part.Dims[axis..]]))], axis);

    public static OnnxValue?[] Scan(HostCall call)
    {
        int scans = (int)call.Int("num_scan_inputs", 1);
        return call.Opset < 9 ? ScanOfBatches(call, scans)
            : Scan(call, [.. Enumerable.Range(0, call.InputCount).Select(call.Value)], scans);
    }

    // Opset 8 had an axis of examples in front of everything, and their lengths as the first input.
    private static OnnxValue?[] ScanOfBatches(HostCall call, int scans)
    {
        OnnxValue?[] inputs = [.. Enumerable.Range(1, call.InputCount - 1).Select(call.Value)];
        int batch = ((OnnxTensor)inputs[0]!).Dims[0];
        var results = new List<OnnxValue?[]>();
        for (int b = 0; b < batch; b++)
        {
            results.Add(Scan(call, Array.ConvertAll(inputs, input =>
            {
                OnnxTensor part = Shapes.Slice((OnnxTensor)input!, 0, b, 1);
                return (OnnxValue?)part.WithDims(part.Dims[1..]);
            }), scans));
        }

        return [.. Enumerable.Range(0, results[0].Length).Select(i =>
            Stack(call, [.. results.Select(result => (OnnxTensor)result[i]!)], 0))];
    }

    private static OnnxValue?[] Scan(HostCall call, OnnxValue?[] inputs, int scans)
    {
        int carried = inputs.Length - scans, outputs = call.OutputsOf("body") - carried;
        if (scans < 1 || carried < 0 || outputs < 0)
        {
            throw call.Error("as many scan inputs as there are, and a body that returns every state",
                $"{scans} of {inputs.Length} inputs");
        }

        OnnxValue?[] state = inputs[..carried];
        var sources = Array.ConvertAll(inputs[carried..], input => (OnnxTensor)input!);
        long[] axes = call.Ints("scan_input_axes") ?? new long[scans], directions = Directions(call, "input", scans);
        int steps = -1;
        for (int i = 0; i < scans; i++)
        {
            int extent = sources[i].Dims[call.Axis(axes[i], sources[i].Rank)];
            steps = steps < 0 || steps == extent ? extent
                : throw call.Error("scan inputs of one length", $"{steps} and {extent}");
        }

        var scanned = new List<OnnxTensor>[outputs];
        for (int i = 0; i < outputs; i++)
        {
            scanned[i] = [];
        }

        for (int t = 0; t < steps; t++)
        {
            var arguments = new OnnxValue?[inputs.Length];
            state.CopyTo(arguments, 0);
            for (int i = 0; i < scans; i++)
            {
                int axis = call.Axis(axes[i], sources[i].Rank);
                OnnxTensor step = Shapes.Slice(sources[i], axis, directions[i] == 1 ? steps - 1 - t : t, 1);
                arguments[carried + i] = step.WithDims([.. step.Dims[..axis], .. step.Dims[(axis + 1)..]]);
            }

            OnnxValue?[] result = call.Run("body", arguments);
            state = result[..carried];
            for (int i = 0; i < outputs; i++)
            {
                scanned[i].Add((OnnxTensor)result[carried + i]!);
            }
        }

        long[] outAxes = call.Ints("scan_output_axes") ?? new long[outputs], outDirections = Directions(call, "output", outputs);
        var stacked = new OnnxValue?[outputs];
        for (int i = 0; i < outputs; i++)
        {
            if (outDirections[i] == 1)
            {
                scanned[i].Reverse();
            }

            stacked[i] = steps == 0
                ? OnnxTensor.Zeros(OnnxElementType.Float32, [0])
                : Stack(call, scanned[i], call.Axis(outAxes[i], scanned[i][0].Rank + 1));
        }

        return [.. state, .. stacked];
    }

    // One list for all inputs before opset 9.
    private static long[] Directions(HostCall call, string side, int count) =>
        call.Ints($"scan_{side}_directions") ?? (side == "input" ? call.Ints("directions") : null) ?? new long[count];

    public static OnnxValue?[] SequenceMap(HostCall call)
    {
        OnnxSequence sequence = call.Sequence(0);
        int outputs = call.OutputsOf("body");
        var results = new List<OnnxValue>[outputs];
        for (int i = 0; i < outputs; i++)
        {
            results[i] = [];
        }

        for (int t = 0; t < sequence.Items.Count; t++)
        {
            OnnxValue?[] arguments = [.. Enumerable.Range(0, call.InputCount).Select(i =>
                call.Value(i) is OnnxSequence items ? items.Items[t] : call.Value(i))];
            OnnxValue?[] result = call.Run("body", arguments);
            for (int i = 0; i < outputs; i++)
            {
                results[i].Add(result[i]!);
            }
        }

        return Array.ConvertAll(results, list => (OnnxValue?)new OnnxSequence(list));
    }
}
