using FastNN.Data;
using FastNN.Tensors;

namespace FastNN.Cli.Recipes;

/// <summary>What the recipes on handwritten digits share.</summary>
internal abstract class MnistRecipe : Recipe
{
    public override string DataDescription => "MNIST, 60 000 digits of 28x28 to train and 10 000 to test";

    public override Shape ExampleShape => new(28, 28, 1);

    public override RecipeData Load(string? source, Action<string> progress)
    {
        DatasetSplit digits = Mnist.Load(source, progress);
        bool indices = Loss.ClassIndices;
        return new RecipeData(
            indices ? digits.Train : digits.Train.OneHot(), indices ? digits.Test : digits.Test.OneHot(), source is null ? "MNIST" : $"digits of {source}");
    }
}
