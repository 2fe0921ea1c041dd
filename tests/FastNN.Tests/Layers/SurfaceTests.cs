using FastNN.Layers;
using FastNN.Tests.Training;

namespace FastNN.Tests.Layers;

/// <summary>What people write and read: sizes without ceremony, and texts that say what a thing is.</summary>
internal sealed class SurfaceTests : TrainingFixture
{
    [Test]
    public void Sizes_are_numbers_or_pairs()
    {
        var model = new Sequential
        {
            new Conv2D(4, 3) { Stride = 2, Padding = 1 },
            new Conv2D(4, (3, 1)) { Stride = (2, 1), Padding = (1, 0), Dilation = 1 },
            new MaxPool2D(2) { Stride = 1, Padding = 1 },
            new AvgPool2D((2, 1)) { Stride = (1, 2) },
        };
        model.Build([28, 28, 1]);
        Assert.That(
            model.Summary().Split('\n').Skip(3).Take(4)
                .Select(line => line[line.IndexOf('[', line.IndexOf(')', StringComparison.Ordinal))..].Split("  ")[0]),
            Is.EqualTo(new[] { "[N, 14, 14, 4]", "[N, 7, 14, 4]", "[N, 8, 15, 4]", "[N, 7, 8, 4]" }));
    }

    [Test]
    public void Things_say_what_they_are()
    {
        Sequential model = Toy.Built();
        Assert.Multiple(() =>
        {
            Assert.That(model.Layers[0].ToString(), Is.EqualTo("Dense(units: 16, activation: ReLU)"));
            Assert.That(
                new Conv2D(8, (3, 2)) { Stride = 2, Padding = Padding2D.Same }.ToString(),
                Is.EqualTo("Conv2D(filters: 8, kernel: [3, 2], stride: 2, padding: same)"));
            Assert.That(new Flatten().ToString(), Is.EqualTo("Flatten"));
            Assert.That(model.Parameters[0].ToString(), Is.EqualTo("weight Float32[2, 16]"));
            Assert.That(
                new Parameter("w", [3], Initializer.Zeros) { IsTrainable = false }.ToString(),
                Is.EqualTo("w Float32[3], frozen"));
            Assert.That(model.NamedParameters[3].ToString(), Is.EqualTo("logits.bias [4]"));
            Assert.That(Device.ToString(), Does.StartWith("CPU, ").And.EqualTo(Device.Description));
            Assert.That(new Adam(0.01f).ToString(), Is.EqualTo("Adam, learning rate 0.01"));
            Assert.That(((Size2D)3).ToString(), Is.EqualTo("3x3"));
        });
    }

    [Test]
    public void A_summary_tells_layers_shapes_and_parameters()
    {
        var shared = new Dense(8) { Name = "shared" };
        var model = new Sequential(
            new Conv2D(4, 3) { Name = "conv" }, new Flatten(),
            new Sequential(new Dense(8), shared, Again(shared)) { Name = "body" }, new Dense(10));
        model.Layers[0].IsTrainable = false;
        model.Build([8, 8, 1]);
        model.Layers[0].IsTrainable = false;
        Assert.That(model.Summary(), Is.EqualTo(
            """
            path               layer                          output        parameters  trainable  FLOPs  activation bytes
            --------------------------------------------------------------------------------------------------------------
            (model)            Sequential                     [N, 10]
            conv               Conv2D(filters: 4, kernel: 3)  [N, 6, 6, 4]          40  no         2,592               576
            1                  Flatten                        [N, 144]
            body               Sequential                     [N, 8]
            body.0             Dense(units: 8)                [N, 8]             1,160  yes        2,304                32
            body.shared        Dense(units: 8)                [N, 8]                72  yes          256                64
            body.again         Sequential                     [N, 8]
            body.again.shared  Dense(units: 8)                [N, 8]            shared
            3                  Dense(units: 10)               [N, 10]               90  yes          160                40
            1,362 parameters, 1,322 of them trainable
            5,312 FLOPs and 712 activation bytes for one example
            """.ReplaceLineEndings("\n")));

        // The convolution: 36 pixels of 4 filters of 9 products and sums.
        Assert.That(model.Summary(SummaryFormat.Markdown).Split('\n')[..4], Is.EqualTo(new[]
        {
            "| path | layer | output | parameters | trainable | FLOPs | activation bytes |",
            "|---|---|---|---:|---|---:|---:|",
            "| (model) | Sequential | \\[N, 10\\] |  |  |  |  |",
            "| conv | Conv2D(filters: 4, kernel: 3) | \\[N, 6, 6, 4\\] | 40 | no | 2,592 | 576 |",
        }));
        Assert.That(
            model.Summary(SummaryFormat.Markdown),
            Does.EndWith(
                " |\n\n1,362 parameters, 1,322 of them trainable\n5,312 FLOPs and 712 activation bytes for one example"));
        Assert.That(() => model.Summary((SummaryFormat)7), Throws.TypeOf<ArgumentOutOfRangeException>());
        static Layer Again(Layer layer) => new Sequential(layer) { Name = "again" };
    }

    [Test]
    public void Costs_that_depend_on_a_symbol_are_left_out_and_names_do_not_break_a_table()
    {
        var model = new Sequential(new Dense(2) { Name = "a|b" });
        model.Build([Dim.Named("T"), 3]);
        string[] lines = model.Summary(SummaryFormat.Markdown).Split('\n');
        Assert.That(lines[3], Is.EqualTo("| a\\|b | Dense(units: 2) | \\[N, T, 2\\] | 8 | yes |  |  |"));
        Assert.That(lines[^1], Is.EqualTo("FLOPs and activation bytes depend on the extents that have no number"));
    }

    [Test]
    public void Costs_of_layers_add_up_to_those_of_the_plan()
    {
        var model = new Sequential(
            new Conv2D(4, 3) { Padding = 1 }, new BatchNorm2D(), new ActivationLayer(Activation.ReLU), new MaxPool2D(2),
            new Flatten(), new Dense(6), new Softmax());
        model.Build([8, 8, 3]);
        var trace = new ModelTrace(model);
        var all = new HashSet<Layer>(LayerTree.Layers(model).Select(place => place.Layer), ReferenceEqualityComparer.Instance);
        Dictionary<Layer, LayerCost> costs = trace.Costs(all)!;

        // Known to no layer but the model, everything is the model's own.
        LayerCost whole = trace.Costs(new HashSet<Layer> { model })!.Single().Value;
        Assert.That(costs.Values.Sum(cost => cost.Flops), Is.EqualTo(whole.Flops));
        Assert.That(costs.Values.Sum(cost => cost.Bytes), Is.EqualTo(whole.Bytes));
        Assert.That(costs[model.Layers[0]].Flops, Is.EqualTo(2 * 8 * 8 * 4 * 27));
        Assert.That(costs[model.Layers[0]].Bytes, Is.EqualTo(8 * 8 * 4 * sizeof(float)));
        Assert.That(costs[model.Layers[5]].Flops, Is.EqualTo(2 * 64 * 6));
        Assert.That(costs.GetValueOrDefault(model.Layers[4]), Is.EqualTo(default(LayerCost)));
    }
}
