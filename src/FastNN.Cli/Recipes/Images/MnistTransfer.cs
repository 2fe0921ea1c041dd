using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>
/// What features learned on the digits 0 to 4 are worth where there are 100 examples of each of 5 to 9: a head on frozen
/// features, low-rank adapters in the features beside it, and both against a head on features that learned nothing.
/// </summary>
internal sealed class MnistTransfer : ScriptedRecipe
{
    private const int Classes = 5;
    private const int PerClass = 100;
    private const int Batch = 25;

    public override string Name => "mnist-transfer";

    public override string Network =>
        "Conv 32 3x3 ReLU, MaxPool 2, Conv 64 3x3 ReLU, MaxPool 2, Conv 128 3x3 ReLU, MaxPool 2, Flatten, Dense 5";

    public override string DataDescription => "MNIST: digits 0 to 4 for the features, 100 of each of 5 to 9, tested on 5 to 9";

    public override string TrainingDescription =>
        "features: AdamW 1e-3, batch 64, 2 epochs; head, adapters and all others: AdamW with one cycle, batch 25, 20 epochs on 500 digits";

    public override Goal Goal => new("accuracy gained by the features", 0.03);

    public override Goal QuickGoal => new("accuracy gained by the features", 0.01);

    public override IReadOnlyList<string> Files => ["merged.safetensors"];

    public override double Run(ScriptRun run)
    {
        DatasetSplit digits = Mnist.Load(run.Data, run.Say);
        Dataset before = digits.Train.Where(example => example.Label < Classes);
        before = before.Take(run.Pick(before.Count, 5_000));
        Dataset test = Upper(digits.Test);
        var lesson = new Lesson(Few(digits.Train), test.Take(run.Pick(test.Count, 2_000)), run.Pick(20, 5));
        Sequential trained = Build(run.Seed);
        Fit(run, "features", trained, before, epochs: run.Pick(2, 1), batch: 64, new AdamW(1e-3f));

        double untrained = Learn(run, "head from scratch", HeadOn(Build(run.Seed), run.Seed), lesson, 3e-3f);
        double head = Learn(run, "head on features", HeadOn(Copy(trained, Build(run.Seed)), run.Seed), lesson, 3e-3f);
        Learn(run, "all from scratch", Build(run.Seed + 1), lesson, 2e-3f);

        Layer adapted = Adapted(trained, run.Seed);
        double adapters = Learn(run, "adapters and head", adapted, lesson, 5e-3f);
        double share = (double)adapted.Parameters.Where(parameter => parameter.IsTrainable).Sum(parameter => parameter.Count)
            / trained.Parameters.Sum(parameter => parameter.Count);
        run.Require(new Goal("share of weights that the adapters train", 0.05, AtMost: true), share);
        run.Require(new Goal("accuracy gained by adapters", (run.Quick ? QuickGoal : Goal).Wanted), adapters - untrained);
        Merge(run, adapted, lesson.Test, adapters);
        return head - untrained;
    }

    private static Sequential Build(ulong seed, Func<Layer, Layer>? wrap = null)
    {
        wrap ??= layer => layer;
        var model = new Sequential(
            new Conv2D(32, 3, Activation.ReLU), new MaxPool2D(2), wrap(new Conv2D(64, 3, Activation.ReLU)), new MaxPool2D(2),
            wrap(new Conv2D(128, 3, Activation.ReLU) { Padding = Padding2D.Same }), new MaxPool2D(2), new Flatten(),
            new Dense(Classes) { Name = "head" });
        model.Build(new Shape(28, 28, 1), seed);
        return model;
    }

    /// <summary>The network with its features frozen and a new head.</summary>
    private static Sequential HeadOn(Sequential model, ulong seed)
    {
        foreach (NamedParameter named in model.NamedParameters)
        {
            named.Parameter.IsTrainable = IsHead(named);
        }

        return Copy(Build(seed + 1), model, IsHead);
    }

    /// <summary>The network with frozen features, adapters in them, and a new head.</summary>
    private static Sequential Adapted(Sequential trained, ulong seed)
    {
        Sequential model = Build(seed + 1, layer => new LowRankAdapter(layer, rank: 2, alpha: 4));
        foreach (NamedParameter named in model.NamedParameters.Where(named => !IsHead(named) && !IsAdapter(named)))
        {
            named.Parameter.IsTrainable = false;
        }

        return Copy(trained, model, named => !IsHead(named) && !IsAdapter(named));
    }

    private static bool IsHead(NamedParameter named) => named.Name.StartsWith("head.", StringComparison.Ordinal);

    private static bool IsAdapter(NamedParameter named) => named.Name.Contains(".lora_", StringComparison.Ordinal);

    /// <summary>The second network with parameters of the first.</summary>
    private static Sequential Copy(Sequential from, Sequential to, Func<NamedParameter, bool>? which = null)
    {
        from.CopyTo(to, which);
        return to;
    }

    private static double Learn(ScriptRun run, string name, Layer model, Lesson lesson, float learningRate)
    {
        int steps = lesson.Epochs * (lesson.Train.Count / Batch);
        var optimizer = new AdamW(learningRate) { Schedule = Schedule.OneCycle(learningRate, steps) };
        double accuracy = Fit(run, name, model, lesson.Train, lesson.Epochs, Batch, optimizer, lesson.Test);
        run.Figure($"{name}: accuracy", accuracy);
        return accuracy;
    }

    private static double Fit(
        ScriptRun run, string name, Layer model, Dataset data, int epochs, int batch, Optimizer optimizer, Dataset? test = null)
    {
        using var trainer = new Trainer(model, run.Device, Loss.SparseCrossEntropy, optimizer, run.Seed);
        trainer.Fit(
            data, epochs, batch, callbacks: run.Watch(name, epochs, lines: false), cancellationToken: run.Cancellation);
        return test is null ? 0 : trainer.Evaluate(test, cancellationToken: run.Cancellation).Accuracy!.Value;
    }

    /// <summary>The adapters become a part of the weights: the network without them answers as the one with them.</summary>
    private void Merge(ScriptRun run, Layer adapted, Dataset test, double expected)
    {
        Sequential merged = Build(run.Seed);
        LowRankAdapter.Merge(adapted, merged);
        run.Keep(Files[0], merged);
        using var trainer = new Trainer(merged, run.Device, Loss.SparseCrossEntropy, new Sgd(), run.Seed);
        double accuracy = trainer.Evaluate(test, cancellationToken: run.Cancellation).Accuracy!.Value;
        run.Require(
            new Goal("accuracy lost by merging the adapters", 0.001, AtMost: true), Math.Abs(expected - accuracy));
    }

    /// <summary>The first examples of each of the digits 5 to 9, as classes 0 to 4.</summary>
    private static Dataset Few(Dataset digits)
    {
        var taken = new int[2 * Classes];
        return Upper(digits.Where(example => example.Label >= Classes && taken[example.Label!.Value]++ < PerClass));
    }

    /// <summary>The digits 5 to 9 as classes 0 to 4.</summary>
    private static Dataset Upper(Dataset digits)
    {
        Dataset upper = digits.Where(example => example.Label >= Classes);
        return Dataset.FromFloats(
            upper.Features(), upper.ExampleShape, Array.ConvertAll(upper.Labels(), label => label - Classes), Classes);
    }

    private sealed record Lesson(Dataset Train, Dataset Test, int Epochs);
}
