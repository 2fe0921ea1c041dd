using FastNN.Data;
using FastNN.Formats;

namespace FastNN.Users.Tests;

/// <summary>The examples of docs/monitoring.md, as the page shows them, and what they must give.</summary>
internal sealed class MonitoringTests(string kind) : UserFixture(kind)
{
    private string _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("fastnn-monitoring-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Training_is_watched_in_TensorBoard()
    {
        Device device = Device;
        string runs = _folder;
        Dataset train = Points(64, 1), test = Points(32, 2);
        var model = new Sequential(new Dense(8, Activation.Tanh), new Dense(2));

        using var log = new TensorBoardLog(Path.Combine(runs, "first"))
        {
            WithWeights = true,
            WithGradients = true,
            Hyperparameters = new Dictionary<string, Hyperparameter> { ["units"] = 8, ["optimizer"] = "Adam", ["rate"] = 0.02 },
        };
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(0.02f), seed: 1);
        trainer.Fit(train, epochs: 3, batchSize: 16, validation: test, metrics: [Metric.F1], callbacks: [log]);

        string[] folders = [Path.Combine(runs, "first"), Path.Combine(runs, "first", "validation")];
        Assert.That(folders.Select(folder => Directory.GetFiles(folder, "events.out.tfevents.*").Length), Is.All.EqualTo(1));
    }

    [Test]
    public void A_loop_of_ones_own_writes_what_it_wants_to_see()
    {
        string runs = _folder;
        float[] filters = new float[16 * 5 * 5], images = new float[9 * 28 * 28];
        var model = new Sequential(new Dense(8, Activation.Tanh), new Dense(2));
        model.Build([2]);

        using (var writer = new TensorBoardWriter(Path.Combine(runs, "second")))
        {
            writer.AddGraph(model);
            writer.AddText("notes", "Twice the **filters** of the first run.", step: 0);
            for (int step = 1; step <= 100; step++)
            {
                writer.AddScalar("loss/total", 1.0 / step, step);
            }

            writer.AddHistogram("filters", filters, step: 100);
            writer.AddImages("generated", images, [9, 28, 28], step: 100);
        }

        Assert.That(Directory.GetFiles(Path.Combine(runs, "second"), "events.out.tfevents.*"), Has.Length.EqualTo(1));
    }

    [Test]
    public void Images_are_saved_in_a_grid()
    {
        string folder = _folder;
        float[] filters = new float[16 * 5 * 5];

        var grid = new ImageGrid { Scale = 8, Low = null, High = null };
        grid.Save(Path.Combine(folder, "filters.png"), filters, [16, 5, 5]);

        // Four by four filters of 40 by 40 pixels, and five lines between and around them.
        byte[] file = File.ReadAllBytes(Path.Combine(folder, "filters.png"));
        Assert.That(file[16..24], Is.EqualTo(new byte[] { 0, 0, 0, 165, 0, 0, 0, 165 }));
    }

    [Test]
    public void A_model_is_looked_at()
    {
        string folder = _folder;

        var model = new Sequential(
            new Conv2D(8, 3) { Name = "conv" }, new ActivationLayer(Activation.ReLU), new MaxPool2D(2), new Flatten(),
            new Dense(10) { Name = "logits" });
        model.Build([28, 28, 1]);
        Console.WriteLine(model.Summary());
        File.WriteAllText(Path.Combine(folder, "model.md"), model.Summary(SummaryFormat.Markdown));
        File.WriteAllText(Path.Combine(folder, "model.svg"), model.ToSvg());

        Assert.That(model.Summary(), Is.EqualTo(
            """
            path     layer                              output          parameters  trainable   FLOPs  activation bytes
            -----------------------------------------------------------------------------------------------------------
            (model)  Sequential                         [N, 10]
            conv     Conv2D(filters: 8, kernel: 3)      [N, 26, 26, 8]          80  yes        97,344            21,632
            1        ActivationLayer(activation: ReLU)  [N, 26, 26, 8]                          5,408            21,632
            2        MaxPool2D(kernel: 2)               [N, 13, 13, 8]                          5,408             5,408
            3        Flatten                            [N, 1352]
            logits   Dense(units: 10)                   [N, 10]             13,530  yes        27,040                40
            13,610 parameters, 13,610 of them trainable
            135,200 FLOPs and 48,712 activation bytes for one example
            """.ReplaceLineEndings("\n")));
    }

    [Test]
    public void A_training_step_is_measured_operator_by_operator()
    {
        if (Device.Kind != "cpu")
        {
            Assert.Ignore("A GPU's kernels run later than they are launched.");
        }

        string folder = _folder;
        Device device = Device;
        Dataset train = Points(256, 1);
        var model = new Sequential(new Dense(8, Activation.Tanh), new Dense(2));

        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(), seed: 1);
        trainer.Fit(train, epochs: 1);
        SessionProfile profile = trainer.Profile(() => trainer.Fit(train, epochs: 3));
        Console.WriteLine(profile);
        using (FileStream trace = File.Create(Path.Combine(folder, "steps.json")))
        {
            profile.WriteTrace(trace);
        }

        Assert.That(profile.Rows.Select(row => row.Calls), Is.All.EqualTo(3 * 8));
        Assert.That(profile.Rows.Select(row => row.Operator), Does.Contain("Dense + Tanh backward").And.Contain("Adam update"));
    }

    private static Dataset Points(int count, int seed)
    {
        var random = new Random(seed);
        float[] points = [.. Enumerable.Range(0, 2 * count).Select(_ => (2 * random.NextSingle()) - 1)];
        int[] labels = [.. Enumerable.Range(0, count).Select(i => points[2 * i] > points[(2 * i) + 1] ? 1 : 0)];
        return Dataset.FromFloats(points, [2], labels, classes: 2);
    }
}
