using FastNN.Cli.Running;
using FastNN.Onnx;

namespace FastNN.Cli.Recipes;

/// <summary>
/// Learns features on the digits 0 to 4, takes them through an ONNX file, and trains a head on few examples of 5 to 9; what came
/// out goes into a file again, which a session runs.
/// </summary>
internal sealed class OnnxTransfer : MnistRecipe
{
    private const int Few = 250;

    // The dense layer behind the features.
    private const string Head = "5.";

    public override string Name => "onnx-transfer";

    public override string Network =>
        "Conv 16 3x3 ReLU, MaxPool 2, Conv 32 3x3 ReLU, MaxPool 2, Flatten, Dense 10, out of an ONNX file";

    public override string DataDescription =>
        "MNIST: digits 0 to 4 for the features, 250 of 5 to 9 for the head, tested on 5 to 9";

    public override string TrainingDescription =>
        "one epoch on 0 to 4, exported, imported, features frozen; sparse cross-entropy, Adam 1e-3, batch 10, 20 epochs on 5 to 9";

    public override Goal Goal => new("test accuracy", 0.90);

    public override Goal QuickGoal => new("test accuracy", 0.60);

    public override int Epochs => 20;

    public override int Batch => 10;

    public override (int Epochs, int Limit) Quick => (Epochs, Few);

    public override Loss Loss => Loss.SparseCrossEntropy;

    /// <summary>The network as it comes out of a file, with first values.</summary>
    public override Layer CreateModel() => ThroughFile(Features(seed: 0));

    public override RecipeData Load(string? source, Action<string> progress)
    {
        RecipeData digits = base.Load(source, progress);
        return new RecipeData(
            digits.Train.Where(example => example.Label >= 5).Take(Few), digits.Test.Where(example => example.Label >= 5),
            digits.Description)
        {
            Before = digits.Train.Where(example => example.Label < 5),
        };
    }

    public override void Train(TrainingJob job)
    {
        if (job.Trainer.StepCount == 0)
        {
            Pretrained(job).CopyTo(job.Trainer.Model);
        }

        foreach (NamedParameter named in job.Trainer.Model.NamedParameters)
        {
            named.Parameter.IsTrainable = named.Name.StartsWith(Head, StringComparison.Ordinal);
        }

        base.Train(job);
        Check(job);
    }

    private Sequential Features(ulong seed)
    {
        var model = new Sequential(
            new Conv2D(16, 3, Activation.ReLU), new MaxPool2D(2), new Conv2D(32, 3, Activation.ReLU), new MaxPool2D(2),
            new Flatten(), new Dense(10));
        model.Build(ExampleShape, seed);
        return model;
    }

    /// <summary>The network after an epoch on the other digits, out of a file.</summary>
    private FastNN.Model Pretrained(TrainingJob job)
    {
        Sequential model = Features(job.Seed);
        using (var trainer = new Trainer(model, job.Trainer.Device, Loss, new Adam(1e-3f), job.Seed))
        {
            trainer.Fit(job.Data.Before!, epochs: 1, batchSize: 32, cancellationToken: job.Cancellation);
        }

        return ThroughFile(model);
    }

    private static FastNN.Model ThroughFile(Layer model)
    {
        using var stream = new MemoryStream();
        model.ExportOnnx(stream);
        using OnnxModel file = OnnxModel.Load(stream.ToArray(), "features");
        return file.ToModel();
    }

    /// <summary>What is exported answers in an OnnxSession as the trained network does.</summary>
    private static void Check(TrainingJob job)
    {
        using var stream = new MemoryStream();
        job.Trainer.Model.ExportOnnx(stream);
        using OnnxModel file = OnnxModel.Load(stream.ToArray(), "trained");
        using OnnxSession session = file.Compile(job.Trainer.Device);
        using Predictor predictor = job.Trainer.Model.CreatePredictor(job.Trainer.Device);
        var image = new float[28 * 28];
        var wanted = new float[10];
        for (int i = 0; i < Math.Min(100, job.Data.Test.Count); i++)
        {
            job.Data.Test.CopyFeatures(i, image);
            predictor.Predict(image, wanted);

            // One channel: both orders of an image are the same.
            var inputs = new Dictionary<string, OnnxValue>
            {
                ["input"] = OnnxTensor.Create((float[])image.Clone(), 1, 1, 28, 28),
            };
            ReadOnlySpan<float> got = ((OnnxTensor)session.Run(inputs)[0]!).Values<float>();
            for (int k = 0; k < wanted.Length; k++)
            {
                if (Math.Abs(got[k] - wanted[k]) > 1e-4f * (1 + Math.Abs(wanted[k])))
                {
                    throw new CliException(
                        $"onnx-transfer: the exported file gives {got[k]} for {wanted[k]} (digit {i}, score {k})");
                }
            }
        }
    }
}
