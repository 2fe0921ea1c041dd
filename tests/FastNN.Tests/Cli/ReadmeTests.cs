using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using FastNN.Cli.Recipes;
using FastNN.Data;
using NUnit.Framework.Internal;
using Readme;

namespace FastNN.Tests.Cli;

/// <summary>Keeps the README true: its example is the one compiled and run here, its table has all recipes.</summary>
internal sealed partial class ReadmeTests : CliFixture
{
    [Test]
    public void The_first_network_prints_what_the_readme_shows()
    {
        RequireMnist();
        ReadmeFirstNetwork.Run();
        string[] printed = TestExecutionContext.CurrentContext.CurrentResult.Output.Trim().ReplaceLineEndings("\n").Split('\n');
        string[] shown = Block("```text\n").Split('\n');
        Assert.That(
            Array.ConvertAll(printed, line => Number().Replace(line, "#")),
            Is.EqualTo(Array.ConvertAll(shown, line => Number().Replace(line, "#"))));

        // Sums are associated by vector width, so other processors give other digits: a loss within 0.05, an accuracy within 1 %.
        IEnumerable<(double Printed, double Shown)> numbers = Numbers(printed).Zip(Numbers(shown));
        Assert.That(
            numbers.All(pair => Math.Abs(pair.Printed - pair.Shown) <= Math.Max(0.05, 0.01 * pair.Shown)),
            string.Join('\n', printed));
    }

    [Test]
    public void The_readme_shows_the_first_network_with_its_usings()
    {
        string file = Path.Combine(Path.GetDirectoryName(SourcePath())!, nameof(ReadmeFirstNetwork) + ".cs");
        string usings = string.Join(
            '\n', File.ReadAllLines(file).TakeWhile(line => line.StartsWith("using ", StringComparison.Ordinal)));
        Assert.That(Block("```csharp\n"), Is.EqualTo($"{usings}\n\n{Marked(file)}"));
    }

    [Test]
    public void The_commands_to_begin_with_stand_in_its_first_60_lines()
    {
        string beginning = string.Join('\n', Readme().Split('\n').Take(60));
        Assert.That(beginning, Does.Contain("./fastnn train mnist-cnn").And.Contain("./test.sh"));
    }

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
        Assert.That(Readme(), Does.Contain($"```csharp\nusing FastNN;\nusing FastNN.Data;\n\n{Marked(SourcePath())}\n```"));
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

    /// <summary>What stands between the marks, indented as in a program of its own.</summary>
    private static string Marked(string file)
    {
        string[] source = File.ReadAllLines(file);
        int first = Array.FindIndex(source, line => line.Trim() == "// README: from here") + 1;
        int last = Array.FindIndex(source, line => line.Trim() == "// README: to here");
        return string.Join('\n', source[first..last].Select(line => line.Length > 8 ? line[8..] : "")).Trim('\n');
    }

    /// <summary>The README's first block of a kind.</summary>
    private static string Block(string begin)
    {
        string readme = Readme();
        int first = readme.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        return readme[first..readme.IndexOf("\n```", first, StringComparison.Ordinal)];
    }

    private static IEnumerable<double> Numbers(string[] lines) =>
        lines.SelectMany(line => Number().Matches(line)).Select(match => double.Parse(match.Value, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"\d+(\.\d+)?")]
    private static partial Regex Number();

    private static string Readme() =>
        File.ReadAllText(Path.Combine(Path.GetDirectoryName(SourcePath())!, "..", "..", "..", "README.md"));

    private static string SourcePath([CallerFilePath] string path = "") => path;
}
