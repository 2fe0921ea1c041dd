using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>What a house sells for: regression on a table of numbers and categories.</summary>
internal sealed class HousingRecipe : ScriptedRecipe
{
    public override string Name => "housing";

    public override string Network => "Dense 64 ReLU, Dense 64 ReLU, Dense 1 with dropout, beside a linear model";

    public override string DataDescription =>
        "house sales in Ames, 2,930 rows of 33 numbers and 40 categories; a random fifth to test";

    public override string TrainingDescription =>
        "Huber loss on the logarithm of the price, AdamW 3e-3 in one cycle, batch 64, 60 epochs, five networks averaged";

    public override Goal Goal => new("test RMSE of log10 price", 0.065, AtMost: true);

    public override Goal QuickGoal => new("test RMSE of log10 price", 0.12, AtMost: true);

    public override double Run(ScriptRun run)
    {
        Dataset table = Housing.Load(run.Data, run.Say, run.Cancellation);
        (Dataset train, Dataset test) = LogPrices(table).Split(0.2, seed: 0);
        Standardizer inputs = Standardizer.Fit(train), prices = Standardizer.FitTargets(train);
        (train, Dataset scaled) = (prices.ApplyToTargets(inputs.Apply(train)), inputs.Apply(test));
        int epochs = run.Pick(60, 8), networks = run.Pick(5, 1);
        float[] linear = Train(run, "linear model", new Sequential(new Dense(1)), train, scaled, prices, epochs, run.Seed);
        double linearError = Error(linear, test);
        run.Figure("test RMSE of the linear model", linearError);
        var mean = new float[test.Count];
        for (int i = 0; i < networks; i++)
        {
            FastNN.Model model = BesideLinear(train.ExampleSize);
            float[] own = Train(run, $"network {i + 1}", model, train, scaled, prices, epochs, run.Seed + (ulong)i);
            mean = [.. mean.Zip(own, (a, b) => a + (b / networks))];
        }

        double error = Error(mean, test);
        run.Require(new Goal("share of the linear model's error", run.Quick ? 1.5 : 1, AtMost: true), error / linearError);
        return error;
    }

    /// <summary>A network that adds what a linear model cannot know.</summary>
    private static FastNN.Model BesideLinear(int columns)
    {
        Symbol row = FastNN.Model.Input("row", [columns]);
        Layer[] layers =
        [
            new Dropout(0.2f), new Dense(64, Activation.ReLU), new Dropout(0.3f), new Dense(64, Activation.ReLU),
            new Dropout(0.3f), new Dense(1),
        ];
        Symbol deep = layers.Aggregate(row, (symbol, layer) => layer.Apply(symbol));
        return new FastNN.Model([row], [("price", new Add().Apply(new Dense(1).Apply(row), deep))]);
    }

    private static Dataset LogPrices(Dataset table)
    {
        var targets = new float[table.Count];
        for (int i = 0; i < table.Count; i++)
        {
            table.CopyTarget(i, targets.AsSpan(i, 1));
        }

        return Dataset.FromFloats(
            table.Features(), [table.ExampleSize], Array.ConvertAll(targets, MathF.Log10), [1], table.FeatureNames);
    }

    private static float[] Train(
        ScriptRun run, string name, Layer model, Dataset train, Dataset test, Standardizer prices, int epochs, ulong seed)
    {
        const int Batch = 64;
        int steps = Steps.Of(train.Count, Batch, epochs);
        var optimizer = new AdamW(weightDecay: 0.3f) { Schedule = Schedule.OneCycle(3e-3f, steps) };
        using var trainer = new Trainer(model, run.Device, new HuberLoss(delta: 1), optimizer, seed);
        trainer.Fit(
            train, epochs, Batch, callbacks: run.Watch(name, epochs, lines: false), cancellationToken: run.Cancellation);
        float[] predictions = trainer.Predict(test);
        prices.Invert(predictions);
        return predictions;
    }

    private static double Error(float[] predictions, Dataset test)
    {
        double sum = 0;
        Span<float> target = stackalloc float[1];
        for (int i = 0; i < test.Count; i++)
        {
            test.CopyTarget(i, target);
            sum += (predictions[i] - target[0]) * (double)(predictions[i] - target[0]);
        }

        return Math.Sqrt(sum / test.Count);
    }
}
