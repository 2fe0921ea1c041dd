using System.Numerics.Tensors;
using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>
/// Five networks that differ by their seed alone are right more often together than each is alone, and with a temperature fitted
/// on examples held out, their probabilities can be trusted.
/// </summary>
internal sealed class FashionEnsemble : ScriptedRecipe
{
    private const int Classes = 10;
    private const int Batch = 64;
    private const float LearningRate = 3e-3f;

    public override string Name => "fashion-ensemble";

    public override string Network =>
        "five times Conv 32 3x3 ReLU, MaxPool 2, Conv 64 3x3 ReLU, MaxPool 2, Flatten, Dense 128 ReLU, Dense 10";

    public override string DataDescription =>
        "Fashion-MNIST, 55,000 articles to train, 5,000 to fit the temperature, 10,000 to test";

    public override string TrainingDescription =>
        "sparse cross-entropy, AdamW with one cycle up to 3e-3, batch 64, 6 epochs for each; the temperature of the least cross-entropy";

    public override Goal Goal => new("calibration error over that of a single network", 0.5, AtMost: true);

    public override Goal QuickGoal => new("calibration error over that of a single network", 2.5, AtMost: true);

    public override IReadOnlyList<string> Files => ["reliability.txt"];

    public override double Run(ScriptRun run)
    {
        (Dataset all, Dataset test) = FashionMnist.Load(run.Data, run.Say);
        (Dataset train, Dataset held) = all.Split(run.Pick(55_000, 3_200));
        held = held.Take(run.Pick(5_000, 500));
        test = test.Take(run.Pick(test.Count, 1_000));
        int members = run.Pick(5, 2);
        float[] ofHeld = new float[held.Count * Classes], ofTest = new float[test.Count * Classes];
        double accuracy = 0, error = 0;
        for (int member = 0; member < members; member++)
        {
            using Predictor predictor = Train(run, train, member);
            float[] shares = RowSoftmax.Of(predictor.PredictAll(test, run.Cancellation), Classes);
            accuracy += Accuracy(shares, test) / members;
            error += Measure(shares, test).ExpectedError / members;
            Accumulate(shares, ofTest, members);
            Accumulate(RowSoftmax.Of(predictor.PredictAll(held, run.Cancellation), Classes), ofHeld, members);
        }

        double together = Accuracy(ofTest, test);
        run.Figure("accuracy of a single network, in the mean", accuracy);
        run.Require(new Goal("accuracy of all together", run.Quick ? 0.65 : 0.91), together);
        run.Require(new Goal("accuracy gained by all together", run.Quick ? -0.01 : 0.001), together - accuracy);
        run.Figure("calibration error of a single network, in the mean", error);
        run.Figure("calibration error of all together", Measure(ofTest, test).ExpectedError);

        float temperature = Calibration.FitTemperature(Logits(ofHeld), held.Labels());
        run.Figure("temperature", temperature);
        Calibration calibrated = Measure(RowSoftmax.Of(Logits(ofTest), Classes, temperature), test);
        run.Figure("calibration error of all together at this temperature", calibrated.ExpectedError);
        run.Say(calibrated.ToString());
        run.Keep("reliability.txt", $"{calibrated}\n");
        return calibrated.ExpectedError / error;
    }

    private static Predictor Train(ScriptRun run, Dataset train, int member)
    {
        int epochs = run.Pick(6, 2);
        var model = new Sequential(
            new Conv2D(32, 3, Activation.ReLU), new MaxPool2D(2), new Conv2D(64, 3, Activation.ReLU), new MaxPool2D(2),
            new Flatten(), new Dense(128, Activation.ReLU), new Dense(Classes));

        // Far from the next run's seeds, so that two ensembles share no member.
        ulong seed = (run.Seed * 1000) + (ulong)member;
        model.Build(new Shape(28, 28, 1), seed);
        int steps = Steps.Of(train.Count, Batch, epochs);
        var optimizer = new AdamW(LearningRate) { Schedule = Schedule.OneCycle(LearningRate, steps) };
        using (var trainer = new Trainer(model, run.Device, Loss.SparseCrossEntropy, optimizer, seed))
        {
            trainer.Fit(
                train, epochs, Batch, callbacks: run.Watch($"network {member + 1}", epochs), cancellationToken: run.Cancellation);
        }

        return model.CreatePredictor(run.Device);
    }

    /// <summary>The logarithms of shares: what softmax makes them of.</summary>
    private static float[] Logits(float[] shares) => Array.ConvertAll(shares, share => MathF.Log(Math.Max(share, 1e-12f)));

    private static void Accumulate(float[] shares, float[] sum, int members) =>
        TensorPrimitives.MultiplyAdd(shares, 1f / members, sum, sum);

    private static Calibration Measure(float[] shares, Dataset data)
    {
        var calibration = new Calibration();
        calibration.Add(shares, data.Labels());
        return calibration;
    }

    private static double Accuracy(float[] shares, Dataset data) => (double)data.Labels()
        .Where((label, i) => TensorPrimitives.IndexOfMax(shares.AsSpan(i * Classes, Classes)) == label).Count() / data.Count;
}
