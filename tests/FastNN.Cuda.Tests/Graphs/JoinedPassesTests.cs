using FastNN.Cli;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Cuda.Tests;

/// <summary>
/// What a device says to be passes of their own is joined, and gives the same numbers as apart: on a GPU, and on the CPU, which
/// says so of nothing.
/// </summary>
internal sealed class JoinedPassesTests : DeviceFixture
{
    /// <summary>Rows and their length: of one warp and several, of whole sectors and not, of several parts.</summary>
    private static readonly (int Rows, int Length)[] Sizes =
        [(1, 1), (6, 3), (34, 31), (18, 128), (40, 256), (22, 257), (600, 64), (10, 512), (6, 1001), (4, 1024), (6, 2040),
            (20, 1001), (38, 301), (50, 33), (90, 77)];

    private IEnumerable<IDevice> Devices => [One, Two, Gpu];

    [TestCaseSource(nameof(Sizes))]
    public void An_addition_and_the_bias_of_what_is_added_are_part_of_a_normalization((int Rows, int Length) size) => Require(
        size, 1, (x, given, weight, bias) =>
        {
            Value product = Dense(x, size.Length, bias: true), sum = given + product;
            return Normalize(sum, weight, bias) * sum;
        });

    [TestCaseSource(nameof(Sizes))]
    public void An_addition_that_only_the_normalization_reads_is_part_of_it((int Rows, int Length) size) => Require(
        size, 1, (x, given, weight, bias) => Normalize(Dense(x, size.Length, bias: true) + given, weight, bias) * 2);

    [TestCaseSource(nameof(Sizes))]
    public void Two_values_without_a_product_are_added_in_the_normalization((int Rows, int Length) size) => Require(
        size, 1, (x, given, weight, _) =>
        {
            Value sum = (Dense(x, size.Length, bias: false) * 2) + given;
            return sum.RMSNorm(weight) + sum.Tanh() + given;
        });

    [TestCaseSource(nameof(Sizes))]
    public void Rows_of_the_residual_may_repeat((int Rows, int Length) size)
    {
        (int rows, int length) = size;
        Shape table = rows % 2 == 0 ? new Shape(rows / 2, length) : new Shape(length);
        Require(
            size, 1, (x, given, weight, bias) =>
            {
                Value whole = Dense(x, length, bias: true).Reshape(
                    rows % 2 == 0 ? new Shape(2, rows / 2, length) : new Shape(1, rows, length));
                Value sum = (whole * 3) + x.Graph.Use(Parameter(table, 9));
                return (Normalize(sum, weight, bias) * sum).Reshape(new Shape(rows, length)) * given;
            });
    }

    /// <summary>Few and many repetitions of few and many rows, of every kernel.</summary>
    [Test]
    public void A_residual_may_repeat_any_number_of_times(
        [Values(2, 9)] int repetitions, [Values(1, 3, 19)] int rows, [Values(33, 128, 200, 301, 504, 600, 1001, 1500)] int length,
        [Values] bool isLookedUp)
    {
        int[] tokens = [.. Enumerable.Range(0, repetitions * rows).Select(i => i * i % 7)];
        Require(
            (repetitions * rows, length), 1, (x, given, weight, bias) =>
            {
                Shape whole = new(repetitions, rows, length);
                Value term = isLookedUp
                    ? x.Graph.ConstantInt32(tokens, new Shape(repetitions, rows)).Embedding(
                        x.Graph.Use(Parameter(new Shape(6, length), 3)))
                    : Dense(x, length, bias: true).Reshape(whole);
                Value sum = term + x.Graph.Use(Parameter(new Shape(rows, length), 9));
                Value y = (Normalize(sum, weight, bias) * sum).Reshape(new Shape(repetitions * rows, length)) * given;
                return isLookedUp ? y + Dense(x, length, bias: true) : y;
            });
    }

    [TestCaseSource(nameof(Sizes))]
    public void Rows_of_a_table_are_looked_up_in_the_normalization((int Rows, int Length) size)
    {
        (int rows, int length) = size;
        Shape places = rows % 2 == 0 ? new Shape(2, rows / 2) : new Shape(1, rows);
        int[] tokens = [.. Enumerable.Range(0, rows).Select(i => i * i % 5)];
        Require(
            size, 1, (x, given, weight, bias) =>
            {
                Graph graph = x.Graph;
                Value token = graph.ConstantInt32(tokens, places).Embedding(graph.Use(Parameter(new Shape(6, length), 3)), 4);
                Value sum = token + graph.Use(Parameter(new Shape(places[1], length), 4));
                Value y = (Normalize(sum, weight, bias) * sum).Reshape(new Shape(rows, length));
                return (y + given) * Dense(x, length, bias: true);
            });
    }

    [TestCaseSource(nameof(Sizes))]
    public void A_bias_and_the_function_behind_it_are_one((int Rows, int Length) size) => Require(
        size, 3, (x, given, _, _) => (Dense(x, size.Length, bias: true).Gelu() * given)
            + Dense(x, size.Length, bias: true).SiLU() + Dense(x, size.Length, bias: true).GeluTanh());

    [Test]
    public void What_is_frozen_gets_no_gradient() => Require(
        (18, 40), 2, (x, given, weight, bias) =>
        {
            Graph graph = x.Graph;
            Value frozen = graph.Use(Parameter(new Shape(5, 40), 3, isTrainable: false));
            Value own = graph.Use(Parameter(new Shape(40), 4));
            Value constant = graph.Constant(Numbers(18 * 5, 8), new Shape(18, 5));
            Value sum = graph.Add(new DenseOp(), constant, frozen, own) + given;
            Value activated = graph.Add(new DenseOp(), constant, frozen, own).Gelu();
            return Normalize(sum, weight, bias) + activated + Dense(x, 40, bias: false);
        });

    [TestCase(256)]
    [TestCase(768)]
    public void What_is_joined_moves_each_datum_once(int length)
    {
        RequireEfficient(
            "layernorm_residual", [X(1024, length), X(1024, length), X(length), X(length)],
            x => ((x[0] * 2) + x[1]).LayerNorm(x[2], x[3]));
        RequireEfficient(
            "layernorm_residual", [X(1024, 256), X(256, length), X(length), X(1024, length), X(length), X(length)],
            x => (x[0].Graph.Add(new DenseOp(), x[0], x[1], x[2]) + x[3]).LayerNorm(x[4], x[5]));
        RequireEfficient(
            "biasactivation", [X(1024, 256), X(256, length), X(length)],
            x => x[0].Graph.Add(new DenseOp(), x[0], x[1], x[2]).Gelu());
    }

    [Test]
    public void What_is_read_elsewhere_stays_apart()
    {
        foreach (IDevice device in Devices)
        {
            Plan plan = Run(device, new Joining(), (8, 6), joined: 0, (x, given, weight, bias) =>
            {
                // A second reader of the product, a reader of the sum in front of the normalization, a residual of columns.
                Value product = Dense(x, 6, bias: true), first = Normalize(product + given, weight, bias) + product;
                Value sum = Dense(x, 6, bias: true) + given, read = sum.Tanh();
                Value column = Dense(x, 6, bias: true) + (given * 1).Slice(1, 0, 1);
                return first + read + Normalize(sum, weight, bias) + Normalize(column, weight, bias);
            }).Plan;
            Assert.That(plan.Nodes.Where(node => node.Op is ResidualNormOp or BiasActivationOp), Is.Empty);
        }
    }

    private void Require((int Rows, int Length) size, int joined, Func<Value, Value, Value, Value, Value> record)
    {
        foreach (IDevice device in Devices)
        {
            float[][] apart = Run(device, new Apart(), size, 0, record).Results;
            float[][] together = Run(device, new Joining(), size, joined, record).Results;
            for (int i = 0; i < apart.Length; i++)
            {
                double[] expected = Array.ConvertAll(apart[i], value => (double)value);
                Near.Check(i == 0 ? "output" : $"gradient {i}", together[i], expected, 1e-5 * expected.Max(Math.Abs));
            }
        }
    }

    /// <summary>The output, and the gradients of what was given and of all parameters.</summary>
    private static (float[][] Results, Plan Plan) Run(
        IDevice device, IPlanning planning, (int Rows, int Length) size, int joined,
        Func<Value, Value, Value, Value, Value> record)
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(size.Rows, 7)), given = graph.Input(new Shape(size.Rows, size.Length));
        Parameter weight = Parameter(new Shape(size.Length), 1), bias = Parameter(new Shape(size.Length), 2);
        Value y = record(x, given * 1, graph.Use(weight), graph.Use(bias)).AsInnerNode();
        Parameter[] parameters = [.. graph.Nodes.SelectMany(node => node.Inputs)
            .Where(input => input.Kind == ValueKind.Parameter).Select(input => input.Parameter!).Distinct()];
        using var run = new GraphRun(planning, device, graph, [], y, [x, given], parameters);
        if (joined > 0)
        {
            Assert.That(run.Plan.Nodes.Count(node => node.Op is ResidualNormOp or BiasActivationOp), Is.EqualTo(joined));
        }

        run.Set(x, Numbers((int)x.Shape.Count, 5));
        run.Set(given, Numbers((int)given.Shape.Count, 6));
        run.SetRootGradient(Numbers((int)y.Shape.Count, 7));
        run.Run();
        return (
            [
                run.Read(y), run.Gradient(x), run.Gradient(given),
                .. parameters.Where(parameter => parameter.IsTrainable).Select(run.Gradient),
            ],
            run.Plan);
    }

    private void RequireEfficient(string kernels, OpInput[] inputs, Func<Value[], Value> build)
    {
        using OpRun run = new OpCase("large", inputs, build, _ => []).Compile(Gpu);
        run.Graph.Upload();
        TestGpu.Software.ResetCounters();
        run.Graph.Forward();
        run.Graph.Backward();
        // Counted is what has run, so it is waited for.
        _ = run.Output;
        KernelCounts[] counts =
            [.. TestGpu.Software.Counts().Kernels.Where(kernel => kernel.Name.StartsWith(kernels, StringComparison.Ordinal))];
        Assert.That(counts.Select(kernel => kernel.Launches), Is.EqualTo(new long[] { 1, 1 }), "forward and backward");
        foreach (KernelCounts kernel in counts)
        {
            Assert.That(kernel.MovedRatio, Is.LessThanOrEqualTo(1.10), kernel.Name);
            Assert.That(kernel.BankConflicts, Is.Zero, kernel.Name);
        }
    }

    private static OpInput X(params int[] extents) => OpInput.Uniform("x", new Shape(extents));

    private static Value Normalize(Value x, Value weight, Value bias) => x.LayerNorm(weight, bias);

    private static Value Dense(Value x, int length, bool bias)
    {
        Value weight = x.Graph.Use(Parameter(new Shape(x.Shape[-1], length), 10));
        return bias
            ? x.Graph.Add(new DenseOp(), x, weight, x.Graph.Use(Parameter(new Shape(length), 11)))
            : x.Graph.Add(new DenseOp(), x, weight);
    }

    private static Parameter Parameter(Shape shape, int seed, bool isTrainable = true)
    {
        var parameter = new Parameter($"p{seed}", shape, Initializer.Zeros) { IsTrainable = isTrainable };
        parameter.Adopt(Numbers((int)shape.Count, seed));
        return parameter;
    }

    private static float[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];
    }

    /// <summary>A device where everything is a pass of its own.</summary>
    private sealed class Joining : Answers
    {
        public override bool FinishesProductApart(long m, int k, int n) => true;

        public override bool AddsInNormalization(int length) => true;
    }

    private sealed class Apart : Answers;

    private abstract class Answers : IPlanning
    {
        public virtual bool FinishesProductApart(long m, int k, int n) => false;

        public virtual bool AddsInNormalization(int length) => false;

        public bool AppliesBehindProducts(Activation activation) => false;

        public long Conv2DWorkspaceBytes(in Conv2DGeometry geometry, ConvolutionPass pass) => throw new NotSupportedException();

        public bool WantsTransposedFilter(in Conv2DGeometry geometry, ConvolutionPass pass) => throw new NotSupportedException();

        public long MaxPool2DWinnerBytes(in Pool2DGeometry geometry) => throw new NotSupportedException();

        public long RecurrenceSavedBytes(RecurrenceGeometry geometry, bool training) => throw new NotSupportedException();

        public long RecurrenceWorkspaceBytes(RecurrenceGeometry geometry, bool backward) => throw new NotSupportedException();
    }
}
