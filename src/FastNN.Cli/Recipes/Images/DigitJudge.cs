using System.Numerics.Tensors;
using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>
/// A small convolutional classifier that is trained on the real digits first and then judges generated ones: a sample is
/// recognized where its highest class probability is above <see cref="Confidence"/>, and where a digit was asked for, it is that
/// digit's.
/// </summary>
internal sealed class DigitJudge : IDisposable
{
    public const float Confidence = 0.9f;

    private const int Size = 28 * 28;

    private readonly Predictor _predictor;

    private DigitJudge(Predictor predictor) => _predictor = predictor;

    /// <summary>Trains it, and notes its accuracy on the test digits.</summary>
    public static DigitJudge Train(ScriptRun run, DatasetSplit digits)
    {
        const int Batch = 100, Epochs = 3;
        Dataset train = run.Quick ? digits.Train.Take(6000) : digits.Train;
        var model = new Sequential(
            new Conv2D(16, 3, Activation.ReLU), new MaxPool2D(2), new Conv2D(32, 3, Activation.ReLU), new MaxPool2D(2),
            new Flatten(), new Dense(64, Activation.ReLU), new Dense(10));
        var optimizer = new Adam { Schedule = Schedule.OneCycle(0.005f, Epochs * train.Count / Batch) };
        using var trainer = new Trainer(model, run.Device, Loss.SparseCrossEntropy, optimizer, run.Seed);
        trainer.Fit(
            train, Epochs, Batch, callbacks: run.Watch("classifier", Epochs), cancellationToken: run.Cancellation);
        Dataset test = run.Quick ? digits.Test.Take(1000) : digits.Test;
        run.Figure("classifier's test accuracy", trainer.Evaluate(test).Accuracy!.Value);
        return new DigitJudge(model.CreatePredictor(run.Device));
    }

    /// <summary>Judges generated digits.</summary>
    /// <param name="images">Each 28 x 28 gray levels from 0 to 1.</param>
    /// <param name="wanted">The digits that were asked for; empty where none were.</param>
    public Verdict Judge(ReadOnlySpan<float> images, ReadOnlySpan<int> wanted = default)
    {
        float[] logits = _predictor.Predict(images);
        int recognized = 0;
        var counts = new int[10];
        for (int i = 0; i < images.Length / Size; i++)
        {
            ReadOnlySpan<float> row = logits.AsSpan(i * 10, 10);
            int best = TensorPrimitives.IndexOfMax(row);
            double sum = 0;
            foreach (float logit in row)
            {
                sum += Math.Exp(logit - row[best]);
            }

            if (1 / sum > Confidence && (wanted.IsEmpty || wanted[i] == best))
            {
                recognized++;
                counts[best]++;
            }
        }

        return new Verdict((double)recognized / (images.Length / Size), counts);
    }

    public void Dispose() => _predictor.Dispose();
}

/// <summary>What a classifier makes of generated digits.</summary>
/// <param name="Recognized">The share of samples with a class probability above <see cref="DigitJudge.Confidence"/>.</param>
/// <param name="Counts">How many of these are of each class.</param>
internal sealed record Verdict(double Recognized, IReadOnlyList<int> Counts)
{
    /// <summary>How many of the ten classes occur.</summary>
    public int Classes => Counts.Count(count => count > 0);

    public override string ToString() => $"recognized by digit: {string.Join(" ", Counts)}";
}
