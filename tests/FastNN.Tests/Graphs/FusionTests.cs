using FastNN.Cpu;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Tests.Graphs;

/// <summary>What is fused, and what must not be.</summary>
internal sealed class FusionTests
{
    private static readonly Activation[] FromOutput = [
        Activation.ReLU, Activation.LeakyReLU, Activation.Sigmoid, Activation.Tanh];

    [Test]
    public void An_activation_becomes_the_epilogue_of_the_layer_before_it([ValueSource(nameof(FromOutput))] Activation activation)
    {
        Assert.That(Names(Training, x => Product(x).Activate(activation)), Is.EqualTo(new[] { "Dense" }));
        Assert.That(Names(Inference, x => Product(x).Activate(activation)), Is.EqualTo(new[] { "Dense" }));
    }

    [Test]
    public void A_derivative_that_needs_the_input_is_not_fused_in_training([Values] bool approximate)
    {
        Activation activation = approximate ? Activation.GeluTanh : Activation.Gelu;
        Assert.That(Names(Training, x => Product(x).Activate(activation)), Is.EqualTo(new[] { "Dense", activation.ToString() }));
        Assert.That(Names(Inference, x => Product(x).Activate(activation)), Is.EqualTo(new[] { "Dense" }));
    }

    [Test]
    public void Without_a_positive_slope_the_output_does_not_tell_the_sign([Values(0f, -0.1f)] float slope)
    {
        Assert.That(Names(Training, x => Product(x).LeakyReLU(slope)), Has.Length.EqualTo(2));
        Assert.That(Names(Inference, x => Product(x).LeakyReLU(slope)), Has.Length.EqualTo(1));
    }

    [Test]
    public void A_second_activation_stays_apart() =>
        Assert.That(Names(Training, x => Product(x).ReLU().Tanh()), Is.EqualTo(new[] { "Dense", "Tanh" }));

    [Test]
    public void A_product_with_a_second_consumer_stays_readable() =>
        Assert.That(Names(Training, x => Once(Product(x), z => z.ReLU() + z)), Is.EqualTo(new[] { "Dense", "ReLU", "Add" }));

    [Test]
    public void A_product_that_is_an_output_stays_readable()
    {
        var graph = new Graph(GraphMode.Training);
        Value z = Product(graph.Input(new Shape(2, 3)));
        Value y = z.ReLU();
        Assert.That(Compile(graph, [z, y], y).Nodes, Has.Count.EqualTo(2));
    }

    [Test]
    public void ReLU_then_max_pooling_is_one_node()
    {
        Assert.That(Names(Training, x => Image(x).ReLU().MaxPool2D((2, 2))), Is.EqualTo(new[] { "Reshape", "MaxPool2D" }));
        Assert.That(Names(Training, x => Image(x).Tanh().MaxPool2D((2, 2))), Has.Length.EqualTo(3));
        Assert.That(Names(Training, x => Image(x).ReLU().AvgPool2D((2, 2))), Has.Length.EqualTo(3));
        Assert.That(Names(Training, x => Once(Image(x).ReLU(), r => r.MaxPool2D((1, 1)) + r)), Has.Length.EqualTo(4));
    }

    [Test]
    public void ReLU_between_convolution_and_pooling_moves_behind_the_pooling()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(1, 6, 6, 2));
        Value y = x.Conv2D(graph.Use(Parameter(3, 3, 2, 4)), graph.Use(Parameter(4))).ReLU().MaxPool2D((2, 2));
        Plan plan = Compile(graph, [y], y);
        Assert.That(plan.Nodes.Select(node => node.Op.Name), Is.EqualTo(new[] { "Conv2D", "MaxPool2D" }));
        Assert.That(((ConvolutionOp)plan.Nodes[0].Op).Activation, Is.EqualTo(Activation.None));
        Assert.That(((MaxPool2DOp)plan.Nodes[1].Op).HasReLU);
    }

    [Test]
    public void Pooling_joins_the_convolution_before_it_in_inference_where_nothing_else_reads_that()
    {
        string[] Pooled(GraphMode mode, Func<Value, Value> pool, bool isRead = false)
        {
            var graph = new Graph(mode);
            Value x = graph.Input(new Shape(1, 9, 9, 2));
            Value convolved = x.Conv2D(graph.Use(Parameter(3, 3, 2, 4)), graph.Use(Parameter(4)));
            Value y = pool(convolved);
            return [.. Compile(graph, isRead ? [y, convolved] : [y], null).Nodes.Select(node => node.Op.Name)];
        }

        string[] apart = ["Conv2D", "MaxPool2D"];
        Assert.That(Pooled(Inference, x => x.ReLU().MaxPool2D((2, 2))), Is.EqualTo(new[] { "Conv2D + MaxPool2D" }));
        Assert.That(Pooled(Inference, x => x.GeluTanh().MaxPool2D((2, 2))), Is.EqualTo(new[] { "Conv2D + MaxPool2D" }));
        Assert.That(Pooled(Training, x => x.MaxPool2D((2, 2))), Is.EqualTo(apart));
        Assert.That(Pooled(Inference, x => x.MaxPool2D((2, 2)), isRead: true), Is.EqualTo(apart));
        Assert.That(Pooled(Inference, x => x.MaxPool2D((3, 3), (2, 2))), Is.EqualTo(apart), "windows share rows");
    }

    [Test]
    public void A_depthwise_convolution_joins_the_product_before_it_in_inference_where_nothing_else_reads_that()
    {
        string[] Filtered(GraphMode mode, Func<Value, Value> between, bool isRead = false, int groups = 8, bool bias = true)
        {
            var graph = new Graph(mode);
            Value x = graph.Input(new Shape(2, 9, 9, 3));
            Value product = x.Conv2D(graph.Use(Parameter(1, 1, 3, 8)), bias ? graph.Use(Parameter(8)) : null);
            Value y = between(product).Conv2D(
                graph.Use(Parameter(3, 3, 8 / groups, 8)), graph.Use(Parameter(8)), padding: Padding2D.Same,
                groups: groups).Tanh();
            return [.. Compile(graph, isRead ? [y, product] : [y], null).Nodes.Select(node => node.Op.Name)];
        }

        string[] joined = ["Conv2D + depthwise"], apart = ["Conv2D", "Conv2D"];
        Assert.That(Filtered(Inference, x => x.ReLU6()), Is.EqualTo(joined));
        Assert.That(Filtered(Inference, x => x.HardSwish(), bias: false), Is.EqualTo(joined));
        Assert.That(Filtered(Inference, x => x), Is.EqualTo(joined));
        Assert.That(Filtered(Inference, x => x, isRead: true), Is.EqualTo(apart));
        Assert.That(Filtered(Inference, x => x.ReLU(), groups: 4), Is.EqualTo(apart), "not depthwise");
        Assert.That(Filtered(Training, x => x.ReLU()), Is.EqualTo(apart));
    }

    [Test]
    public void Log_softmax_joins_the_loss_on_the_last_axis_only([Values(-1, 0)] int axis)
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(new Shape(4, 5));
        Value targets = graph.Input(new Shape(4), DType.Int32);
        var options = new CrossEntropyOptions(CrossEntropyInput.LogProbabilities, Reduction.Mean);
        Value y = graph.Add(new CrossEntropyOp(options), x.LogSoftmax(axis), targets);
        Assert.That(Compile(graph, [y], y, x).Nodes, Has.Count.EqualTo(axis == -1 ? 1 : 2));
    }

    [Test]
    public void The_root_is_not_fused_because_its_gradient_must_last()
    {
        var graph = new Graph(GraphMode.Training);
        Value y = Product(graph.Input(new Shape(2, 3))).ReLU();
        Assert.That(Compile(graph, [y], y).Nodes, Has.Count.EqualTo(2));
        Assert.That(Compile(graph, [y], null).Nodes, Has.Count.EqualTo(1));
    }

    [Test]
    public void Nodes_that_no_output_needs_are_dropped()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(2, 3));
        Value y = x.Sigmoid();
        x.Tanh().Softmax();
        Assert.That(Compile(graph, [y], null).Nodes, Has.Count.EqualTo(1));
    }

    private static GraphMode Training => GraphMode.Training;

    private static GraphMode Inference => GraphMode.Inference;

    private static Value Product(Value x) => x.Dense(x.Graph.Use(Parameter(3, 4)), x.Graph.Use(Parameter(4)));

    private static Value Image(Value x) => x.Reshape(new Shape(1, 2, 3, 1));

    private static Value Once(Value x, Func<Value, Value> build) => build(x);

    private static Parameter Parameter(params int[] shape) => new("p", new Shape(shape), Initializer.GlorotUniform);

    private static string[] Names(GraphMode mode, Func<Value, Value> build)
    {
        var graph = new Graph(mode);
        Value x = graph.Input(new Shape(2, 3));
        // The root itself is never fused; a view stands behind what is looked at.
        Value y = build(x);
        y = y.Reshape(new Shape((int)y.Shape.Count));
        Plan plan = mode == GraphMode.Training ? Compile(graph, [y], y, x) : Compile(graph, [y], null);
        return [.. plan.Nodes.SkipLast(1).Select(node => node.Op.Name)];
    }

    private static Plan Compile(Graph graph, Value[] outputs, Value? root, params Value[] gradients)
    {
        using var device = new CpuDevice(1);
        return Compiler.Compile(device, graph, outputs, root, gradients);
    }
}
