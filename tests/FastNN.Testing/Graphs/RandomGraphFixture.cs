using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Testing;

/// <summary>
/// Whatever graph is recorded, output and gradients are those of the plain double computation: fusion, sharing in place, views
/// and accumulation into gradients with several consumers change nothing.
/// </summary>
internal abstract class RandomGraphFixture : DeviceFixture
{
    private const double Step = 1e-5;

    protected abstract IDevice Device { get; }

    /// <summary>How many programs the slowest property is tried with; the others take a quarter.</summary>
    protected abstract int Programs { get; }

    [Test]
    public void Output_and_gradients_are_those_of_the_double_computation() => Property.Check(Programs, (int[] genes) =>
    {
        var program = new RandomProgram(genes);
        double[][] values = Draw();
        using Recording recording = Record(Device, program, values);
        recording.Run.Run();
        PlanChecks.RequireDisjoint(recording.Run.Plan.Buffers);

        double[] expected = Evaluate(program, values);
        // Sums of products may grow along the program, and float's rounding with them.
        double scale = 1 + expected.Max(Math.Abs);
        Near.Check("y", recording.Run.Read(recording.Output), expected, 2e-6 * scale);
        double[][] slopes = Array.ConvertAll(values, v => new double[v.Length]);
        for (int i = 0; i < values.Length; i++)
        {
            for (int j = 0; j < values[i].Length; j++)
            {
                slopes[i][j] = Slope(program, values, i, j);
            }
        }

        scale = 1 + slopes.Max(slope => slope.Max(Math.Abs));
        for (int i = 0; i < values.Length; i++)
        {
            Near.Check($"gradient {i}", recording.Gradient(i), slopes[i], 5e-6 * scale);
        }
    });

    [Test]
    public void A_second_run_of_the_same_executor_gives_the_same_bits() => Property.Check(Programs / 4, (int[] genes) =>
    {
        using Recording recording = Record(Device, new RandomProgram(genes), Draw());
        recording.Run.Run();
        float[][] first = [recording.Run.Read(recording.Output), .. recording.Gradients];
        recording.Run.Run();
        Near.SameBits(first, [recording.Run.Read(recording.Output), .. recording.Gradients]);
    });

    [Test]
    public void Inference_computes_the_output_of_training() => Property.Check(Programs / 4, (int[] genes) =>
    {
        var program = new RandomProgram(genes);
        double[][] values = Draw();
        using Recording training = Record(Device, program, values);
        using Recording inference = Record(Device, program, values, GraphMode.Inference);
        training.Run.Run();
        inference.Run.Run();
        Near.Check(
            "y", inference.Run.Read(inference.Output), Array.ConvertAll(training.Run.Read(training.Output), y => (double)y),
            4e-6);
    });

    [Test]
    public void What_follows_a_normalization_keeps_every_bit_in_its_pass(
        [Values] bool adds, [Values] bool clips, [Values] bool isSecond, [Values(1, 2, 0)] int consumers)
    {
        float[][] apart = Follow(isApart: true), joined = Follow(isApart: false);
        Near.SameBits(apart, joined);

        // Values that are outputs stay where they are, so nothing is fused with what they lead to.
        float[][] Follow(bool isApart)
        {
            var graph = new Graph(GraphMode.Training);
            var shape = new Shape(7, 5, 12);
            Value x = graph.Input(shape), residual = graph.Input(shape);
            Parameter[] parameters = Array.ConvertAll(
                new[] { "weight", "bias", "mean", "variance" },
                name => new Parameter(name, new Shape(12), Initializer.Zeros) { IsTrainable = name is "weight" or "bias" });
            Array.ForEach(
                parameters, parameter => parameter.Write([.. Enumerable.Range(0, 12).Select(i => 0.5f + (i / 9f))]));
            Value[] own = Array.ConvertAll(parameters, graph.Use);
            var outputs = new List<Value>();
            var norm = new BatchNormOp(true, 0.1f, 1e-3f);
            Value normalized = graph.AddNode(norm, x, own[2], own[3], own[0], own[1])[0];
            outputs.Add(normalized);
            Value y = !adds ? normalized : isSecond ? residual + normalized : normalized + residual;
            outputs.Add(y);
            y = clips ? y.ReLU() : y;

            // The residual's gradient may be written before, after, or not at all by others.
            Value all = y.Tanh();
            all = consumers > 0 ? all + residual.Sigmoid() : all;
            all = consumers > 1 ? all + residual.Tanh() : all;
            all *= 0.5f;
            Value[] read = adds || consumers > 0 ? [x, residual] : [x];
            using var run = new GraphRun(
                Device, graph, isApart ? [.. outputs.Distinct(), all] : [all], all, read, parameters);
            Assert.That(
                run.Plan.Nodes.Any(
                    node => node.Op is ColumnNormOp joined && joined.HasResidual == adds && joined.HasReLU == clips),
                Is.EqualTo(!isApart || (!adds && !clips)));
            var random = new Random(3);
            float[] Numbers() => [.. Enumerable.Range(0, (int)shape.Count).Select(_ => (float)(random.NextDouble() - 0.5))];
            Array.ForEach(read, input => run.Set(input, Numbers()));
            run.SetRootGradient(Numbers());
            run.Run();
            return [
                run.Read(all), .. Array.ConvertAll(read, run.Gradient), run.Gradient(parameters[0]), run.Gradient(parameters[1])];
        }
    }

    private static double[][] Draw()
    {
        var random = new Random(5);
        var shapes = Enumerable.Repeat(new Shape(RandomProgram.Rows, RandomProgram.Columns), RandomProgram.Inputs).Concat(
            RandomProgram.ParameterShapes);
        return [
            .. shapes.Select(
                shape => Enumerable.Range(0, (int)shape.Count).Select(_ => (double)(float)(random.NextDouble() - 0.5))
                    .ToArray())];
    }

    private static double[] Evaluate(RandomProgram program, double[][] values) =>
        program.Run(new DoubleArithmetic(), values[..RandomProgram.Inputs], values[RandomProgram.Inputs..]);

    private static double Slope(RandomProgram program, double[][] values, int i, int j)
    {
        double value = values[i][j];
        values[i][j] = value + Step;
        double above = Evaluate(program, values).Sum();
        values[i][j] = value - Step;
        double below = Evaluate(program, values).Sum();
        values[i][j] = value;
        return (above - below) / (2 * Step);
    }

    private static Recording Record(IDevice device, RandomProgram program, double[][] values, GraphMode mode = GraphMode.Training)
    {
        float[][] floats = Array.ConvertAll(values, value => Array.ConvertAll(value, x => (float)x));
        var graph = new Graph(mode);
        Value[] inputs = [
            .. Enumerable.Range(0, RandomProgram.Inputs).Select(
                _ => graph.Input(new Shape(RandomProgram.Rows, RandomProgram.Columns)))];
        Parameter[] parameters = [
            .. RandomProgram.ParameterShapes.Select((shape, i) => new Parameter($"p{i}", shape, Initializer.Zeros))];
        for (int i = 0; i < parameters.Length; i++)
        {
            parameters[i].Write(floats[RandomProgram.Inputs + i]);
        }

        Value output = program.Run(new GraphArithmetic(), inputs, Array.ConvertAll(parameters, graph.Use));
        bool training = mode == GraphMode.Training;
        var run = new GraphRun(device, graph, [output], training ? output : null, training ? inputs : [], parameters);
        for (int i = 0; i < inputs.Length; i++)
        {
            run.Set(inputs[i], floats[i]);
        }

        if (training)
        {
            run.SetRootGradient(Enumerable.Repeat(1f, (int)output.Shape.Count).ToArray());
        }

        return new Recording(run, inputs, parameters, output);
    }

    private sealed record Recording(GraphRun Run, Value[] Inputs, Parameter[] Parameters, Value Output) : IDisposable
    {
        public float[][] Gradients => [.. Enumerable.Range(0, Inputs.Length + Parameters.Length).Select(Gradient)];

        public float[] Gradient(int i) =>
            i < Inputs.Length ? Run.Gradient(Inputs[i]) : Run.Gradient(Parameters[i - Inputs.Length]);

        public void Dispose() => Run.Dispose();
    }
}
