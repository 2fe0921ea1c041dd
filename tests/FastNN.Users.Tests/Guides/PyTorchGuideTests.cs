using FastNN.Data;
using FastNN.Formats;
using FastNN.Testing;

namespace FastNN.Users.Tests.Guides;

/// <summary>The code of docs/guides/from-pytorch.md, as the page shows it, and what it must give.</summary>
internal sealed class PyTorchGuideTests : FolderFixture
{
    /// <summary>What PyTorch 2.6 computes with the weights and the image of <see cref="WriteAsPyTorch"/>.</summary>
    private static readonly float[] PyTorchsAnswer = [-0.649f, -0.637446f, -0.412906f, -0.089898f];

    [Test]
    public void Weights_that_PyTorch_saved_give_PyTorchs_answer()
    {
        string path = At("net.safetensors");
        WriteAsPyTorch(path);
        var output = new StringWriter();
        using Device device = Device.Cpu(1);

        var model = new Sequential(
            new Conv2D(3, 3) { Padding = 1 },
            new BatchNorm2D(),
            new ActivationLayer(Activation.ReLU),
            new MaxPool2D(2),
            new Flatten(),
            new Dense(4));
        model.Build([4, 6, 2]);                                     // height, width, channels
        LoadResult result = model.LoadWeights(path, new LoadOptions
        {
            Strict = false,                                         // num_batches_tracked, which PyTorch only counts
        });
        output.WriteLine(result);
        output.WriteLine(string.Join(", ", result.Unexpected));

        float[] channelsFirst = Image();
        float[] image = ToChannelsLast(channelsFirst, channels: 2, height: 4, width: 6);
        using Predictor predictor = model.CreatePredictor(device);
        Assert.That(predictor.Predict(image), Is.EqualTo(PyTorchsAnswer).Within(2e-6f));
        GuidePage.AssertShows("from-pytorch.md", output.ToString());
    }

    [Test]
    public void A_loop_of_ones_own_is_a_few_lines()
    {
        using Device device = Device.Cpu(2);
        Dataset train = Plane(128, 1), test = Plane(64, 2);

        var model = new Sequential(new Dense(16, Activation.ReLU), new Dense(1));
        model.Build(train.ExampleShape, seed: 1);                   // Fit does it by itself
        using var trainer = new Trainer(model, device, Loss.MeanSquaredError, new AdamW(0.02f), seed: 1);
        using var loader = new DataLoader(train, batchSize: 16, shuffle: true, seed: 1);
        for (int epoch = 1; epoch <= 20; epoch++)
        {
            foreach (Batch batch in loader)                         // each foreach is an epoch, shuffled anew
            {
                trainer.Forward(batch.Features, batch.Targets);     // model(x), criterion(y, t)
                trainer.Backward();                                 // optimizer.zero_grad(), loss.backward()
                trainer.Update();                                   // optimizer.step()
            }
        }

        Evaluation result = trainer.Evaluate(test);                 // model.eval(), torch.no_grad()
        Assert.That(result.Loss, Is.LessThan(0.01));
    }

    [Test]
    public void A_module_of_ones_own_is_a_layer()
    {
        using Device device = Device.Cpu(1);
        var model = new Sequential(new Residual(8), new Residual(8), new Dense(2));
        model.Build([8], seed: 1);
        var names = new StringWriter();
        foreach (NamedParameter named in model.NamedParameters)
        {
            names.WriteLine($"{named.Name} {named.Parameter.Shape}");
        }

        GuidePage.AssertShows("from-pytorch.md", names.ToString());
        using Predictor predictor = model.CreatePredictor(device);
        Assert.That(predictor.Predict(new float[8]), Has.Length.EqualTo(2));
    }

    private static float[] ToChannelsLast(float[] x, int channels, int height, int width)
    {
        var y = new float[x.Length];
        int pixels = height * width;
        for (int i = 0; i < x.Length; i++)
        {
            y[(i % pixels * channels) + (i / pixels)] = x[i];
        }

        return y;
    }

    private static float[] Image() => [.. Enumerable.Range(0, 2 * 4 * 6).Select(i => (float)Math.Cos(i * 0.3))];

    /// <summary>The file that safetensors' save_file writes of nn.Sequential(Conv2d(2, 3, 3, padding=1), BatchNorm2d(3), ReLU(),
    /// MaxPool2d(2), Flatten(), Linear(18, 4)), in PyTorch's order, with numbers that are the same there.</summary>
    private static void WriteAsPyTorch(string path)
    {
        (string Name, int[] Shape)[] tensors =
        [
            ("0.weight", [3, 2, 3, 3]), ("0.bias", [3]), ("1.weight", [3]), ("1.bias", [3]), ("1.running_mean", [3]),
            ("1.running_var", [3]), ("5.weight", [4, 18]), ("5.bias", [4]),
        ];
        var writer = new SafetensorsWriter();
        int at = 0;
        foreach ((string name, int[] shape) in tensors)
        {
            int first = at, count = shape.Aggregate(1, (product, extent) => product * extent);
            float[] values = [.. Enumerable.Range(first, count).Select(i => 0.5f * (float)Math.Sin(i * 0.7))];
            if (name.EndsWith("var", StringComparison.Ordinal))
            {
                values = [.. values.Select(value => MathF.Abs(value) + 0.5f)];
            }

            writer.Add(name, shape, values);
            at += count;
        }

        writer.Add("1.num_batches_tracked", [], new long[] { 0 });
        writer.Save(path);
    }

    private static Dataset Plane(int count, int seed)
    {
        var random = new Random(seed);
        float[] x = [.. Enumerable.Range(0, 2 * count).Select(_ => (2 * random.NextSingle()) - 1)];
        return Dataset.FromFloats(x, [2], [.. Enumerable.Range(0, count).Select(i => x[2 * i] - (0.5f * x[(2 * i) + 1]))], [1]);
    }

    public sealed class Residual : Layer
    {
        private readonly Dense _first, _second;

        public Residual(int width)
        {
            _first = AddLayer(new Dense(width, Activation.ReLU), "first");
            _second = AddLayer(new Dense(width), "second");
        }

        protected override Value Forward(Value x) => x + _second.Apply(_first.Apply(x));
    }
}
