using System.Security.Cryptography;
using System.Text.Json;

namespace FastNN.Tests.Cli;

internal sealed class TrainTests : CliFixture
{
    private const string Recipe = "breast-cancer-mlp";

    [Test]
    public void It_writes_weights_log_checkpoint_and_the_json_with_exactly_its_fields()
    {
        CliResult result = Run(
            "train", Recipe, "--epochs", "3", "--seed", "7", "--threads", "1", "--out", At("run"), "--json", At("run.json"));
        Assert.That(result.Code, Is.Zero, result.Error);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(At("run.json")));
        JsonElement json = document.RootElement;
        string weights = Path.Combine(At("run"), "weights.safetensors");
        Assert.Multiple(() =>
        {
            Assert.That(json.EnumerateObject().Select(field => field.Name), Is.EqualTo(new[]
            {
                "recipe", "device", "threads", "seed", "epochs", "batch", "parameters", "secondsPerEpoch", "imagesPerSecond",
                "planPeakBytes",
                "planLowerBoundBytes", "quick", "outcome", "losses", "metrics", "weightsSha256",
            }));
            Assert.That(json.GetProperty("recipe").GetString(), Is.EqualTo(Recipe));
            Assert.That(json.GetProperty("device").GetString(), Is.EqualTo("cpu"));
            Assert.That(json.GetProperty("threads").GetInt32(), Is.EqualTo(1));
            Assert.That(json.GetProperty("seed").GetUInt64(), Is.EqualTo(7));
            Assert.That(json.GetProperty("epochs").GetInt32(), Is.EqualTo(3));
            Assert.That(json.GetProperty("batch").GetInt32(), Is.EqualTo(32));
            Assert.That(json.GetProperty("parameters").GetInt64(), Is.EqualTo((31 * 64) + (65 * 64) + 65));
            Assert.That(json.GetProperty("secondsPerEpoch").GetDouble(), Is.Positive);
            Assert.That(json.GetProperty("imagesPerSecond").GetDouble(), Is.Positive);
            Assert.That(
                json.GetProperty("planPeakBytes").GetInt64(),
                Is.GreaterThanOrEqualTo(json.GetProperty("planLowerBoundBytes").GetInt64()));
            // 455 rows, a fifth held out: 364 in batches of 32.
            Assert.That(json.GetProperty("losses").GetArrayLength(), Is.EqualTo(3 * 12));
            Assert.That(
                json.GetProperty("weightsSha256").GetString(),
                Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(weights)))));
            JsonElement outcome = json.GetProperty("outcome");
            Assert.That(outcome.GetProperty("name").GetString(), Is.EqualTo("test accuracy"));
            Assert.That(outcome.GetProperty("wanted").GetDouble(), Is.EqualTo(0.95));
            Assert.That(
                outcome.GetProperty("passed").GetBoolean(), Is.EqualTo(outcome.GetProperty("value").GetDouble() >= 0.95));
            JsonElement metrics = json.GetProperty("metrics");
            Assert.That(metrics.GetProperty("testLoss").GetDouble(), Is.Positive);
            Assert.That(
                metrics.GetProperty("perClass").EnumerateArray().Sum(item => item.GetProperty("support").GetInt64()),
                Is.EqualTo(114));
            Assert.That(File.ReadAllLines(Path.Combine(At("run"), "log.csv")), Has.Length.EqualTo(4));
            Assert.That(
                Directory.GetFiles(At("run"), "*", SearchOption.AllDirectories), Has.Length.EqualTo(8),
                "seven files and the lock: no temporary file is left");
        });
    }

    [Test]
    public void The_defaults_reach_the_accuracy_that_the_recipe_promises()
    {
        CliResult result = Run("train", Recipe, "--json", At("run.json"));
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(Accuracy(At("run.json")), Is.GreaterThanOrEqualTo(0.95));
        Assert.That(
            result.Output,
            Does.Contain("precision").And.Contain("malignant").And.Contain("predicted").And.Contain("test accuracy"));
    }

    [Test]
    public void Evaluating_the_weights_gives_the_accuracy_of_the_training()
    {
        Run("train", Recipe, "--epochs", "2", "--seed", "3", "--out", At("run"), "--json", At("train.json"));
        CliResult result = Run(
            "evaluate", Recipe, "--weights", Path.Combine(At("run"), "weights.safetensors"), "--json", At("test.json"));
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(Accuracy(At("test.json")), Is.EqualTo(Accuracy(At("train.json"))));
        Assert.That(Text(At("test.json"), "weightsSha256"), Is.EqualTo(Text(At("train.json"), "weightsSha256")));
    }

    [Test]
    public void The_json_may_go_to_the_standard_output_alone()
    {
        CliResult result = Run("train", Recipe, "--epochs", "1", "--json", "-");
        Assert.That(result.Code, Is.Zero, result.Error);
        using JsonDocument json = JsonDocument.Parse(result.Output);
        Assert.That(json.RootElement.GetProperty("recipe").GetString(), Is.EqualTo(Recipe));
        Assert.That(result.Error, Does.Contain("epoch  1/1"));
    }

    [Test]
    public void One_seed_gives_the_same_weights_twice_and_with_two_threads()
    {
        Run("train", Recipe, "--epochs", "2", "--threads", "1", "--json", At("a.json"));
        Run("train", Recipe, "--epochs", "2", "--threads", "2", "--json", At("b.json"));
        Run("train", Recipe, "--epochs", "2", "--seed", "1", "--json", At("c.json"));
        Assert.That(Text(At("b.json"), "weightsSha256"), Is.EqualTo(Text(At("a.json"), "weightsSha256")));
        Assert.That(Text(At("c.json"), "weightsSha256"), Is.Not.EqualTo(Text(At("a.json"), "weightsSha256")));
    }

    [Test]
    public void A_limit_takes_the_first_examples_only()
    {
        CliResult result = Run("train", Recipe, "--epochs", "1", "--limit", "100", "--batch", "10", "--json", At("run.json"));
        Assert.That(result.Code, Is.Zero, result.Error);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(At("run.json")));
        Assert.That(json.RootElement.GetProperty("losses").GetArrayLength(), Is.EqualTo(8));
    }

    [Test]
    public void A_plan_is_near_its_lower_bound()
    {
        foreach (string recipe in FastNN.Cli.Recipes.RecipeBook.All.OfType<FastNN.Cli.Recipes.SupervisedRecipe>()
            .Select(recipe => recipe.Name))
        {
            CliResult result = Run("plan", recipe, "--json", "-");
            Assert.That(result.Code, Is.Zero, result.Error);
            using JsonDocument json = JsonDocument.Parse(result.Output);
            Assert.That(json.RootElement.GetProperty("ratio").GetDouble(), Is.InRange(1, 1.05), recipe);
            Assert.That(json.RootElement.GetProperty("buffers").GetArrayLength(), Is.Positive, recipe);
        }

        Assert.That(
            Run("plan", "mnist-mlp", "--batch", "7").Output, Does.Contain("a training step of 7").And.Contain("lower bound"));
    }

    private static double Accuracy(string path)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(path));
        return json.RootElement.GetProperty("metrics").GetProperty("testAccuracy").GetDouble();
    }

    private static string Text(string path, string field)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(path));
        return json.RootElement.GetProperty(field).GetString()!;
    }
}
