using FastNN.Data;
using FastNN.Onnx;
using FastNN.Testing;

namespace FastNN.Users.Tests.Guides;

/// <summary>The code of docs/guides/from-keras.md, as the page shows it, and what it must give.</summary>
internal sealed class KerasGuideTests : FolderFixture
{
    [Test]
    public void A_network_is_trained_as_with_Keras()
    {
        (Dataset train, Dataset test) = Bars(160).Split(0.25, seed: 1);
        string weights = At("bars.safetensors");
        using Device device = Device.Cpu(2);

        var model = new Sequential(
            new Conv2D(8, 3, Activation.ReLU) { Padding = Padding2D.Same },
            new MaxPool2D(2),
            new Flatten(),
            new Dropout(0.1f),
            new Dense(2));                                              // logits: the loss has the softmax in it
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(0.01f), seed: 1);
        History history = trainer.Fit(
            train, epochs: 12, batchSize: 16, validationSplit: 0.1,
            callbacks: [new EarlyStopping(patience: 3, restoreBest: true), new ReduceOnPlateau(factor: 0.5f, patience: 2)]);
        Evaluation result = trainer.Evaluate(test);
        float[] logits = trainer.Predict(test);
        model.SaveWeights(weights);

        Assert.That(result.Accuracy, Is.GreaterThan(0.9));
        Assert.That(logits, Has.Length.EqualTo(2 * test.Count));
        Assert.That(history.Epochs, Is.Not.Empty);
    }

    [Test]
    public void Weights_of_Keras_are_in_the_order_of_the_engine()
    {
        string path = At("weights.npz");
        float[] filter = Numbers(3 * 3 * 2 * 4, 1), filterBias = Numbers(4, 2);
        float[] kernel = Numbers(3 * 3 * 4 * 5, 3), bias = Numbers(5, 4);
        NumpyFile.WriteArchive(path, new Dictionary<string, OnnxTensor>
        {
            ["arr_0"] = OnnxTensor.Create(filter, 3, 3, 2, 4),
            ["arr_1"] = OnnxTensor.Create(filterBias, 4),
            ["arr_2"] = OnnxTensor.Create(kernel, 36, 5),
            ["arr_3"] = OnnxTensor.Create(bias, 5),
        });

        var model = new Sequential(new Conv2D(4, 3, Activation.ReLU), new Flatten(), new Dense(5));
        model.Build([5, 5, 2]);
        IReadOnlyDictionary<string, OnnxTensor> arrays = NumpyFile.ReadArchive(path);      // arr_0, arr_1, ...
        for (int i = 0; i < model.NamedParameters.Count; i++)
        {
            (string name, Parameter parameter) = model.NamedParameters[i];
            OnnxTensor array = arrays[$"arr_{i}"];
            if (!array.Dimensions.SequenceEqual(parameter.Shape.ToArray()))
            {
                throw new InvalidOperationException($"{name} is {parameter.Shape}, arr_{i} has another shape");
            }

            parameter.Write(array.Values<float>());
        }

        float[] image = Numbers(5 * 5 * 2, 5);
        using Device device = Device.Cpu(1);
        using Predictor predictor = model.CreatePredictor(device);
        Assert.That(predictor.Predict(image), Is.EqualTo(AsKeras(image, filter, filterBias, kernel, bias)).Within(1e-5f));
    }

    /// <summary>What Keras documents: an image [5, 5, 2], filters [height, width, in, out], a kernel [in, out], flattened in the
    /// order of the image.</summary>
    private static float[] AsKeras(float[] image, float[] filter, float[] filterBias, float[] kernel, float[] bias)
    {
        var hidden = new double[3 * 3 * 4];
        for (int at = 0; at < hidden.Length; at++)
        {
            (int row, int column, int channel) = (at / 12, at / 4 % 3, at % 4);
            double sum = filterBias[channel];
            for (int tap = 0; tap < 18; tap++)
            {
                (int down, int right, int from) = (tap / 6, tap / 2 % 3, tap % 2);
                sum += image[((((row + down) * 5) + column + right) * 2) + from] * filter[(tap * 4) + channel];
            }

            hidden[at] = Math.Max(sum, 0);
        }

        return [.. Enumerable.Range(0, 5).Select(
            unit => (float)(bias[unit] + hidden.Select((x, i) => x * kernel[(i * 5) + unit]).Sum()))];
    }

    private static float[] Numbers(int count, int seed) =>
        [.. Enumerable.Range(0, count).Select(i => MathF.Sin((i * 12.9898f) + (seed * 78.233f)))];

    /// <summary>Images with a bar that lies or stands, and which.</summary>
    private static Dataset Bars(int count)
    {
        var random = new Random(1);
        var pixels = new float[count * 64];
        for (int i = 0; i < pixels.Length; i++)
        {
            (int image, int row, int column) = (i / 64, i / 8 % 8, i % 8);
            pixels[i] = ((image % 2 == 0 ? row : column) == 2 + (image / 2 % 4) ? 0.8f : 0.2f) + (0.1f * random.NextSingle());
        }

        return Dataset.FromFloats(pixels, [8, 8, 1], [.. Enumerable.Range(0, count).Select(i => i % 2)], classes: 2);
    }
}
