using System.Text.Json;
using FastNN.Cli.Recipes;
using FastNN.Formats;

namespace FastNN.Tests.Cli;

/// <summary>Every recipe's short form runs and shows that its network learns.</summary>
[Category("Apart")]
internal sealed class QuickRecipeTests : CliFixture
{
    /// <summary>Their networks have layers of their own, which no other program knows.</summary>
    private static readonly string[] _ofWeights = ["movies", "forecast", "mnist-diffusion", "cmudict-g2p", "translate"];

    private static IEnumerable<string> Names => RecipeBook.All.Select(recipe => recipe.Name);

    [TestCaseSource(nameof(Names))]
    public void A_quick_run_learns(string name)
    {
        // Beside the other test processes a second thread would cost more of the processors than it gains.
        CliResult result = Run("train", name, "--quick", "--threads", "1", "--json", At("run.json"), "--out", At("run"));
        if (result.Code == 1 && result.Error.Contains("; by hand: ", StringComparison.Ordinal))
        {
            Assert.Ignore($"its data cannot be fetched here: {result.Error}");
        }

        Assert.That(result.Code, Is.Zero, result.Error);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(At("run.json")));
        JsonElement json = document.RootElement;
        Assert.That(json.GetProperty("quick").GetBoolean());
        JsonElement outcome = json.GetProperty("outcome");
        Assert.That(outcome.GetProperty("passed").GetBoolean(), $"{outcome}\n{result.Output}");
        Goal goal = RecipeBook.Find(name)!.QuickGoal;
        Assert.That(outcome.GetProperty("wanted").GetDouble(), Is.EqualTo(goal.Wanted));
        AssertKeepsModels(RecipeBook.Find(name)!);
    }

    private void AssertKeepsModels(Recipe recipe)
    {
        string[] names = recipe is ScriptedRecipe script
            ? [.. script.Files.Where(file => file.EndsWith(".safetensors", StringComparison.Ordinal))]
            : ["model.safetensors"];
        foreach (string path in names.Select(file => Path.Combine(At("run"), file)))
        {
            using SafetensorsReader file = SafetensorsReader.Open(path);
            if (_ofWeights.Contains(recipe.Name))
            {
                Assert.That(file.Metadata.Keys, Has.None.EqualTo("fastnn.model"), "it belongs to the others now");
                continue;
            }

            Assert.That(Model.Load(path).Parameters, Is.Not.Empty, path);
            if (recipe is SupervisedRecipe)
            {
                Assert.That(file.Metadata, Contains.Key("fastnn.statistics"));
            }
        }
    }
}
