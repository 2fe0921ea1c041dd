using System.Text.Json;
using FastNN.Cli.Recipes;

namespace FastNN.Tests.Cli;

/// <summary>Every recipe's short form runs and shows that its network learns.</summary>
[Category("Apart")]
internal sealed class QuickRecipeTests : CliFixture
{
    private static IEnumerable<string> Names => RecipeBook.All.Select(recipe => recipe.Name);

    [TestCaseSource(nameof(Names))]
    public void A_quick_run_learns(string name)
    {
        CliResult result = Run("train", name, "--quick", "--json", At("run.json"));
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
    }
}
