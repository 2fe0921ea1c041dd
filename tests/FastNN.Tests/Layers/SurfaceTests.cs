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
            new Conv2D(4, 3, Activation.ReLU) { Name = "conv" }, new Flatten(),
            new Sequential(new Dense(8), shared, Again(shared)) { Name = "body" }, new Dense(10));
        model.Layers[0].IsTrainable = false;
        model.Build([8, 8, 1]);
        model.Layers[0].IsTrainable = false;
        Assert.That(model.Summary(), Is.EqualTo(
            """
            path               layer                                            output        parameters  trainable
            -------------------------------------------------------------------------------------------------------
            (model)            Sequential                                       [N, 10]
            conv               Conv2D(filters: 4, kernel: 3, activation: ReLU)  [N, 6, 6, 4]          40  no
            1                  Flatten                                          [N, 144]
            body               Sequential                                       [N, 8]
            body.0             Dense(units: 8)                                  [N, 8]             1,160  yes
            body.shared        Dense(units: 8)                                  [N, 8]                72  yes
            body.again         Sequential                                       [N, 8]
            body.again.shared  Dense(units: 8)                                  [N, 8]            shared
            3                  Dense(units: 10)                                 [N, 10]               90  yes
            1,362 parameters, 1,322 of them trainable
            """.ReplaceLineEndings("\n")));
        static Layer Again(Layer layer) => new Sequential(layer) { Name = "again" };
    }
}
