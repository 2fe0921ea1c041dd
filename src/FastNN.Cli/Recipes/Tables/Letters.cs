using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>A table of numbers, a linear model and a network: the first ten minutes with classes.</summary>
internal sealed class Letters : ScriptedRecipe
{
    public override string Name => "letters";

    public override string Network => "Dense 256 ReLU, Dense 256 ReLU, Dense 26, beside a linear model";

    public override string DataDescription => "UCI letter recognition, 20,000 rows of 16 numbers; the last 4,000 to test";

    public override string TrainingDescription => "sparse cross-entropy, AdamW 3e-3 in one cycle, batch 128, 40 epochs";

    public override Goal Goal => new("test accuracy", 0.965);

    public override Goal QuickGoal => new("test accuracy", 0.75);

    public override IReadOnlyList<string> Files => ["model.safetensors"];

    public override double Run(ScriptRun run)
    {
        DatasetSplit letters = LetterRecognition.Load(run.Data, run.Say, run.Cancellation);
        Dataset train = run.Quick ? letters.Train.Take(6400) : letters.Train;
        Standardizer standardizer = Standardizer.Fit(train);
        (Dataset raw, train, Dataset test) = (train, standardizer.Apply(train), standardizer.Apply(letters.Test));
        int epochs = run.Pick(40, 4);
        double linear = Train(run, "linear model", new Sequential(new Dense(26)), train, test, epochs);
        run.Figure("test accuracy of the linear model", linear);
        var network = new Sequential(new Dense(256, Activation.ReLU), new Dense(256, Activation.ReLU), new Dense(26));
        double accuracy = Train(run, "network", network, train, test, epochs);
        run.Keep("model.safetensors", network, raw, standardizer);
        run.Require(new Goal("gain over the linear model", 0.05), accuracy - linear);
        return accuracy;
    }

    private static double Train(ScriptRun run, string name, Sequential model, Dataset train, Dataset test, int epochs)
    {
        const int Batch = 128;
        int steps = Steps.Of(train.Count, Batch, epochs);
        var optimizer = new AdamW(weightDecay: 0.01f) { Schedule = Schedule.OneCycle(3e-3f, steps) };
        using var trainer = new Trainer(model, run.Device, Loss.SparseCrossEntropy, optimizer, run.Seed);
        trainer.Fit(train, epochs, Batch, callbacks: run.Watch(name, epochs), cancellationToken: run.Cancellation);
        return trainer.Evaluate(test, cancellationToken: run.Cancellation).Accuracy!.Value;
    }
}
