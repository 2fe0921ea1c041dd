using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>
/// One configuration of an operator, declared once and run in three modes: compared with the double reference, its gradients
/// checked by central differences, and timed.
/// </summary>
/// <param name="name">Operator and sizes.</param>
/// <param name="inputs">In the order that <paramref name="build"/> takes them.</param>
/// <param name="build">Records the operator.</param>
/// <param name="reference">The output in double, from the inputs in double.</param>
internal sealed class OpCase(string name, OpInput[] inputs, Func<Value[], Value> build, Func<double[][], double[]> reference)
{
    private const double Step = 1e-5;

    private (int Input, int Element, double Slope)[]? _slopes;

    public string Name { get; } = name;

    public IReadOnlyList<OpInput> Inputs { get; } = inputs;

    /// <summary>
    /// All gradients in double, from the inputs and the upstream gradient; null where the reference has no backward of its own.
    /// </summary>
    public Func<double[][], double[], double[]?[]>? ReferenceBackward { get; init; }

    /// <summary>
    /// For gradients that are sums: the sums of their terms' absolute values, by which the terms are rounded; null for others.
    /// </summary>
    public Func<double[][], double[], double[]?[]>? TermSizes { get; init; }

    /// <summary>
    /// What float32 may lose, absolutely, in outputs and gradients: about the rounding of one number times how many are added up.
    /// </summary>
    public double Tolerance { get; init; } = 4e-6;

    /// <summary>Elements of each gradient that are checked by differences; fewer where the reference is expensive.</summary>
    public int Samples { get; init; } = 48;

    public IEnumerable<int> Differentiable => Enumerable.Range(0, Inputs.Count).Where(i => Inputs[i].IsDifferentiable);

    /// <summary>Values for all inputs, the same at every call.</summary>
    public double[][] Draw() => [.. Inputs.Select((input, i) => input.Values(seed: 100 + i))];

    public double[] Reference(double[][] values) => reference(values);

    /// <summary>An upstream gradient for the output.</summary>
    public static double[] DrawUpstream(int count) => OpInput.Uniform("dy", new Shape(count)).Values(seed: 99);

    /// <summary>
    /// (L(x + h) - L(x - h)) / 2h at the checked elements of every differentiable input, input after input; L is the sum of
    /// output times upstream, in double. Found once per process, as several tests on several devices compare with it.
    /// </summary>
    public IReadOnlyList<(int Input, int Element, double Slope)> Slopes => _slopes ??= FindSlopes();

    /// <summary>The operator once: output and gradients.</summary>
    public OpRun Compile(IDevice device) => Compile(device, [.. Differentiable], twice: false);

    /// <summary>The operator once, with these gradients only.</summary>
    public OpRun Compile(IDevice device, params int[] wanted) => Compile(device, wanted, twice: false);

    /// <summary>
    /// y + 2 y' with y and y' from the same inputs, so that each gradient is the sum of two, three times that of y.
    /// </summary>
    public OpRun CompileTwice(IDevice device) => Compile(device, [.. Differentiable], twice: true);

    /// <summary>The output, recorded from inputs of the case's shapes.</summary>
    public Value Record()
    {
        var graph = new Graph(GraphMode.Training);
        return build([.. Inputs.Select(input => graph.Input(input.Shape, input.Type))]);
    }

    /// <summary>
    /// The operator on inputs that are the second halves of tensors, so that they begin at any address that their type allows.
    /// Gradients are those of the whole tensors.
    /// </summary>
    public OpRun CompileOnViews(IDevice device)
    {
        var graph = new Graph(GraphMode.Training);
        Value[] values = [.. Inputs.Select(input => graph.Input(new Shape(2, (int)input.Shape.Count), input.Type))];
        Value output = build([.. values.Select((value, i) => value.Slice(0, 1).Reshape(Inputs[i].Shape))]);
        int[] wanted = [.. Differentiable];
        var run = new GraphRun(device, graph, [], output, [.. wanted.Select(i => values[i])]);
        double[][] drawn = Draw();
        for (int i = 0; i < values.Length; i++)
        {
            run.SetNumbers(values[i], [.. new double[drawn[i].Length], .. drawn[i]]);
        }

        run.SetRootGradient(Array.ConvertAll(DrawUpstream(checked((int)output.Shape.Count)), value => (float)value));
        return new OpRun(run, output, [.. wanted.Select(i => values[i])]);
    }

    public override string ToString() => Name;

    private (int, int, double)[] FindSlopes()
    {
        double[][] inputs = Draw();
        double[] upstream = DrawUpstream(Reference(inputs).Length);
        var slopes = new List<(int, int, double)>();
        foreach (int i in Differentiable)
        {
            int[] elements = [.. Enumerable.Range(0, inputs[i].Length)];
            if (elements.Length > Samples)
            {
                new Random(7).Shuffle(elements);
                elements = elements[..Samples];
            }

            slopes.AddRange(elements.Select(element => (i, element, Slope(inputs, i, element, upstream))));
        }

        return [.. slopes];
    }

    private double Slope(double[][] inputs, int input, int element, double[] upstream)
    {
        double value = inputs[input][element];
        inputs[input][element] = value + Step;
        double above = Dot(Reference(inputs), upstream);
        inputs[input][element] = value - Step;
        double below = Dot(Reference(inputs), upstream);
        inputs[input][element] = value;
        return (above - below) / (2 * Step);
    }

    private static double Dot(double[] x, double[] y)
    {
        double sum = 0;
        for (int i = 0; i < x.Length; i++)
        {
            sum += x[i] * y[i];
        }

        return sum;
    }

    private OpRun Compile(IDevice device, int[] wanted, bool twice)
    {
        var graph = new Graph(GraphMode.Training);
        Value[] values = [.. Inputs.Select(input => graph.Input(input.Shape, input.Type))];
        Value output = build(values);
        Value? two = twice ? graph.Input(new Shape(1)) : null;
        if (two is not null)
        {
            // A scalar keeps its shape beside the [1] that multiplies it.
            Value again = build(values) * two.Reshape(default);
            output += again;
        }

        var run = new GraphRun(device, graph, [], output, [.. wanted.Select(i => values[i])]);
        double[][] drawn = Draw();
        for (int i = 0; i < values.Length; i++)
        {
            run.SetNumbers(values[i], drawn[i]);
        }

        if (two is not null)
        {
            run.Set(two, [2f]);
        }

        run.SetRootGradient(Array.ConvertAll(DrawUpstream(checked((int)output.Shape.Count)), value => (float)value));
        return new OpRun(run, output, [.. wanted.Select(i => values[i])]);
    }
}

/// <summary>A compiled <see cref="OpCase"/>, ready to be run and timed.</summary>
internal sealed class OpRun(GraphRun run, Value output, Value[] inputs) : IDisposable
{
    public GraphRun Graph => run;

    public float[] Output => run.Read(output);

    /// <summary>The wanted gradients, in order.</summary>
    public float[][] Gradients => Array.ConvertAll(inputs, run.Gradient);

    /// <summary>The output, then the gradients.</summary>
    public float[][] Results => [Output, .. Gradients];

    public void Run() => run.Run();

    public void Dispose() => run.Dispose();
}
