using System.Xml.Linq;
using FastNN.Data;
using FastNN.Explain;
using FastNN.Imaging;
using FastNN.Plots;
using ScottPlot;

namespace FastNN.Users.Tests.Plots;

/// <summary>Every figure: its files are whole, it shows something, its axes hold the data, and bad input is named.</summary>
internal sealed class PlotTests
{
    private static readonly EpochResult[] Epochs =
    [
        new EpochResult { Epoch = 1, Loss = 2, ValidationLoss = 1.5, Accuracy = 0.4, ValidationAccuracy = 0.5 },
        new EpochResult { Epoch = 2, Loss = 1, ValidationLoss = 1.2, Accuracy = 0.7, ValidationAccuracy = 0.6 },
        new EpochResult { Epoch = 3, Loss = 0.5, ValidationLoss = 1.3, Accuracy = 0.9, ValidationAccuracy = 0.65 },
    ];

    private string _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("fastnn-plots-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Files_have_the_size_that_was_asked_for()
    {
        using Figure figure = TrainingPlots.Loss(Epochs);
        string png = Path.Combine(_folder, "loss.png"), svg = Path.Combine(_folder, "loss.svg");
        figure.Save(png, 640, 360);
        figure.Save(svg, 640, 360);
        var image = RgbImage.Load(png);
        XElement root = XDocument.Load(svg).Root!;
        Assert.Multiple(() =>
        {
            Assert.That((image.Width, image.Height), Is.EqualTo((640, 360)));
            Assert.That(
                (root.Name.LocalName, (string?)root.Attribute("width"), (string?)root.Attribute("height")),
                Is.EqualTo(("svg", "640", "360")));
            Assert.That(Directory.GetFiles(_folder), Has.Length.EqualTo(2), "no temporary file is left");
        });
    }

    [Test]
    public void Wrong_files_and_sizes_are_named()
    {
        using Figure figure = TrainingPlots.Loss(Epochs);
        Assert.Multiple(() =>
        {
            Assert.That(
                () => figure.Save(Path.Combine(_folder, "loss.jpg")),
                Throws.ArgumentException.With.Message.Contains("ends in .png or .svg"));
            Assert.That(
                () => figure.Save(Path.Combine(_folder, "loss.png"), width: 8),
                Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("16 to 16384 pixels, got 8"));
            Assert.That(
                () => figure.Save(Path.Combine(_folder, "nowhere", "loss.png")),
                Throws.InstanceOf<IOException>().With.Message.Contains("does not exist"));
        });
    }

    [Test]
    public void Curves_of_epochs_hold_every_epoch()
    {
        using Figure loss = TrainingPlots.Loss(Epochs), accuracy = TrainingPlots.Accuracy(Epochs);
        AssertShows(loss, 1, 3, 0.5, 2);
        AssertShows(accuracy, 1, 3, 0.4, 0.9);
        Assert.Multiple(() =>
        {
            Assert.That(() => TrainingPlots.Loss([]), Throws.ArgumentException.With.Message.Contains("at least one epoch"));
            Assert.That(
                () => TrainingPlots.Metric(Epochs, "F1"),
                Throws.ArgumentException.With.Message.Contains("expected epochs with F1").And.Message.Contains("accuracy, loss"));
        });
    }

    [Test]
    public void Losses_of_steps_leave_out_what_is_not_finite()
    {
        using Figure figure = TrainingPlots.Steps([3, 2, float.NaN, 1, float.PositiveInfinity, 0.5f]);
        AssertShows(figure, 1, 6, 0.5, 3);
        Assert.That(
            () => TrainingPlots.Steps([float.NaN]), Throws.ArgumentException.With.Message.Contains("at least one finite loss"));
    }

    [Test]
    public void A_search_for_a_learning_rate_is_drawn_from_its_lowest_to_its_highest_rate()
    {
        using var device = Device.Cpu(1);
        var model = new Sequential(new Dense(2));
        model.Build([2], seed: 1);
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Sgd(0.1f), seed: 1);
        LearningRateSearch search = LearningRateSearch.Run(trainer, Points(64), 16, 1e-3f, 1, steps: 30);
        using Figure figure = TrainingPlots.LearningRates(search);
        AssertShows(figure, -3, 0, search.Steps.Min(step => step.Smoothed), search.Steps[0].Smoothed);
    }

    [Test]
    public void A_confusion_matrix_has_its_names_and_counts()
    {
        var confusion = new ConfusionMatrix(["cat", "dog", "a name that is far too long for an axis"]);
        confusion.AddScores([0, 1, 2, 2], [5, 0, 0, 0, 5, 0, 0, 0, 5, 5, 0, 0]);
        using Figure figure = ClassificationPlots.Confusion(confusion);
        AssertShows(figure, 0, 2, 0, 2);
        Assert.That(Svg(figure), Does.Contain("cat").And.Contain("75 % right"));
        Assert.That(
            () => ClassificationPlots.Confusion(new ConfusionMatrix(2)),
            Throws.ArgumentException.With.Message.Contains("nothing was counted"));
    }

    [Test]
    public void Curves_of_scores_show_their_areas()
    {
        float[] scores = [0.1f, 0.4f, 0.35f, 0.8f];
        int[] labels = [0, 0, 1, 1];
        using Figure roc = ClassificationPlots.Roc([("net", new RocCurve(scores, labels))]);
        using Figure precision = ClassificationPlots.PrecisionRecall([("net", new PrecisionRecallCurve(scores, labels))]);
        AssertShows(roc, 0, 1, 0, 1);
        AssertShows(precision, 0, 1, 0, 1);
        Assert.Multiple(() =>
        {
            Assert.That(Svg(roc), Does.Contain("area 0.75"));
            Assert.That(Svg(precision), Does.Contain("0.8333"));
            Assert.That(() => ClassificationPlots.Roc([]), Throws.ArgumentException.With.Message.Contains("at least one curve"));
        });
    }

    [Test]
    public void Calibration_shows_the_bins_that_have_predictions()
    {
        var calibration = new Calibration(5);
        calibration.Add([0.9f, 0.1f, 0.3f, 0.7f, 0.55f, 0.45f], [0, 0, 0]);
        using Figure figure = ClassificationPlots.Reliability(calibration);
        AssertShows(figure, 0, 1, 0, 1);
        Assert.That(
            () => ClassificationPlots.Reliability(new Calibration()),
            Throws.ArgumentException.With.Message.Contains("at least one prediction"));
    }

    [TestCase(1)]
    [TestCase(3)]
    [TestCase(4)]
    public void Filters_have_a_tile_each(int channels)
    {
        float[] weights = Wave(3 * 3 * channels * 6);
        using Figure figure = NetworkPlots.Filters(weights, [3, 3, channels, 6]);
        AssertShows(figure);
        using Figure one = NetworkPlots.Filters(weights, [3, 3, channels, 6], channel: 0);
        Assert.Multiple(() =>
        {
            Assert.That(one.Panels[0].GetPlottables<ScottPlot.Plottables.Heatmap>().Count(), Is.EqualTo(6));
            Assert.That(
                () => NetworkPlots.Filters(Wave(5), [3, 3, channels, 6]),
                Throws.InstanceOf<ShapeException>().With.Message.Contains("[H, W, C, filters], got 5 values"));
            Assert.That(
                () => NetworkPlots.Filters(Wave(9 * channels * 6), [3, 3, channels, 6], channel: channels),
                Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("expected a channel from 0 to"));
        });
    }

    [Test]
    public void Feature_maps_and_attention_fit_their_shapes()
    {
        using Figure maps = NetworkPlots.FeatureMaps(Wave(7 * 5 * 10), [7, 5, 10]);
        AssertShows(maps);
        float[] weights = [1, 0, 0, 0.5f, 0.5f, 0, 0.2f, 0.3f, 0.5f];
        using Figure attention = NetworkPlots.Attention(weights, [3, 3], ["the", "quick", "fox"]);
        AssertShows(attention, 0, 2, 0, 2);
        using Figure heads = NetworkPlots.Attention([.. weights, .. weights], [2, 3, 3]);
        AssertShows(heads, 0, 2, 0, 2);
        Assert.Multiple(() =>
        {
            Assert.That(heads.Panels, Has.Count.EqualTo(2));
            Assert.That(Svg(attention), Does.Contain("quick"));
            Assert.That(
                () => NetworkPlots.FeatureMaps([float.NaN, 1], [1, 2, 1]),
                Throws.ArgumentException.With.Message.Contains("expected finite numbers, got NaN"));
            Assert.That(
                () => NetworkPlots.Attention([2, 0], [1, 2]),
                Throws.ArgumentException.With.Message.Contains("expected weights from 0 to 1, got 2 at position 0"));
            Assert.That(
                () => NetworkPlots.Attention(weights, [3, 3], ["one"]),
                Throws.InstanceOf<ShapeException>().With.Message.Contains("3 labels of queries"));
        });
    }

    [Test]
    public void Weights_have_a_histogram_for_each_parameter()
    {
        var model = new Sequential(new Dense(8, Activation.ReLU), new Dense(2));
        model.Build([5], seed: 1);
        using Figure figure = NetworkPlots.Weights(model);
        AssertShows(figure);
        Assert.That(figure.Panels, Has.Count.EqualTo(4));
        Assert.That(
            () => NetworkPlots.Weights(new Sequential(new Flatten())),
            Throws.ArgumentException.With.Message.Contains("built model"));
    }

    [Test]
    public void Examples_become_points_of_a_plane()
    {
        float[] data = Wave(40 * 6);
        int[] labels = [.. Enumerable.Range(0, 40).Select(i => i % 3)];
        using Figure principal = EmbeddingPlots.Principal(data, 6, labels, ["a", "b", "c"]);
        float[] places = PrincipalComponents.Fit(data, 6).Transform(data);
        AssertShows(
            principal, places.Where((_, i) => i % 2 == 0).Min(), places.Where((_, i) => i % 2 == 0).Max(),
            places.Where((_, i) => i % 2 == 1).Min(), places.Where((_, i) => i % 2 == 1).Max());
        using Figure neighbors = EmbeddingPlots.Neighbors(
            data, 6, labels, options: new TSneOptions { Perplexity = 5, Iterations = 250 });
        AssertShows(neighbors);
        Assert.Multiple(() =>
        {
            Assert.That(Svg(principal), Does.Contain("% of the variance"));
            Assert.That(
                () => EmbeddingPlots.Points([1, 2, 3, 4], [0, 5], ["a", "b"]),
                Throws.ArgumentException.With.Message.Contains("label 5 is out of range 0..1"));
            Assert.That(
                () => EmbeddingPlots.Points([1, 2, 3]), Throws.ArgumentException.With.Message.Contains("got 3 numbers"));
        });
    }

    [Test]
    public void The_example_of_the_page_runs()
    {
        string folder = _folder;
        Dataset train = Points(128), test = Points(64);
        using var device = Device.Cpu(1);
        var model = new Sequential(new Dense(8, Activation.Tanh), new Dense(2));
        using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, new Adam(0.02f), seed: 1);

        History history = trainer.Fit(train, epochs: 3, batchSize: 16, validation: test);
        using Figure curves = TrainingPlots.Loss(history.Epochs);
        curves.Save(Path.Combine(folder, "loss.png"), width: 800, height: 450);
        using Figure confusion = ClassificationPlots.Confusion(trainer.Evaluate(test).Confusion!);
        confusion.Save(Path.Combine(folder, "confusion.svg"));
        using Figure weights = NetworkPlots.Weights(model);
        weights.Panels[0].Title("first layer");
        weights.Save(Path.Combine(folder, "weights.png"));

        Assert.That(Directory.GetFiles(folder), Has.Length.EqualTo(3));
    }

    private static float[] Wave(int count) => [.. Enumerable.Range(0, count).Select(i => MathF.Sin(i * 1.7f) * (1 + (i % 5)))];

    private static Dataset Points(int count)
    {
        var random = new Random(count);
        float[] points = [.. Enumerable.Range(0, 2 * count).Select(_ => (2 * random.NextSingle()) - 1)];
        int[] labels = [.. Enumerable.Range(0, count).Select(i => points[2 * i] > points[(2 * i) + 1] ? 1 : 0)];
        return Dataset.FromFloats(points, [2], labels, classes: 2);
    }

    private static string Svg(Figure figure) => System.Text.Encoding.UTF8.GetString(figure.ToSvg());

    private static void AssertShows(Figure figure, double left, double right, double bottom, double top)
    {
        AssertShows(figure);
        AxisLimits limits = figure.Panels[0].Axes.GetLimits();
        Assert.Multiple(() =>
        {
            Assert.That(limits.Left, Is.LessThanOrEqualTo(left + 1e-6));
            Assert.That(limits.Right, Is.GreaterThanOrEqualTo(right - 1e-6));
            Assert.That(limits.Bottom, Is.LessThanOrEqualTo(bottom + 1e-6));
            Assert.That(limits.Top, Is.GreaterThanOrEqualTo(top - 1e-6));
        });
    }

    /// <summary>Its files can be read, and more than a hundredth of the pixels, of several colors, are not paper.</summary>
    private static void AssertShows(Figure figure)
    {
        var image = RgbImage.Decode(figure.ToPng());
        int[] colors = [.. image.Pixels.ToArray().Chunk(3).Select(pixel => (pixel[0] << 16) | (pixel[1] << 8) | pixel[2])];
        Assert.Multiple(() =>
        {
            Assert.That(colors.Count(color => color != 0xFFFFFF) / (double)colors.Length, Is.GreaterThan(0.01));
            Assert.That(colors.Distinct().Count(), Is.GreaterThan(8));
            Assert.That(() => XDocument.Parse(Svg(figure)), Throws.Nothing);
        });
    }
}
