using System.Runtime.CompilerServices;
using FastNN.Cli.Recipes;
using FastNN.Data;

namespace FastNN.Tests.Cli;

/// <summary>Keeps the README true: its example is the one compiled and run here, its table has all recipes.</summary>
internal sealed class ReadmeTests : CliFixture
{
    [Test]
    public void The_example_runs()
    {
        RequireMnist();
        string before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = Directory.CreateDirectory(At("work")).FullName;
        try
        {
            Example();
            Assert.That(File.Exists("digits.safetensors"));
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }
    }

    [Test]
    public void The_readme_shows_that_very_example()
    {
        string[] source = File.ReadAllLines(SourcePath());
        int first = Array.FindIndex(source, line => line.Trim() == "// README: from here") + 1;
        int last = Array.FindIndex(source, line => line.Trim() == "// README: to here");
        string example = string.Join('\n', source[first..last].Select(line => line.Length > 8 ? line[8..] : ""));
        Assert.That(Readme(), Does.Contain(example.Trim('\n')));
    }

    [Test]
    public void The_readme_has_every_recipe()
    {
        string readme = Readme();
        foreach (Recipe recipe in RecipeBook.All)
        {
            Assert.That(readme, Does.Contain($"`{recipe.Name}`"));
        }
    }

    private static void Example()
    {
        // README: from here
        using var device = Device.Cpu();
        (Dataset train, Dataset test) = Mnist.Load();

        var model = new Sequential(
            new Conv2D(32, kernel: 3, Activation.ReLU),
            new MaxPool2D(2),
            new Flatten(),
            new Dense(10));

        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(1e-3f), seed: 1);
        History history = trainer.Fit(
            train.Take(6000), epochs: 2, batchSize: 64, validationSplit: 0.1, callbacks: [new EarlyStopping(patience: 3)]);
        Console.WriteLine(history.Epochs[^1]);          // epoch 2: loss ..., accuracy ..., validation accuracy ...
        Console.WriteLine(trainer.Evaluate(test));      // loss ..., accuracy ...
        model.Save("digits.safetensors");               // PyTorch's names and layout

        using Predictor predictor = model.CreatePredictor(device);   // immutable: one model, any number of threads
        var image = new float[28 * 28];
        var scores = new float[10];
        test.CopyFeatures(0, image);
        predictor.Predict(image, scores);               // spans in, spans out, nothing allocated
        // README: to here
        Assert.That(scores.Max(), Is.EqualTo(scores[test.LabelOf(0)]));
    }

    private static string Readme() =>
        File.ReadAllText(Path.Combine(Path.GetDirectoryName(SourcePath())!, "..", "..", "..", "README.md"));

    private static string SourcePath([CallerFilePath] string path = "") => path;
}
