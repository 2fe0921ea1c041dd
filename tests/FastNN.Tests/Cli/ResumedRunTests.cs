using System.Text.Json;

namespace FastNN.Tests.Cli;

internal sealed class ResumedRunTests : CliFixture
{
    private static readonly string[] Table = ["train", "breast-cancer-mlp", "--epochs", "4"];
    private static readonly string[] Digits = ["train", "mnist-cnn", "--epochs", "3", "--limit", "256", "--batch", "32"];
    private static readonly string[] Loop = ["train", "mnist-cnn-small", "--epochs", "3", "--limit", "256"];

    [Test]
    public void A_table_s_run_goes_on_bit_for_bit() => AssertResumes(Table, "epoch  2/4");

    [Test]
    public void A_fitted_run_goes_on_bit_for_bit()
    {
        RequireMnist();
        AssertResumes(Digits, "epoch  1/3");
    }

    [Test]
    public void A_loop_of_its_own_goes_on_bit_for_bit()
    {
        RequireMnist();
        AssertResumes(Loop, "epoch  2/3");
    }

    [TestCase(0)]
    [TestCase(1)]
    public void A_run_interrupted_in_the_midst_of_an_epoch_goes_on_bit_for_bit(int which)
    {
        RequireMnist();
        string[] command = [.. which == 0 ? Digits : Loop];
        command[Array.IndexOf(command, "--limit") + 1] = "3000";
        CliResult whole = Run([.. command, "--json", At("whole.json")]);
        Assert.That(whole.Code, Is.Zero, whole.Error);

        // The instant is chance, the result must not be; where it fell beside the training, another is tried.
        bool within = false;
        foreach (int milliseconds in (int[])[300, 150, 600, 75, 1200])
        {
            CliResult part = RunUntil("test examples", TimeSpan.FromMilliseconds(milliseconds), [.. command, "--out", At("run")]);
            within = part.Code != 0 && File.Exists(Path.Combine(At("run"), "checkpoint.safetensors"));
            if (within)
            {
                break;
            }

            if (Directory.Exists(At("run")))
            {
                Directory.Delete(At("run"), recursive: true);
            }
        }

        Assert.That(within, "no interruption fell into the training");
        AssertGoesOn(command);
    }

    [Test]
    public void A_finished_run_can_be_trained_further()
    {
        Run("train", "breast-cancer-mlp", "--epochs", "4", "--json", At("whole.json"));
        Run("train", "breast-cancer-mlp", "--epochs", "2", "--out", At("run"));
        AssertGoesOn(Table);
    }

    [Test]
    public void An_interruption_without_a_folder_says_that_nothing_is_saved()
    {
        CliResult result = RunUntil("epoch  1/", "train", "breast-cancer-mlp");
        Assert.That(result.Code, Is.EqualTo(130));
        Assert.That(result.Error, Does.Contain("without --out DIR nothing is saved"));
    }

    private void AssertResumes(string[] command, string until)
    {
        CliResult whole = Run([.. command, "--json", At("whole.json")]);
        Assert.That(whole.Code, Is.Zero, whole.Error);
        CliResult part = RunUntil(until, [.. command, "--out", At("run")]);
        Assert.Multiple(() =>
        {
            Assert.That(part.Code, Is.EqualTo(130), part.Error);
            Assert.That(part.Error, Does.Contain("to continue: fastnn train").And.Contain("--resume").And.Contain(At("run")));
            Assert.That(File.Exists(Path.Combine(At("run"), "weights.safetensors")), Is.False);
        });
        AssertGoesOn(command);
    }

    private void AssertGoesOn(string[] command)
    {
        CliResult rest = Run([.. command, "--out", At("run"), "--resume", "--json", At("rest.json")]);
        Assert.That(rest.Code, Is.Zero, rest.Error);
        Assert.That(rest.Output, Does.Contain("resuming"));
        using JsonDocument expected = JsonDocument.Parse(File.ReadAllText(At("whole.json")));
        using JsonDocument got = JsonDocument.Parse(File.ReadAllText(At("rest.json")));
        Assert.Multiple(() =>
        {
            foreach (string field in (string[])["epochs", "losses", "metrics", "weightsSha256"])
            {
                Assert.That(
                    got.RootElement.GetProperty(field).GetRawText(),
                    Is.EqualTo(expected.RootElement.GetProperty(field).GetRawText()), field);
            }
        });
    }
}
