using System.Text.Json;
using FastNN.Tests.Formats;

namespace FastNN.Tests.Cli;

/// <summary>`fastnn train` with --tensorboard, --overfit-one-batch and --detect-anomaly.</summary>
internal sealed class TrainFlagsTests : CliFixture
{
    private const string Recipe = "breast-cancer-mlp";

    [Test]
    public void Curves_histograms_hyperparameters_and_the_graph_are_written_for_TensorBoard()
    {
        CliResult result = Run("train", Recipe, "--epochs", "2", "--threads", "1", "--tensorboard", At("board"));
        Assert.That(result.Code, Is.Zero, result.Error);
        string[] tags = Tags(At("board"));
        Assert.Multiple(() =>
        {
            foreach (string tag in (string[])["step/loss", "epoch/accuracy", "weights/0.weight", "gradients/2.bias", "model"])
            {
                Assert.That(tags, Does.Contain(tag));
            }

            Assert.That(tags.Count(tag => tag == "step/loss"), Is.EqualTo(2 * 12));
            Assert.That(tags.Count(tag => tag.StartsWith("_hparams_", StringComparison.Ordinal)), Is.EqualTo(2));
            Assert.That(Tags(Path.Combine(At("board"), "validation")), Does.Contain("epoch/loss"));
        });
        AssertFails(Run("train", Recipe, "--tensorboard", At("board")), 1, "--overwrite");
        Assert.That(
            Run("train", Recipe, "--epochs", "1", "--tensorboard", At("board"), "--overwrite").Code, Is.Zero);
        Assert.That(Tags(At("board")).Count(tag => tag == "step/loss"), Is.EqualTo(12), "the earlier run's are gone");
    }

    [Test]
    public void A_recipe_that_is_a_program_writes_its_figures()
    {
        CliResult result = Run("train", "iris", "--quick", "--threads", "1", "--tensorboard", At("board"));
        Assert.That(result.Code, Is.Zero, result.Error);
        string[] tags = Tags(At("board"));
        Assert.That(tags, Does.Contain("figures/test accuracy of the linear model"));
        Assert.That(
            tags.Count(tag => tag.StartsWith("_hparams_", StringComparison.Ordinal)), Is.EqualTo(2), "it began, and ended well");
    }

    [Test]
    public void One_batch_is_learned_by_heart()
    {
        CliResult result = Run(
            "train", Recipe, "--overfit-one-batch", "--threads", "1", "--json", At("run.json"), "--tensorboard", At("board"));
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(result.Output, Does.Contain("knows the batch by heart"));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(At("run.json")));
        int steps = json.RootElement.GetProperty("steps").GetInt32();
        Assert.Multiple(() =>
        {
            Assert.That(json.RootElement.GetProperty("outcome").GetProperty("passed").GetBoolean(), Is.True);
            Assert.That(json.RootElement.GetProperty("batch").GetInt32(), Is.EqualTo(32));
            Assert.That(json.RootElement.GetProperty("losses").GetArrayLength(), Is.EqualTo(steps));
            Assert.That(Tags(At("board")).Count(tag => tag == "overfit/loss"), Is.EqualTo(steps));
        });
    }

    [Test]
    public void A_network_that_cannot_learn_is_told_so()
    {
        CliResult result = Run("train", Recipe, "--overfit-one-batch", "--threads", "1", "--lr", "1e-9");
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(result.Output, Does.Contain("missed").And.Contain("step 1000").And.Contain("learning rate"));
    }

    [Test]
    public void The_operator_behind_a_loss_that_is_not_finite_is_named()
    {
        string[] train = ["train", Recipe, "--lr", "1e30", "--threads", "1"];
        CliResult plain = Run(train), result = Run([.. train, "--detect-anomaly"]);
        AssertFails(plain, 1, "the loss is NaN at step 2");
        Assert.That(plain.Error, Does.Not.Contain("Dense"));
        AssertFails(result, 1, "The first that is not finite: Dense in layer 1, from numbers in -1e+30");
        AssertFails(
            Run([.. train, "--detect-anomaly", "--overfit-one-batch"]), 1, "The first that is not finite: Dense in layer 1");
    }

    [TestCase("--epochs: --overfit-one-batch", Recipe, "--overfit-one-batch", "--epochs", "3")]
    [TestCase("--out: --overfit-one-batch", Recipe, "--overfit-one-batch", "--out", "x")]
    [TestCase("--overfit-one-batch: iris is a program", "iris", "--overfit-one-batch")]
    [TestCase("--detect-anomaly: iris is a program", "iris", "--detect-anomaly")]
    public void Options_that_do_not_go_together_are_named(string message, params string[] options) =>
        AssertFails(Run(["train", .. options]), 2, message);

    private static string[] Tags(string folder) =>
        [.. EventReader.Values(folder).Select(value => value.Value.Get<string>("tag"))];
}
