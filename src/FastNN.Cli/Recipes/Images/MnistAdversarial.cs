using FastNN.Cli.Running;
using FastNN.Data;

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

    public override string Name => "mnist-adversarial";

    public override string Network =>
        "Conv 16 4x4 stride 2 ReLU, Conv 32 4x4 stride 2 ReLU, Dense 100 ReLU, Dense 10; trained in three ways";

    public override string DataDescription => "MNIST; every pixel may change by 0.2 of the range from black to white";

    public override string TrainingDescription =>
        "Adam one-cycle, batch 100: 2 epochs plain, 4 on examples of a PGD of 5 steps, 6 with interval bounds";

    public override Goal Goal => new("accuracy under attack (PGD, 40 steps)", 0.85);

    public override Goal QuickGoal => new("accuracy under attack (PGD, 20 steps)", 0.35);

    public override IReadOnlyList<string> Files => ["plain.safetensors", "robust.safetensors", "certified.safetensors"];

    public override double Run(ScriptRun run)
    {
        DatasetSplit digits = Mnist.Load(run.Data, run.Say);
        Dataset train = run.Quick ? digits.Train.Take(5000) : digits.Train, test = digits.Test.Take(run.Pick(2000, 300));
        var attack = new GradientAttack(Epsilon, run.Pick(40, 20), stepSize: 0.02f);
        Sequential plain = CreateModel(), robust = CreateModel(), certified = CreateModel();
        TrainPlain(run, train, test, plain, attack);
        run.Keep("plain.safetensors", plain);
        certified.Build(Image, run.Seed + 1);
        TrainCertified(run, train, certified);
        run.Keep("certified.safetensors", certified);
        (double answered, double proven) = Certified(run, certified, digits.Test);
        run.Figure("accuracy, trained with bounds", answered);
        run.Figure("accuracy proven under any change, trained with bounds", proven);
        double value = TrainRobust(run, train, test, robust, attack);
        run.Keep("robust.safetensors", robust);
        return value;
    }

    private static Sequential CreateModel() => new(
        new Conv2D(16, 4, Activation.ReLU) { Stride = 2, Padding = 1, WeightInitializer = Initializer.HeUniform },
        new Conv2D(32, 4, Activation.ReLU) { Stride = 2, Padding = 1, WeightInitializer = Initializer.HeUniform },
        new Flatten(), new Dense(100, Activation.ReLU), new Dense(Classes));

    private static Trainer CreateTrainer(ScriptRun run, Layer model, float learningRate, int steps) => new(
        model, run.Device, Loss.SparseCrossEntropy, new Adam { Schedule = Schedule.OneCycle(learningRate, steps) }, run.Seed);

    private static void TrainPlain(ScriptRun run, Dataset train, Dataset test, Layer model, GradientAttack attack)
    {
        const int Epochs = 2;
        using Trainer trainer = CreateTrainer(run, model, 3e-3f, Epochs * train.Count / Batch);
        trainer.Fit(
            train, Epochs, Batch, callbacks: run.Watch("plain training", Epochs), cancellationToken: run.Cancellation);
        Dataset moved = GradientAttack.FastGradientSign(Epsilon).Apply(trainer, test);
        run.Figure("accuracy, plain", trainer.Evaluate(test).Accuracy!.Value);
        run.Figure("accuracy under FGSM, plain", trainer.Evaluate(moved).Accuracy!.Value);
        run.Require(
            new Goal("accuracy under attack, plain", 0.3, AtMost: true),
            trainer.Evaluate(attack.Apply(trainer, test, cancellationToken: run.Cancellation)).Accuracy!.Value);
    }

    /// <summary>Trains on adversarial examples, which grow during the first third.</summary>
    private static double TrainRobust(ScriptRun run, Dataset train, Dataset test, Layer model, GradientAttack attack)
    {
        int epochs = run.Pick(4, 3);
        using var loader = new DataLoader(train, Batch, seed: run.Seed, dropLast: true);
        int steps = epochs * loader.BatchesPerEpoch;
        using Trainer trainer = CreateTrainer(run, model, 5e-3f, steps);
        var moved = new float[Batch * train.ExampleSize];
        using (ScriptPhase phase = run.Begin("adversarial training", steps))
        {
            for (int epoch = 1; epoch <= epochs; epoch++)
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

        run.Figure("accuracy, trained on attacks", trainer.Evaluate(test).Accuracy!.Value);
        return trainer.Evaluate(attack.Apply(trainer, test, cancellationToken: run.Cancellation)).Accuracy!.Value;
    }

    /// <summary>Trains on what is worst between bounds, which part during the first half.</summary>
    private static void TrainCertified(ScriptRun run, Dataset train, Layer model)
    {
        int epochs = run.Pick(6, 2);
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

    /// <summary>
    /// The share of digits that are answered rightly, and of those for which no change of the pixels gives another answer.
    /// </summary>
    private static (double Answered, double Proven) Certified(ScriptRun run, Layer model, Dataset test)
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([Dim.Batch, .. Image], name: "x"), labels = graph.Input([Dim.Batch], DType.Int32, "labels");
        (Value low, Value high) = Bounds(model, x, graph.Constant(Epsilon));
        (string, Value)[] outputs =
            [("answered", IsRight(model.Apply(x))), ("proven", IsRight(IntervalBounds.Worst(low, high, labels)))];
        using Session session = graph.Compile(run.Device, outputs);
        double answered = 0, proven = 0;
        using var loader = new DataLoader(test, Batch, shuffle: false);
        foreach (Batch batch in loader)
        {
            using SessionRun one = session.Begin(Image.Prepend(batch.Count), [batch.Count]);
            one.Write<float>("x", batch.Features);
            one.Write<int>("labels", batch.Labels);
            one.Compute();
            answered += Count(one, "answered");
            proven += Count(one, "proven");
        }

        return (answered / test.Count, proven / test.Count);

        Value IsRight(Value scores) => scores.ArgMax(-1).Cast(DType.Int32).Equal(labels).Cast(DType.Float32).Sum();

        static float Count(SessionRun run, string name)
        {
            var count = new float[1];
            run.Read<float>(name, count);
            return count[0];
        }
    }
}
