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
}
