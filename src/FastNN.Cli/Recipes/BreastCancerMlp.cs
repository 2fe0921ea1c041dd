using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>A small network on a table.</summary>
internal sealed class BreastCancerMlp : SupervisedRecipe
{
    /// <summary>The test examples must not depend on --seed: `evaluate` has to use those that training never saw.</summary>
    private const ulong SplitSeed = 0;

    public override string Name => "breast-cancer-mlp";

    public override string Network => "Dense 64 ReLU, Dense 64 ReLU, Dense 1 sigmoid";

    public override string DataDescription => "Wisconsin breast cancer, 569 rows of 30 numbers, standardized; a fifth to test";

    public override string TrainingDescription => "binary cross-entropy, Adam 1e-3, batch 32, 20 epochs, validation split 0.2";

    public override Goal Goal => new("test accuracy", 0.95);

    public override Goal QuickGoal => new("test accuracy", 0.80);

    public override int Epochs => 20;

    public override int Batch => 32;

    public override double ValidationSplit => 0.2;

    public override (int Epochs, int Limit) Quick => (8, 400);

    public override Shape ExampleShape => new(30);

    public override Loss Loss => Loss.BinaryCrossEntropy;

    public override Layer CreateModel() => new Sequential(
        new Dense(64, Activation.ReLU), new Dense(64, Activation.ReLU), new Dense(1, Activation.Sigmoid));

    public override RecipeData Load(string? source, Action<string> progress)
    {
        Dataset table = source is null ? BreastCancer.Load() : CsvDataset.Load(source);
        DatasetSplit split = table.Split(0.2, SplitSeed);
        Standardizer standardizer = Standardizer.Fit(split.Train);
        return new RecipeData(
            standardizer.Apply(split.Train).BinaryTargets(), standardizer.Apply(split.Test).BinaryTargets(),
            source ?? "Wisconsin breast cancer")
        {
            Raw = split.Train,
            Standardizer = standardizer,
        };
    }
}
