using FastNN.Formats;

namespace FastNN.Tests.Cli;

/// <summary>One folder, one run: what --out keeps, refuses and deletes.</summary>
internal sealed class RunFolderTests : CliFixture
{
    private static readonly string[] Train = ["train", "breast-cancer-mlp", "--epochs", "2"];

    [Test]
    public void A_second_run_that_writes_to_the_same_folder_is_refused()
    {
        CliResult? second = null;
        using var output = new FirstLineWriter("epoch  1/2", () => second = Run([.. Train, "--out", At("run"), "--overwrite"]));
        using var error = new StringWriter();
        int code = FastNN.Cli.Program.Run([.. Train, "--out", At("run")], output, error);
        Assert.That(code, Is.Zero, error.ToString());
        AssertFails(second!, 1, $"--out {At("run")}: another run is writing to this folder");
        Assert.That(Names(), Is.EquivalentTo(new[]
        {
            ".lock", "checkpoint.safetensors", "log.csv", "model.safetensors", "progress.jsonl", "report.html", "result.json",
            "weights.safetensors",
        }));
        Assert.That(Run([.. Train, "--out", At("run"), "--overwrite"]).Code, Is.Zero, "the lock ends with the run");
    }

    [Test]
    public void A_fresh_run_does_not_touch_the_folder_of_an_earlier_one()
    {
        Assert.That(Run([.. Train, "--out", At("run")]).Code, Is.Zero);
        Dictionary<string, byte[]> before = Content();
        AssertFails(
            Run([.. Train, "--out", At("run"), "--seed", "1"]), 1,
            "the folder holds an earlier run (weights.safetensors, model.safetensors, checkpoint.safetensors, log.csv, result.json, report.html)");
        Assert.That(Content(), Is.EqualTo(before));
    }

    [TestCase("weights.safetensors")]
    [TestCase("model.safetensors")]
    [TestCase("checkpoint.safetensors")]
    [TestCase("log.csv")]
    [TestCase("result.json")]
    [TestCase("report.html")]
    public void A_single_file_of_an_earlier_run_is_enough(string name)
    {
        Directory.CreateDirectory(At("run"));
        File.WriteAllText(Path.Combine(At("run"), name), "precious");
        AssertFails(Run([.. Train, "--out", At("run")]), 1, $"({name}); continue it with --resume, delete it with --overwrite");
        Assert.That(File.ReadAllText(Path.Combine(At("run"), name)), Is.EqualTo("precious"));
    }

    [Test]
    public void Other_files_in_the_folder_are_nobody_s_business()
    {
        Directory.CreateDirectory(At("run"));
        File.WriteAllText(Path.Combine(At("run"), "notes.txt"), "mine");
        Assert.That(Run([.. Train, "--out", At("run")]).Code, Is.Zero);
        Assert.That(File.ReadAllText(Path.Combine(At("run"), "notes.txt")), Is.EqualTo("mine"));
    }

    [Test]
    public void With_overwrite_a_fresh_run_leaves_nothing_of_the_earlier_one()
    {
        Assert.That(Run([.. Train, "--out", At("run")]).Code, Is.Zero);
        CliResult interrupted = RunUntil(
            "epoch  1/9", "train", "breast-cancer-mlp", "--epochs", "9", "--out", At("run"), "--overwrite");
        Assert.That(interrupted.Code, Is.EqualTo(130), interrupted.Error);
        Assert.That(
            Names(), Is.EquivalentTo(new[] { ".lock", "checkpoint.safetensors", "log.csv", "progress.jsonl" }),
            "neither weights nor results of the earlier run");
    }

    [Test]
    public void A_run_that_cannot_begin_deletes_nothing()
    {
        Assert.That(Run([.. Train, "--out", At("run")]).Code, Is.Zero);
        Dictionary<string, byte[]> before = Content();
        AssertFails(Run([.. Train, "--out", At("run"), "--overwrite", "--data", At("nowhere.csv")]), 1, "nowhere.csv");
        AssertFails(Run([.. Train, "--out", At("run"), "--overwrite", "--limit", "1"]), 1, "--limit 1");
        AssertFails(
            Run([.. Train, "--out", At("run"), "--overwrite", "--resume"]), 2,
            "--overwrite deletes the run in --out, which --resume continues");
        Assert.That(Content(), Is.EqualTo(before));
    }

    [Test]
    public void A_run_continued_in_another_folder_does_not_mix_with_what_is_there()
    {
        Assert.That(Run([.. Train, "--out", At("run")]).Code, Is.Zero);
        Assert.That(Run([.. Train, "--out", At("other")]).Code, Is.Zero);
        string checkpoint = Path.Combine(At("other"), "checkpoint.safetensors");
        AssertFails(Run([.. Train, "--out", At("run"), "--resume", checkpoint]), 1, "the folder holds an earlier run");
        Assert.That(
            Run("train", "breast-cancer-mlp", "--epochs", "3", "--out", At("run"), "--resume", checkpoint, "--overwrite").Code,
            Is.Zero);
        Assert.That(File.ReadAllLines(Path.Combine(At("run"), "log.csv")).Skip(1).Select(line => line[0]), Is.EqualTo("3"));
    }

    [Test]
    public void A_checkpoint_names_its_recipe_and_another_recipe_s_is_refused()
    {
        RequireMnist();
        Assert.That(Run("train", "mnist-mlp", "--epochs", "1", "--limit", "64", "--out", At("run")).Code, Is.Zero);
        string checkpoint = Path.Combine(At("run"), "checkpoint.safetensors");
        using (SafetensorsReader reader = SafetensorsReader.Open(checkpoint))
        {
            Assert.That(reader.Metadata.Values, Has.Member("mnist-mlp"));
        }

        // Two recipes of one network, loss and optimizer: nothing but the name tells their checkpoints apart.
        Assert.That(Run("train", "mnist-cnn", "--epochs", "1", "--limit", "64", "--out", At("cnn")).Code, Is.Zero);
        AssertFails(
            Run(
                "train", "mnist-cnn-epochs", "--epochs", "2", "--limit", "64", "--batch", "128", "--resume",
                Path.Combine(At("cnn"), "checkpoint.safetensors")), 1,
            "the checkpoint is of recipe mnist-cnn, this run is of mnist-cnn-epochs");
    }

    [Test]
    public void A_checkpoint_that_has_the_recipe_s_place_in_a_list_is_refused_by_its_version()
    {
        Assert.That(Run([.. Train, "--out", At("run")]).Code, Is.Zero);
        string checkpoint = Path.Combine(At("run"), "checkpoint.safetensors");
        var writer = new SafetensorsWriter();
        using (SafetensorsReader reader = SafetensorsReader.Open(checkpoint))
        {
            foreach ((string key, string value) in reader.Metadata.Where(entry => entry.Value != "breast-cancer-mlp"))
            {
                writer.SetMetadata(key, value);
            }

            foreach (SafetensorsTensor tensor in reader.Tensors)
            {
                writer.Add(tensor.Name, tensor.Shape.ToArray(), reader.ReadSingles(tensor.Name));
            }
        }

        writer.Save(At("old"));
        AssertFails(
            Run("train", "breast-cancer-mlp", "--epochs", "3", "--resume", At("old")), 1,
            "does not name its recipe: it was written by a version of fastnn before 0.2");
    }

    private IEnumerable<string> Names() =>
        Directory.GetFiles(At("run"), "*", SearchOption.AllDirectories).Select(path => Path.GetFileName(path));

    private Dictionary<string, byte[]> Content() =>
        Names().Where(name => name != ".lock")
            .ToDictionary(name => name, name => File.ReadAllBytes(Path.Combine(At("run"), name)));

    /// <summary>Does something once, within the write of a line.</summary>
    private sealed class FirstLineWriter(string text, Action seen) : StringWriter
    {
        private bool _done;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (!_done && value?.Contains(text, StringComparison.Ordinal) == true)
            {
                _done = true;
                seen();
            }
        }
    }
}
