using FastNN.Cli.Running;
using FastNN.Data;
using FastNN.Formats;

namespace FastNN.Cli.Recipes;

/// <summary>
/// A classifier that small changes of the pixels deceive, the same network trained on such changes (Madry et al., 2018), and once
/// more, so that its answers are proven to stand whatever the changes are (Gowal et al., 2018).
/// </summary>
internal sealed class MnistAdversarial : ScriptedRecipe
{
    private const float Epsilon = 0.2f;
    private const int Batch = 100, Classes = 10;

    private static readonly Shape Image = [28, 28, 1];
    private static readonly GradientAttack FastGradientSign = GradientAttack.FastGradientSign(Epsilon);

    public override string Name => "mnist-adversarial";

    public override string Network =>
        "Conv 16 4x4 stride 2 ReLU, Conv 32 4x4 stride 2 ReLU, Dense 100 ReLU, Dense 10; trained in three ways";

    public override string DataDescription =>
        "MNIST; every pixel may change by 0.2 of the range from black to white; attacks on 2,000 test digits drawn at random";

    public override string TrainingDescription =>
        "Adam one-cycle, batch 100: 2 epochs plain, 3 on examples of a PGD of 5 steps, 4 with interval bounds";

    public override Goal Goal => new("accuracy under attack (PGD, 40 steps)", 0.85);

    public override Goal QuickGoal => new("accuracy under attack (PGD, 20 steps)", 0.35);

    public override IReadOnlyList<string> Files =>
        ["plain.safetensors", "robust.safetensors", "certified.safetensors", "mnist-adversarial.png"];

    public override double Run(ScriptRun run)
    {
        DatasetSplit digits = Mnist.Load(run.Data, run.Say);
        Dataset train = run.Quick ? digits.Train.Take(5000) : digits.Train;
        Dataset test = digits.Test.Shuffle(run.Seed).Take(run.Pick(2000, 300));
        var attack = new GradientAttack(Epsilon, run.Pick(40, 20), stepSize: 0.02f);
        Sequential plain = CreateModel(run), robust = CreateModel(run), certified = CreateModel(run);

        TrainPlain(run, train, plain);
        run.Keep("plain.safetensors", plain);
        run.Require(
            new Goal("accuracy under attack, plain", 0.3, AtMost: true), Attack(run, "plain", plain, test, attack));

        TrainCertified(run, train, certified);
        run.Keep("certified.safetensors", certified);
        double proven = CountProven(run, certified, test) / test.Count;
        run.Figure("accuracy proven for any change, trained with bounds", proven);

        // No attack may find what was proven not to be there.
        run.Require(
            new Goal("accuracy under attack, trained with bounds", proven),
            Attack(run, "trained with bounds", certified, test, attack));

        TrainRobust(run, train, robust);
        run.Keep("robust.safetensors", robust);
        run.Keep("mnist-adversarial.png", stream => stream.Write(Picture(run, plain, robust, digits.Test, attack)));
        return Attack(run, "trained on attacks", robust, test, attack);
    }

    private static Sequential CreateModel(ScriptRun run)
    {
        var model = new Sequential(
            new Conv2D(16, 4, Activation.ReLU) { Stride = 2, Padding = 1, WeightInitializer = Initializer.HeUniform },
            new Conv2D(32, 4, Activation.ReLU) { Stride = 2, Padding = 1, WeightInitializer = Initializer.HeUniform },
            new Flatten(), new Dense(100, Activation.ReLU), new Dense(Classes));
        model.Build(Image, run.Seed);
        return model;
    }

    private static Trainer CreateTrainer(ScriptRun run, Layer model, Schedule? schedule = null) =>
        new(model, run.Device, Loss.SparseCrossEntropy, new Adam { Schedule = schedule }, run.Seed);

    /// <summary>Notes the accuracy of a network, and gives what an attack on this very network leaves of it.</summary>
    private static double Attack(ScriptRun run, string name, Layer model, Dataset test, GradientAttack attack)
    {
        using Trainer trainer = CreateTrainer(run, model);
        run.Figure($"accuracy, {name}", Accuracy(test));
        run.Figure($"accuracy under FGSM, {name}", Accuracy(FastGradientSign.Apply(trainer, test)));
        return Accuracy(attack.Apply(trainer, test, seed: run.Seed, cancellationToken: run.Cancellation));

        double Accuracy(Dataset data) => trainer.Evaluate(data).Accuracy!.Value;
    }

    private static void TrainPlain(ScriptRun run, Dataset train, Layer model)
    {
        const int Epochs = 2;
        using Trainer trainer = CreateTrainer(run, model, Schedule.OneCycle(3e-3f, Steps.Of(train.Count, Batch, Epochs)));
        trainer.Fit(
            train, Epochs, Batch, callbacks: run.Watch("plain training", Epochs), cancellationToken: run.Cancellation);
    }

    /// <summary>Trains on adversarial examples, which grow during the first third.</summary>
    private static void TrainRobust(ScriptRun run, Dataset train, Layer model)
    {
        const int Epochs = 3;
        using var loader = new DataLoader(train, Batch, seed: run.Seed, dropLast: true);
        int steps = Epochs * loader.BatchesPerEpoch;
        using Trainer trainer = CreateTrainer(run, model, Schedule.OneCycle(5e-3f, steps));
        var moved = new float[Batch * train.ExampleSize];
        using ScriptPhase phase = run.Begin("adversarial training", steps);
        for (int epoch = 1; epoch <= Epochs; epoch++)
        {
            loader.StartEpoch(epoch);
            while (loader.TryNext(out Batch batch))
            {
                float epsilon = Epsilon * Math.Min(1, 3f * (trainer.StepCount + 1) / steps);
                new GradientAttack(epsilon, steps: 5)
                    .Apply(trainer, batch.Features, batch.Labels, moved, run.Seed + (ulong)trainer.StepCount);
                phase.Step(trainer.TrainBatch(moved, batch.Labels));
            }
        }
    }

    /// <summary>Trains on what is worst between bounds, which part during the first half.</summary>
    private static void TrainCertified(ScriptRun run, Dataset train, Layer model)
    {
        int epochs = run.Pick(4, 1);
        using var weights = new DeviceWeights(run.Device, model);
        using var loader = new DataLoader(train, Batch, seed: run.Seed, dropLast: true);
        int steps = epochs * loader.BatchesPerEpoch;
        var optimizer = new Adam { ClipNorm = 5, Schedule = Schedule.OneCycle(3e-3f, steps) };
        using var step = new TrainingStep(
            weights,
            s =>
            {
                Value x = s.Input("x", Image.Prepend(Batch)), labels = s.Input("labels", [Batch], DType.Int32);
                Value epsilon = s.Input("epsilon", [1]), share = s.Input("share", [1]);
                (Value low, Value high) = Bounds(model, x, epsilon);
                Value worst = Loss.SparseCrossEntropy.Apply(IntervalBounds.Worst(low, high, labels), labels);
                s.Loss("loss", (((1 - share) * Loss.SparseCrossEntropy.Apply(model.Apply(x), labels)) + (share * worst)).Mean());
            },
            [(optimizer, model.Parameters)]);
        step.Begin(Image.Prepend(Batch), [Batch], [1], [1]);
        using ScriptPhase phase = run.Begin("training with bounds", steps);
        for (int epoch = 1; epoch <= epochs; epoch++)
        {
            loader.StartEpoch(epoch);
            while (loader.TryNext(out Batch batch))
            {
                // A little more than will be asked for, so that what is proven of training digits is of others as well.
                float part = Math.Min(1, 2f * step.StepCount / steps);
                step.Write("x", batch.Features);
                step.Write("labels", batch.Labels);
                step.Write("epsilon", [1.05f * part * Epsilon]);
                step.Write("share", [part / 2]);
                phase.Step(step.Run());
            }
        }
    }

    private static (Value Low, Value High) Bounds(Layer model, Value x, Value epsilon) =>
        IntervalBounds.Propagate(model, (x - epsilon).Clamp(0, 1), (x + epsilon).Clamp(0, 1));

    /// <summary>How many digits are answered rightly whatever the change of their pixels is.</summary>
    private static double CountProven(ScriptRun run, Layer model, Dataset test)
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([Dim.Batch, .. Image], name: "x"), labels = graph.Input([Dim.Batch], DType.Int32, "labels");
        (Value low, Value high) = Bounds(model, x, graph.Constant(Epsilon));
        Value answers = IntervalBounds.Worst(low, high, labels).ArgMax(-1).Cast(DType.Int32);
        using Session session = graph.Compile(run.Device, [("proven", answers.Equal(labels).Cast(DType.Float32).Sum())]);
        double proven = 0;
        using var loader = new DataLoader(test, Batch, shuffle: false);
        var count = new float[1];
        foreach (Batch batch in loader)
        {
            using SessionRun one = session.Begin(Image.Prepend(batch.Count), [batch.Count]);
            one.Write<float>("x", batch.Features);
            one.Write<int>("labels", batch.Labels);
            one.Compute();
            one.Read<float>("proven", count);
            proven += count[0];
        }

        return proven;
    }

    /// <summary>
    /// A test digit of each class, below it what FGSM and PGD make of it to deceive the plain network, and what PGD makes of it
    /// against the one trained on attacks.
    /// </summary>
    private static byte[] Picture(ScriptRun run, Layer plain, Layer robust, Dataset test, GradientAttack attack)
    {
        int size = test.ExampleSize, row = Classes * size;
        int[] labels = [.. Enumerable.Range(0, Classes)], all = test.Labels();
        var images = new float[4 * row];
        foreach (int digit in labels)
        {
            test.CopyFeatures(Array.IndexOf(all, digit), images.AsSpan(digit * size, size));
        }

        using Trainer ofPlain = CreateTrainer(run, plain), ofRobust = CreateTrainer(run, robust);
        FastGradientSign.Apply(ofPlain, Row(0), labels, Row(1));
        attack.Apply(ofPlain, Row(0), labels, Row(2), run.Seed);
        attack.Apply(ofRobust, Row(0), labels, Row(3), run.Seed);
        return new ImageGrid { Columns = Classes }.Encode(images, Image.Prepend(4 * Classes));

        Span<float> Row(int number) => images.AsSpan(number * row, row);
    }
}
