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
    public string Name { get; } = name;

    public IReadOnlyList<OpInput> Inputs { get; } = inputs;

    /// <summary>All gradients in double, from the inputs and the upstream gradient; null where the reference has no backward of its own.</summary>
    public Func<double[][], double[], double[]?[]>? ReferenceBackward { get; init; }

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

    /// <summary>The operator once: output and gradients.</summary>
    public OpRun Compile(IDevice device) => Compile(device, [.. Differentiable], twice: false);

    /// <summary>The operator once, with these gradients only.</summary>
    public OpRun Compile(IDevice device, params int[] wanted) => Compile(device, wanted, twice: false);

    /// <summary>y + 2 y' with y and y' from the same inputs, so that each gradient is the sum of two, three times that of y.</summary>
    public OpRun CompileTwice(IDevice device) => Compile(device, [.. Differentiable], twice: true);

    /// <summary>The output, recorded from inputs of the case's shapes.</summary>
    public Value Record()
    {
        var graph = new Graph(GraphMode.Training);
        return build([.. Inputs.Select(input => graph.Input(input.Shape, input.IsInteger ? DType.Int32 : DType.Float32))]);
    }

    public override string ToString() => Name;

    private OpRun Compile(IDevice device, int[] wanted, bool twice)
    {
        var graph = new Graph(GraphMode.Training);
        Value[] values = [.. Inputs.Select(input => graph.Input(input.Shape, input.IsInteger ? DType.Int32 : DType.Float32))];
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
            if (Inputs[i].IsInteger)
            {
                run.Set(values[i], Array.ConvertAll(drawn[i], value => (int)value));
            }
            else
            {
                run.Set(values[i], Array.ConvertAll(drawn[i], value => (float)value));
            }
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

    public void Run() => run.Run();

    public void Dispose() => run.Dispose();
}
