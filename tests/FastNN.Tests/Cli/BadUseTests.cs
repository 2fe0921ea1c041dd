using System.Text.Json;
using FastNN.Cli.Recipes;
using FastNN.Cli.Running;

namespace FastNN.Tests.Cli;

internal sealed class BadUseTests : CliFixture
{
    private const string Recipe = "breast-cancer-mlp";

    [Test]
    public void Missing_data_is_named()
    {
        AssertFails(Run("train", "mnist-mlp", "--data", At("nowhere")), 1, At("nowhere"));
        AssertFails(Run("train", Recipe, "--data", At("nowhere.csv")), 1, At("nowhere.csv"));
        Directory.CreateDirectory(At("empty"));
        AssertFails(Run("train", "lenet-rgb", "--data", At("empty")), 1, At("empty"));
    }

    [Test]
    public void A_folder_that_cannot_be_written_is_refused_before_training()
    {
        File.WriteAllText(At("file"), "");
        AssertFails(Run("train", Recipe, "--out", At("file")), 1, "a file, not a folder");
        AssertFails(Run("train", Recipe, "--out", Path.Combine(At("file"), "below")), 1, "--out");
    }

    [Test]
    public void A_json_file_that_cannot_be_written_is_refused_before_training()
    {
        AssertFails(Run("train", Recipe, "--json", Path.Combine(At("nowhere"), "run.json")), 1, "the folder does not exist");
        Directory.CreateDirectory(At("folder"));
        AssertFails(Run("train", Recipe, "--json", At("folder")), 1, "a folder, not a file");
        AssertFails(Run("plan", Recipe, "--json", At("folder")), 1, "a folder, not a file");
        using (var made = System.Diagnostics.Process.Start("mkfifo", [At("pipe")]))
        {
            made.WaitForExit();
        }

        AssertFails(Run("train", Recipe, "--json", At("pipe")), 1, "a named pipe (FIFO), not a file");
    }

    [Test]
    public void A_run_that_fails_leaves_no_folder_behind()
    {
        AssertFails(Run("train", Recipe, "--data", At("nowhere.csv"), "--out", At("run")), 1, "nowhere.csv");
        Assert.That(Directory.Exists(At("run")), Is.False);
    }

    [Test]
    public void Weights_that_are_missing_damaged_or_foreign_are_refused()
    {
        Run("train", Recipe, "--epochs", "1", "--out", At("run"));
        string good = Path.Combine(At("run"), "weights.safetensors");
        byte[] bytes = File.ReadAllBytes(good);
        File.WriteAllBytes(At("short"), bytes[..^5]);
        File.WriteAllText(At("text"), "these are no weights");
        File.WriteAllBytes(At("none"), []);
        Assert.Multiple(() =>
        {
            AssertFails(Run("evaluate", Recipe, "--weights", At("nowhere")), 1, "nowhere");
            AssertFails(Run("evaluate", Recipe, "--weights", At("short")), 1, "short");
            AssertFails(Run("evaluate", Recipe, "--weights", At("text")), 1, "text");
            AssertFails(Run("evaluate", Recipe, "--weights", At("none")), 1, "none");
            AssertFails(Run("evaluate", "mnist-mlp", "--weights", good), 1, "weights.safetensors");
        });
    }

    [Test]
    public void A_checkpoint_that_is_missing_damaged_or_of_another_run_is_refused()
    {
        Run("train", Recipe, "--epochs", "1", "--out", At("run"));
        string checkpoint = Path.Combine(At("run"), "checkpoint.safetensors");
        File.WriteAllBytes(At("short"), File.ReadAllBytes(checkpoint)[..^5]);
        Assert.Multiple(() =>
        {
            AssertFails(Run("train", Recipe, "--resume", At("nowhere")), 1, "there is no checkpoint");
            AssertFails(Run("train", Recipe, "--resume", At("short")), 1, "short");
            AssertFails(Run("train", Recipe, "--resume", Path.Combine(At("run"), "weights.safetensors")), 1, "checkpoint");
            AssertFails(Run("train", Recipe, "--resume", checkpoint, "--batch", "16"), 1, "--batch 32");
            AssertFails(Run("train", Recipe, "--resume", checkpoint, "--lr", "0.01"), 1, "--lr 0.001");
            AssertFails(Run("train", Recipe, "--resume", checkpoint, "--limit", "99"), 1, "455 training examples");
            AssertFails(Run("train", Recipe, "--resume", checkpoint, "--seed", "5"), 1, "seed 5");
        });
    }

    [Test]
    public void A_loss_that_is_no_number_ends_the_run_with_one_line_and_no_weights()
    {
        CliResult result = Run("train", Recipe, "--lr", "1e30", "--out", At("run"), "--json", At("run.json"));
        Assert.Multiple(() =>
        {
            Assert.That(result.Code, Is.EqualTo(1));
            Assert.That(result.Error, Does.StartWith("fastnn: ").And.Contain("loss is").And.Contain("step"));
            Assert.That(File.Exists(At("run.json")), Is.False);
            Assert.That(File.Exists(Path.Combine(At("run"), "weights.safetensors")), Is.False);
        });
    }

    [TestCase("1")]
    [TestCase("2")]
    public void A_limit_that_leaves_nothing_to_validate_on_is_refused(string limit) =>
        AssertFails(
            Run("train", Recipe, "--limit", limit), 1,
            $"--limit {limit}: {Recipe} holds out 20 % of the training examples for validation and needs at least 3 examples, got {limit}");

    [Test]
    public void The_least_limit_trains() => Assert.That(Run("train", Recipe, "--limit", "3", "--epochs", "1").Code, Is.Zero);

    [TestCase("\n")]
    [TestCase("\r\n")]
    [TestCase("\r")]
    public void A_table_has_any_line_end(string end)
    {
        IEnumerable<string> rows = Enumerable.Range(1, 60).Select(
            row => string.Join(',', Enumerable.Range(0, 30).Select(column => row * column % 7)) + $",{row % 2}");
        string header = string.Join(',', Enumerable.Range(0, 30).Select(column => $"f{column}")) + ",class";
        File.WriteAllText(At("table.csv"), string.Join(end, rows.Prepend(header)));
        CliResult result = Run("train", Recipe, "--epochs", "1", "--data", At("table.csv"));
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(result.Output, Does.Contain("48 training and 12 test examples"));
    }

    [Test]
    public void Data_of_another_shape_is_refused()
    {
        string table = string.Concat(Enumerable.Range(0, 20).Select(row => $"{row},{row * row},{row % 2}\n"));
        File.WriteAllText(At("table.csv"), table);
        AssertFails(
            Run("train", Recipe, "--data", At("table.csv")), 1,
            $"--data {At("table.csv")}: the examples have shape [2], {Recipe} takes examples of shape [30]");
        WriteDigits(32, 7);
        AssertFails(
            Run("train", "mnist-mlp", "--data", At("digits")), 1,
            "the examples have shape [7, 7, 1], mnist-mlp takes examples of shape [28, 28, 1]");
    }

    [TestCase(
        "plan", "mnist-cnn", "1000000",
        "--batch 1000000: layer 0 (Conv2D): Conv2D: an output of shape [1000000, 26, 26, 32] has 21,632,000,000 elements and would take 86,528,000,000 bytes")]
    [TestCase("plan", "mnist-cnn", "1048576", "--batch 1048576: layer 0 (Conv2D)")]
    public void A_batch_that_no_tensor_holds_is_told_with_its_bytes(string command, string recipe, string batch,
        string message) =>
        AssertFails(Run(command, recipe, "--batch", batch), 1, message);

    [Test]
    public void A_batch_that_this_machine_has_no_memory_for_is_refused_before_it_is_allocated()
    {
        using Device device = Device.Cpu(1);
        Assert.That(
            () => Planning.RequireMemory(new MemoryPlan(1L << 60, 0, []), 1000, device),
            Throws.TypeOf<FastNN.Cli.CliException>().With.Message.StartsWith(
                "--batch 1000: a step needs 1,152,921,504,606,846,976 bytes, this machine has "));
        Assert.That(() => Planning.RequireMemory(new MemoryPlan(1 << 20, 0, []), 1000, device), Throws.Nothing);
    }

    [Test]
    public void Commands_on_one_network_refuse_recipes_that_are_programs()
    {
        string script = RecipeBook.All.OfType<ScriptedRecipe>().First().Name;
        AssertFails(Run("plan", script), 2, $"plan takes the recipes that train one network on examples; {script} is");
        AssertFails(Run("train", script, "--epochs", "2"), 2, $"--epochs: {script} is a program of its own");
        AssertFails(Run("train", script, "--resume", "x"), 2, $"--resume: {script} is a program of its own");
    }

    [Test]
    public void Figures_that_are_not_finite_do_not_lose_the_json()
    {
        var confusion = new ConfusionMatrix(2);
        confusion.Add(0, 1);
        Outcome outcome = new Goal("test accuracy", 0.9).Judge(double.NaN);
        Assert.That(outcome.Passed, Is.False);
        var test = new TestResult(new Evaluation { Loss = double.NaN, Confusion = confusion }, outcome);
        var figures = new EvaluationResult(
            "recipe", "cpu", 1, 2, test.Metrics with { TestAccuracy = double.NegativeInfinity }, outcome, "");
        Outputs.WriteJson(At("test.json"), TextWriter.Null, figures, ResultJson.Default.EvaluationResult);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(At("test.json")));
        JsonElement metrics = json.RootElement.GetProperty("metrics");
        Assert.That(metrics.GetProperty("testLoss").GetString(), Is.EqualTo("NaN"));
        Assert.That(metrics.GetProperty("testAccuracy").GetString(), Is.EqualTo("-Infinity"));
    }

    /// <summary>IDX files as MNIST has them, of smaller images.</summary>
    private void WriteDigits(int count, byte size)
    {
        Directory.CreateDirectory(At("digits"));
        foreach (string part in (string[])["train", "t10k"])
        {
            byte[] head = [0, 0, 8, 3, 0, 0, 0, (byte)count, 0, 0, 0, size, 0, 0, 0, size];
            File.WriteAllBytes(
                Path.Combine(At("digits"), $"{part}-images-idx3-ubyte"), [.. head, .. new byte[count * size * size]]);
            File.WriteAllBytes(
                Path.Combine(At("digits"), $"{part}-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, (byte)count, .. new byte[count]]);
        }
    }
}
