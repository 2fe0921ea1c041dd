using FastNN.Data;
using FastNN.Formats;
using FastNN.Testing;

namespace FastNN.Users.Tests.Guides;

/// <summary>The code of docs/guides/from-torchsharp.md, as the page shows it, and what it must give.</summary>
internal sealed class TorchSharpGuideTests : FolderFixture
{
    [Test]
    public void A_network_is_trained_as_with_TorchSharp()
    {
        using Device device = Device.Cpu(2);
        (float[] points, int[] labels) = Circle(200);

        Dataset data = Dataset.FromFloats(points, [2], labels, classes: 2);
        var model = new Sequential(
            new Dense(16, Activation.Tanh) { Name = "hidden" },
            new Dense(2) { Name = "output" });
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(0.02f), seed: 1);
        trainer.Fit(data, epochs: 40, batchSize: 20);
        Console.WriteLine($"accuracy {trainer.Evaluate(data).Accuracy:P1}");
        Assert.That(trainer.Evaluate(data).Accuracy, Is.GreaterThan(0.9));
    }

    [Test]
    public void Weights_of_TorchSharp_are_loaded_by_their_names()
    {
        string path = At("circle.safetensors");
        float[] hidden = [1, 2, 3, 4, 5, 6], bias = [0.5f, -0.5f, 1], output = [1, 0, -1, 2, 1, 0];
        WriteAsTorchSharp(
            path, [("hidden.weight", [3, 2], hidden), ("hidden.bias", [3], bias), ("output.weight", [2, 3], output)]);
        using Device device = Device.Cpu(1);

        var model = new Sequential(
            new Dense(3, Activation.Tanh) { Name = "hidden" },
            new Dense(2) { Name = "output", UseBias = false });
        model.Build([2]);
        model.LoadWeights(path);                                    // every name and shape must fit, or nothing is loaded
        using Predictor predictor = model.CreatePredictor(device);
        float[] answer = predictor.Predict([0.3f, -0.2f]);

        float[] h = [MathF.Tanh(0.3f - 0.4f + 0.5f), MathF.Tanh(0.9f - 0.8f - 0.5f), MathF.Tanh(1.5f - 1.2f + 1)];
        Assert.That(answer, Is.EqualTo(new[] { h[0] - h[2], (2 * h[0]) + h[1] }).Within(1e-6f));
    }

    /// <summary>As the page's loop over state_dict() does: names, shapes and order are PyTorch's.</summary>
    private static void WriteAsTorchSharp(string path, (string Name, int[] Shape, float[] Values)[] state)
    {
        var writer = new SafetensorsWriter();
        foreach ((string name, int[] shape, float[] values) in state)
        {
            writer.Add(name, shape, values);
        }

        writer.Save(path);
    }

    /// <summary>Points within and around a circle, and which.</summary>
    private static (float[] Points, int[] Labels) Circle(int count)
    {
        var random = new Random(1);
        float[] points = [.. Enumerable.Range(0, 2 * count).Select(_ => (2 * random.NextSingle()) - 1)];
        int[] labels = [.. Enumerable.Range(0, count).Select(
            i => (points[2 * i] * points[2 * i]) + (points[(2 * i) + 1] * points[(2 * i) + 1]) > 0.6f ? 1 : 0)];
        return (points, labels);
    }
}
