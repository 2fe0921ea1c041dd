namespace FastNN.Testing;

/// <summary>Puts a case through the engine: <see cref="Handlers"/> has one entry per operator that exists.</summary>
internal static class GoldenRunner
{
    /// <summary>The operators by the file of their handlers.</summary>
    private static readonly (string Name, Dictionary<string, Action<GoldenCase, Device>> Handlers)[] Families =
    [
        ("operators", GoldenOperators.All), ("shapes", GoldenShapes.All), ("indices", GoldenIndices.All),
        ("normalizations", GoldenNormalizations.All), ("attention", GoldenAttention.All),
        ("sequences", GoldenSequences.All), ("windows", GoldenWindows.All),
        ("losses", GoldenLosses.All), ("optimizers", GoldenOptimizers.All), ("schedules", GoldenSchedules.All),
        ("traces", GoldenTraces.All),
    ];

    private static readonly Dictionary<string, Action<GoldenCase,
    Device>> Handlers = new(Families.SelectMany(family => family.Handlers));

    /// <summary>What kind of operator a case is about; "others" where the engine has none.</summary>
    public static string FamilyOf(string op) =>
        Families.FirstOrDefault(family => family.Handlers.ContainsKey(op)).Name ?? "others";

    /// <summary>Runs one case.</summary>
    /// <exception cref="UnsupportedCaseException">The engine has no such operator or option; the message names it.</exception>
    /// <exception cref="GoldenMismatchException">A value differs by more than the case allows.</exception>
    public static void Run(GoldenCase golden, Device device)
    {
        if (!Handlers.TryGetValue(golden.Op, out Action<GoldenCase, Device>? handler))
        {
            throw new UnsupportedCaseException($"operator {golden.Op}");
        }

        handler(golden, device);
        golden.Finish();
    }

    /// <summary>Runs one operator forward and backward and compares its output and every gradient that the case has.</summary>
    /// <param name="build">Records the operator on the inputs.</param>
    public static void RunOperator(GoldenCase golden, Device device, Port[] inputs, Port output, Func<Value[], Value> build)
    {
        var graph = new Graph(GraphMode.Training);
        Value[] values = Array.ConvertAll(
            inputs, port => graph.Input(port.EngineShape, golden.IsInteger(port.Name) ? DType.Int32 : DType.Float32));
        Value y = build(values);
        string upstream = "d" + output.Name;
        int[] wanted = [.. Enumerable.Range(0, inputs.Length).Where(i => golden.Has("d" + inputs[i].Name))];
        using var run = new GraphRun(
            device.Implementation, graph, [y], wanted.Length == 0 ? null : y, [.. wanted.Select(i => values[i])],
            Constants(graph));
        for (int i = 0; i < inputs.Length; i++)
        {
            Set(run, values[i], golden, inputs[i]);
        }

        if (wanted.Length > 0 && golden.Has(upstream))
        {
            run.SetRootGradient(output.ToEngine(golden.Floats(upstream)));
        }

        run.Run();
        golden.Compare(output.Name, output.ToFile(run.Read(y)));
        foreach (int i in wanted)
        {
            golden.Compare("d" + inputs[i].Name, inputs[i].ToFile(run.Gradient(values[i])));
        }
    }

    /// <summary>Runs an operator of one input and several outputs, whose upstream gradients arrive together.</summary>
    /// <param name="build">Records the operator on the input.</param>
    public static void RunOperator(GoldenCase golden, Device device, Port input, Port[] outputs, Func<Value, Value[]> build)
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(input.EngineShape);
        Value[] parts = build(x);
        Value root = Operators.Concat(0, Array.ConvertAll(parts, part => part.Reshape(new Shape((int)part.Shape.Count))));
        using var run = new GraphRun(device.Implementation, graph, parts, root, [x]);
        Set(run, x, golden, input);
        run.SetRootGradient([.. outputs.SelectMany(output => output.ToEngine(golden.Floats("d" + output.Name)))]);
        run.Run();
        for (int i = 0; i < parts.Length; i++)
        {
            golden.Compare(outputs[i].Name, outputs[i].ToFile(run.Read(parts[i])));
        }

        golden.Compare("d" + input.Name, input.ToFile(run.Gradient(x)));
    }

    /// <summary>Reads an input from the case into a run.</summary>
    public static void Set(GraphRun run, Value value, GoldenCase golden, Port port)
    {
        if (golden.IsInteger(port.Name))
        {
            run.Set(value, golden.Integers(port.Name));
        }
        else
        {
            run.Set(value, port.ToEngine(golden.Floats(port.Name)));
        }
    }

    private static Parameter[] Constants(Graph graph) =>
        [.. graph.Nodes.SelectMany(node => node.Inputs).Select(input => input.Parameter).OfType<Parameter>().Distinct()];
}
