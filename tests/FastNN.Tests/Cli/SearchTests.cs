namespace FastNN.Tests.Cli;

internal sealed class SearchTests : CliFixture
{
    [Test]
    public void A_search_tries_settings_and_goes_on_with_its_journal()
    {
        string[] search =
        [
            "search", "breast-cancer-mlp", "--epochs", "2", "--threads", "1", "--parallel", "2", "--pruner", "median", "--lr",
            "0.0001..0.01", "--journal", At("journal"),
        ];
        CliResult first = Run([.. search, "--trials", "3"]);
        Assert.That(first.Code, Is.Zero, first.Error);
        Assert.That(first.Output, Does.Contain("best of 3 complete trials").And.Contain("to train with it: fastnn train breast"));
        CliResult second = Run([.. search, "--trials", "5", "--plots", At("plots.html")]);
        Assert.That(second.Code, Is.Zero, second.Error);
        Assert.That(
            File.ReadAllText(At("plots.html")),
            Does.Contain("fastnn search breast-cancer-mlp").And.Contain("held-out accuracy").And.Contain("<svg").And.EndWith(
                "</html>\n"));
        Assert.That(second.Output, Does.Contain("has 3 trials").And.Contain("trial   4/5").And.Contain("best of 5"));
        AssertFails(Run([.. search[..^2], "--journal", At("journal"), "--batch", "2..3"]), 1, "parameter batch was searched in");
    }

    [Test]
    public void Trials_that_fail_say_why()
    {
        CliResult result = Run(
            "search", "breast-cancer-mlp", "--trials", "1", "--data", At("nowhere.csv"), "--journal", At("journal"));
        Assert.That(result.Output, Does.Contain("failed: fastnn: ").And.Contain("nowhere.csv"));
        AssertFails(result, 1, "none of 1 trials was completed");
    }

    [TestCase("--trials: expected a whole number of at least 1", "--trials", "0")]
    [TestCase("--lr: '1' is not two positive numbers", "--lr", "1")]
    [TestCase("--lr: '2..1' is not two positive numbers", "--lr", "2..1")]
    [TestCase("--batch: expected whole numbers", "--batch", "1.5..3")]
    public void Bad_options_are_named(string message, params string[] options) =>
        AssertFails(Run(["search", "breast-cancer-mlp", .. options]), 2, message);

    [Test]
    public void A_share_of_the_training_examples_takes_the_place_of_the_test_data()
    {
        CliResult result = Run("train", "breast-cancer-mlp", "--epochs", "1", "--hold-out");
        Assert.That(result.Code, Is.Zero, result.Error);

        // Of 455 a tenth.
        Assert.That(result.Output, Does.Contain("409 training and 46 test examples"));
    }
}
