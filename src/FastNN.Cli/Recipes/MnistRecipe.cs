using FastNN.Data;
using FastNN.Tensors;

namespace FastNN.Cli.Recipes;

/// <summary>What the recipes on handwritten digits share.</summary>
internal abstract class MnistRecipe : Recipe
{
    /// <summary>Mean and standard deviation of the training images' grey levels, from 0 to 1.</summary>
    private const float Mean = 0.1307f, Deviation = 0.3081f;

    public override string DataDescription => "MNIST, 60 000 digits of 28x28 to train and 10 000 to test";

    public override Shape ExampleShape => new(28, 28, 1);

    public override RecipeData Load(string? source, Action<string> progress)
    {
        DatasetSplit digits = Mnist.Load(source, progress);
        return new RecipeData(Prepare(digits.Train), Prepare(digits.Test), source is null ? "MNIST" : $"digits of {source}");
    }

    private Dataset Prepare(Dataset digits)
    {
        Dataset standardised = digits.Rescale(1 / Deviation, -Mean / Deviation);
        return Loss.ClassIndices ? standardised : standardised.OneHot();
    }
}
