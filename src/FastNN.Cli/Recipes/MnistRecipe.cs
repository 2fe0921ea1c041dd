using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>What the recipes on handwritten digits share.</summary>
internal abstract class MnistRecipe : SupervisedRecipe
{
    public override string DataDescription => "MNIST, 60,000 digits of 28x28 to train and 10,000 to test";

    public override Shape ExampleShape => new(28, 28, 1);

    public override RecipeData Load(string? source, Action<string> progress)
    {
        DatasetSplit digits = Mnist.Load(source, progress);
        return new RecipeData(Prepare(digits.Train), Prepare(digits.Test), source is null ? "MNIST" : $"digits of {source}");
    }

    private Dataset Prepare(Dataset digits) => Loss.ClassIndices ? digits : digits.OneHot();
}
