using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>
/// Features learned without labels: two views of one article are to be nearer to each other than to those of all other articles
/// of a batch (SimCLR; Chen, Kornblith, Norouzi and Hinton, 2020). A linear probe on the frozen features then says what they are
/// worth, beside the same probe on the features of the network before it learned.
/// </summary>
internal sealed class FashionContrastive : ScriptedRecipe
{
    private const int Classes = 10, Batch = 128, Features = 16, LabelsPerClass = 20;
    private const float Temperature = 0.2f;

    private static readonly Shape Image = [28, 28, 1];

    private static readonly Augmentation Views = new Compose(
        new RandomResizedCrop(28) { Scale = (0.6, 1) }, new RandomHorizontalFlip(),
        new ColorJitter(brightness: 0.4, contrast: 0.4));

    public override string Name => "fashion-contrastive";

    public override string Network =>
        "Conv 32, 64, 128, 16 3x3 stride 2 with group norm, average pooling; while it learns, Dense 128 ReLU, Dense 64 behind it";

    public override string DataDescription =>
        "Fashion-MNIST, 60,000 articles without labels; with labels for the probe alone; tested on 10,000";

    public override string TrainingDescription =>
        "symmetric InfoNCE at temperature 0.2 of crops, flips and changed contrast, AdamW one-cycle 3e-3, batch 128, 3 epochs";

    public override Goal Goal => new("accuracy of a linear probe gained by learning", 0.15);

    public override Goal QuickGoal => new("accuracy of a linear probe gained by learning", 0.06);

    public override IReadOnlyList<string> Files => ["encoder.safetensors"];

    public override double Run(ScriptRun run)
    {
        (Dataset train, Dataset test) = FashionMnist.Load(run.Data, run.Say);
        train = train.Take(run.Pick(train.Count, 6_400));
        test = test.Take(run.Pick(test.Count, 2_000));
        Sequential encoder = CreateEncoder();
        var whole = new Sequential(encoder, new Dense(128, Activation.ReLU), new Dense(64));
        encoder.Build(Image, run.Seed);
        whole.Build(Image, run.Seed);
        double before = Probe(run, "untrained", encoder, train, test);
        Learn(run, whole, train);
        run.Keep("encoder.safetensors", encoder);
        return Probe(run, "learned", encoder, train, test) - before;
    }

    private static Sequential CreateEncoder()
    {
        var layers = new List<Layer>();
        foreach (int channels in (ReadOnlySpan<int>)[32, 64, 128, Features])
        {
            layers.Add(new Conv2D(channels, 3) { Stride = 2, Padding = 1 });
            layers.Add(new GroupNorm(8));
            layers.Add(new ActivationLayer(Activation.ReLU));
        }

        return new Sequential([.. layers, new GlobalAvgPool2D()]);
    }

    private static void Learn(ScriptRun run, Layer model, Dataset train)
    {
        int epochs = run.Pick(3, 2);
        using var loader = new DataLoader(train, Batch, seed: run.Seed, dropLast: true);
        int steps = epochs * loader.BatchesPerEpoch, size = train.ExampleSize;
        var optimizer = new AdamW { Schedule = Schedule.OneCycle(3e-3f, steps) };
        using var weights = new DeviceWeights(run.Device, model);
        using var step = new TrainingStep(
            weights,
            s =>
            {
                Value first = model.Apply(s.Input("first", Image.Prepend(Batch)));
                Value second = model.Apply(s.Input("second", Image.Prepend(Batch)));
                s.Loss("contrast", first.InfoNCELoss(second, Temperature, symmetric: true));
            },
            [(optimizer, model.Parameters)]);
        step.Begin(Image.Prepend(Batch), Image.Prepend(Batch));
        using ScriptPhase phase = run.Begin("contrast", steps);
        float[] first = new float[Batch * size], second = new float[Batch * size];
        for (int epoch = 1; epoch <= epochs; epoch++)
        {
            loader.StartEpoch(epoch);
            while (loader.TryNext(out Batch batch))
            {
                for (int i = 0; i < batch.Count; i++)
                {
                    // Views are drawn by seed, epoch and example: the two of an article take epochs of their own.
                    ReadOnlySpan<float> image = batch.Features.Slice(i * size, size);
                    Views.Apply(image, Image, first.AsSpan(i * size, size), run.Seed, (2 * epoch) - 1, batch.Examples[i]);
                    Views.Apply(image, Image, second.AsSpan(i * size, size), run.Seed, 2 * epoch, batch.Examples[i]);
                }

                step.Write("first", first);
                step.Write("second", second);
                phase.Step(step.Run());
            }
        }
    }

    /// <summary>
    /// The accuracy of a linear classifier on the features of a network, which is left as it is; what few labels give is noted.
    /// </summary>
    private static double Probe(ScriptRun run, string name, Layer encoder, Dataset train, Dataset test)
    {
        using Predictor predictor = encoder.CreatePredictor(run.Device);
        Dataset all = Encode(train), tests = Encode(test);
        var seen = new int[Classes];
        Dataset few = all.Shuffle(run.Seed).Where(article => seen[article.Label!.Value]++ < LabelsPerClass);
        run.Figure($"accuracy of a probe of 200 labels, {name} features", Fit(few, epochs: 100));
        double accuracy = Fit(all, epochs: 10);
        run.Figure($"accuracy of a probe, {name} features", accuracy);
        return accuracy;

        Dataset Encode(Dataset data) =>
            Dataset.FromFloats(predictor.PredictAll(data, run.Cancellation), [Features], data.Labels(), Classes);

        double Fit(Dataset labelled, int epochs)
        {
            Standardizer standardizer = Standardizer.Fit(labelled);
            var optimizer = new AdamW { Schedule = Schedule.OneCycle(1e-2f, Steps.Of(labelled.Count, Batch, epochs)) };
            var probe = new Sequential(new Dense(Classes));
            using var trainer = new Trainer(probe, run.Device, Loss.SparseCrossEntropy, optimizer, run.Seed);
            trainer.Fit(standardizer.Apply(labelled), epochs, Batch, cancellationToken: run.Cancellation);
            return trainer.Evaluate(standardizer.Apply(tests)).Accuracy!.Value;
        }
    }
}
