using System.Numerics.Tensors;
using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>
/// A hundred digits with labels and all others without: what the network is sure of on a slightly moved digit is the target for
/// the same digit strongly changed (FixMatch; Sohn et al., 2020).
/// </summary>
internal sealed class MnistSemi : ScriptedRecipe
{
    private const int LabelsPerDigit = 10, Classes = 10, Known = 50, Guessed = 200;
    private const float Sure = 0.95f;

    private static readonly Shape Image = [28, 28, 1];

    private static readonly IBatchTransform Weak =
        new RandomAffine(10) { Translate = (0.08, 0.08), Resampling = Resampling.Bilinear };

    private static readonly IBatchTransform Strong = new Compose(
        new RandomAffine(25)
        {
            Translate = (0.12, 0.12),
            Scale = (0.75, 1.25),
            ShearX = (-20, 20),
            Resampling = Resampling.Bilinear,
        },
        new RandomErasing(0.5) { Scale = (0.02, 0.15) });

    public override string Name => "mnist-semi";

    public override string Network => "Conv 16 5x5 ReLU, MaxPool 2, Conv 32 3x3 ReLU, MaxPool 2, Dense 128 ReLU, Dense 10";

    public override string DataDescription => "MNIST: 100 training digits with labels, ten of each class, all 60,000 without";

    public override string TrainingDescription =>
        "cross-entropy on 50 labels and 200 guesses above 0.95, AdamW 2e-3 cosine, 600 steps; averaged weights";

    public override Goal Goal => new("test accuracy", 0.95);

    public override Goal QuickGoal => new("test accuracy", 0.75);

    public override IReadOnlyList<string> Files => ["model.safetensors"];

    public override double Run(ScriptRun run)
    {
        DatasetSplit digits = Mnist.Load(run.Data, run.Say);
        var seen = new int[Classes];
        Dataset labelled = digits.Train.Shuffle(run.Seed).Where(digit => seen[digit.Label!.Value]++ < LabelsPerDigit);
        Dataset test = run.Quick ? digits.Test.Take(2000) : digits.Test;
        run.Figure("test accuracy with the 100 labels alone", TrainAlone(run, labelled, test));
        Sequential model = CreateModel();
        model.Build(Image, run.Seed);
        return Train(run, labelled, run.Quick ? digits.Train.Take(10_000) : digits.Train, model, test);
    }

    private static Sequential CreateModel() => new(
        new Conv2D(16, 5, Activation.ReLU), new MaxPool2D(2), new Conv2D(32, 3, Activation.ReLU), new MaxPool2D(2),
        new Flatten(), new Dropout(0.25f), new Dense(128, Activation.ReLU), new Dense(Classes));

    private static double TrainAlone(ScriptRun run, Dataset labelled, Dataset test)
    {
        using var trainer = new Trainer(CreateModel(), run.Device, Loss.SparseCrossEntropy, new Adam(), run.Seed);
        trainer.Fit(labelled, epochs: 100, Known, cancellationToken: run.Cancellation);
        return trainer.Evaluate(test).Accuracy!.Value;
    }

    private static double Train(ScriptRun run, Dataset labelled, Dataset unlabelled, Layer model, Dataset test)
    {
        int steps = run.Pick(600, 120);
        using var weights = new DeviceWeights(run.Device, model);
        var optimizer = new AdamW(weightDecay: 0.01f)
        {
            Schedule = Schedule.Warmup(50).Then(Schedule.Cosine(2e-3f, steps)),
            Average = WeightAverage.Exponential(run.Quick ? 0.9f : 0.98f),
        };
        using var step = new TrainingStep(weights, s => Record(s, model), [(optimizer, model.Parameters)], run.Seed);
        step.Begin(Image.Prepend(Known), [Known], Image.Prepend(Guessed), Image.Prepend(Guessed));

        // The loaders of one seed give the same digits, moved slightly by one and changed strongly by the other.
        using var known = new DataLoader(labelled, Known, seed: run.Seed, transform: Weak);
        using var moved = new DataLoader(unlabelled, Guessed, seed: run.Seed, dropLast: true, transform: Weak);
        using var changed = new DataLoader(unlabelled, Guessed, seed: run.Seed, dropLast: true, transform: Strong);
        using (ScriptPhase phase = run.Begin("training", steps))
        {
            (int knownEpoch, int epoch) = (0, 0);
            for (int i = 0; i < steps; i++)
            {
                Batch of = Next(known, ref knownEpoch);
                step.Write("known", of.Features);
                step.Write("labels", of.Labels);
                int other = epoch;
                step.Write("moved", Next(moved, ref epoch).Features);
                step.Write("changed", Next(changed, ref other).Features);
                phase.Step(step.Run());
            }
        }

        run.Figure("share of guesses that were trained on", step.ReadMetric("sure"));
        using IDisposable average = step.UseAverage();
        run.Keep("model.safetensors", model, unlabelled);
        using Predictor predictor = model.CreatePredictor(run.Device);
        return Accuracy(predictor, test);
    }

    private static void Record(StepBuilder s, Layer model)
    {
        Value known = s.Input("known", Image.Prepend(Known)), labels = s.Input("labels", [Known], DType.Int32);
        Value guess = model.Apply(s.Input("moved", Image.Prepend(Guessed))).Softmax().StopGradient();
        Value isSure = (guess.Max([-1]) > Sure).Cast(DType.Float32);
        Value changed = model.Apply(s.Input("changed", Image.Prepend(Guessed))).LogSoftmax();
        s.Loss("known", Loss.SparseCrossEntropy.Apply(model.Apply(known), labels));
        s.Loss("guessed", -(isSure * (guess.ArgMax(-1).OneHot(Classes) * changed).Sum([-1])).Mean());
        s.Metric("sure", Metric.From("Sure", (output, _) => output), isSure, isSure);
    }

    /// <summary>The next batch, of the next epoch where one is over.</summary>
    private static Batch Next(DataLoader loader, ref int epoch)
    {
        if (epoch > 0 && loader.TryNext(out Batch batch))
        {
            return batch;
        }

        loader.StartEpoch(++epoch);
        loader.TryNext(out batch);
        return batch;
    }

    private static double Accuracy(Predictor predictor, Dataset test)
    {
        float[] outputs = predictor.Predict(test.Features());
        int right = 0;
        for (int i = 0; i < test.Count; i++)
        {
            ReadOnlySpan<float> row = outputs.AsSpan(i * Classes, Classes);
            right += row.IndexOf(TensorPrimitives.Max(row)) == test.LabelOf(i) ? 1 : 0;
        }

        return right / (double)test.Count;
    }
}
