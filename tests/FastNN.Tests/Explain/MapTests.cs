using FastNN.Explain;
using FastNN.Tests.Training;

namespace FastNN.Tests.Explain;

/// <summary>Grad-CAM and occlusion, on networks for which the map is known.</summary>
internal sealed class MapTests : TrainingFixture
{
    /// <summary>
    /// The means of two channels times known weights: the gradient at each place is the weight over the number of places, so the
    /// map is the weighted sum of the channels, clipped.
    /// </summary>
    [Test]
    public void Grad_Cam_of_a_network_whose_channels_are_known()
    {
        var model = new Sequential(
            new Conv2D(2, 1, Activation.ReLU) { Name = "conv" }, new GlobalAvgPool2D(),
            new Dense(2) { Name = "head" });
        model.Build(new Shape(2, 3, 1));
        Write(model, "conv.weight", [1, -1]);
        Write(model, "conv.bias", [0, 0]);
        Write(model, "head.weight", [6, 0, -12, 3]);
        using var explainer = new ModelExplainer(model, Device);
        AttributionMaps maps = explainer.GradCam([1, -2, 3, -4, 5, 0, 0, 0, -1, 2, 0, -0.5f], [0, 1], "conv");
        Assert.Multiple(() =>
        {
            Assert.That(maps.Shape, Is.EqualTo(new Shape(2, 3)));
            Assert.That(maps.Count, Is.EqualTo(2));

            // Class 0: 6/6 of max(x, 0) less 12/6 of max(-x, 0). Class 1: 3/6 of max(-x, 0).
            Assert.That(maps[0].ToArray(), Is.EqualTo(new[] { 1, 0, 3, 0, 5, 0f }).Within(1e-5f));
            Assert.That(maps[1].ToArray(), Is.EqualTo(new[] { 0, 0, 0.5f, 0, 0, 0.25f }).Within(1e-5f));
        });
    }

    [Test]
    public void Grad_Cam_does_not_depend_on_the_batch_and_finds_inner_layers()
    {
        Sequential model = Networks.Image();
        var outer = new Sequential(model, new Dense(2));
        outer.Build(new Shape(8, 8, 2), seed: 1);
        using var explainer = new ModelExplainer(outer, Device);
        using var small = new ModelExplainer(outer, Device, maxBatch: 2);
        float[] x = Networks.Numbers(5 * 128, 6);
        AttributionMaps all = explainer.GradCam(x, [1], "0.last"), few = small.GradCam(x, [1], "0.last");
        Assert.That(all.Shape, Is.EqualTo(new Shape(4, 4)));
        for (int i = 0; i < 5; i++)
        {
            Assert.That(few[i].ToArray(), Is.EqualTo(all[i].ToArray()).Within(1e-5f));
        }

        Assert.That(Enumerable.Range(0, 5).Max(i => all[i].ToArray().Max()), Is.GreaterThan(0), "something is found");
        Assert.That(explainer.Gradients(x, [1]), Is.EqualTo(small.Gradients(x, [1])).Within(1e-5f));
    }

    [Test]
    public void Wrong_layers_are_named()
    {
        var shared = new Dense(4) { Name = "shared" };
        Symbol input = Model.Input("x", new Shape(4));
        var twice = new Model(input, shared.Apply(shared.Apply(input)));
        twice.Build();
        using var of = new ModelExplainer(twice, Device);
        using var explainer = new ModelExplainer(Networks.Image(), Device);
        var x = new float[128];
        Assert.Multiple(() =>
        {
            Assert.That(
                () => explainer.GradCam(x, [0], "con"),
                Throws.ArgumentException.With.Message.Contains("no layer 'con'")
                    .And.Message.Contains("conv, 1, 2, 3, last, pool"));
            Assert.That(
                () => explainer.GradCam(x, [0], "head"),
                Throws.TypeOf<ShapeException>().With.Message.Contains("'head' gives [1, 3]"));
            Assert.That(
                () => of.GradCam(new float[4], [0], "shared"),
                Throws.InvalidOperationException.With.Message.Contains("applied 2 times"));
        });
    }

    /// <summary>A linear model loses what the filled pixels gave; each pixel has the mean over its windows.</summary>
    [Test]
    public void Occlusion_of_a_linear_model_is_known()
    {
        using var explainer = new ModelExplainer(Networks.Linear(4, [1, 10, 100, 1000], [5]), Device);
        AttributionMaps maps = explainer.Occlusion(
            [1, 2, 3, 4, 0, 0, 0, 0], [0], new OcclusionOptions { Window = [2], Stride = [1], Fill = [1] });

        // Windows lose 0 + 10, 10 + 200 and 200 + 3000.
        Assert.That(maps[0].ToArray(), Is.EqualTo(new[] { 10, 110, 1705, 3200f }));
        Assert.That(maps[1].ToArray(), Is.EqualTo(new[] { -11, -60.5f, -605, -1100 }));
    }

    [Test]
    public void Occlusion_finds_a_spot()
    {
        // The score is the largest sum of a 3x3 window, in both channels.
        var model = new Sequential(
            new Conv2D(1, 3) { UseBias = false, Name = "sum" }, new GlobalMaxPool2D());
        model.Build(new Shape(12, 10, 2));
        Write(model, "sum.weight", [.. Enumerable.Repeat(1f, 18)]);
        var image = new float[240];
        for (int i = 0; i < 9; i++)
        {
            image[((((6 + (i / 3)) * 10) + 3 + (i % 3)) * 2) + 1] = 1;
        }

        using var explainer = new ModelExplainer(model, Device, maxBatch: 7);
        AttributionMaps maps = explainer.Occlusion(image, [0], new OcclusionOptions { Window = [3, 3], Stride = [1, 1] });
        float[] map = maps[0].ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(maps.Shape, Is.EqualTo(new Shape(12, 10)));
            Assert.That(Array.IndexOf(map, map.Max()), Is.EqualTo(74), "its center, row 7 and column 4");
            Assert.That(map.Where((_, i) => i / 10 < 4 || i % 10 > 7), Is.All.EqualTo(0), "far away");
            Assert.That(map.Where((_, i) => i / 10 is >= 6 and <= 8 && i % 10 is >= 3 and <= 5), Is.All.GreaterThan(1));
        });
    }

    [Test]
    public void Windows_cover_every_place_and_end_with_the_axis()
    {
        int[][] windows = OcclusionWindows.Of(new Shape(5, 4), new OcclusionOptions { Window = [3, 2], Stride = [2, 2] });
        Assert.That(windows.Select(window => window[0]), Is.EqualTo(new[] { 0, 2, 8, 10 }));
        Assert.That(windows[3], Is.EqualTo(new[] { 10, 11, 14, 15, 18, 19 }));
        Assert.That(
            OcclusionWindows.Of(new Shape(6), new OcclusionOptions { Window = [4], Stride = [3] }).Select(window => window[0]),
            Is.EqualTo(new[] { 0, 2 }));
        Assert.That(
            () => OcclusionWindows.Of(new Shape(5, 4), new OcclusionOptions { Window = [5] }),
            Throws.TypeOf<ShapeException>().With.Message.Contains("1 to 4 along axis 1"));
        Assert.That(
            () => OcclusionWindows.Of(new Shape(5, 4), new OcclusionOptions { Window = [2], Stride = [3] }),
            Throws.TypeOf<ShapeException>().With.Message.Contains("every place is covered"));
    }

    [Test]
    public void Maps_are_resized_between_the_centers_of_pixels()
    {
        var maps = new AttributionMaps([0, 4, 8, 12, 1, 1, 1, 1], new Shape(2, 2), 2);
        AttributionMaps large = maps.Resize(4, 4);
        Assert.That(large[0][..8].ToArray(), Is.EqualTo(new[] { 0, 1, 3, 4, 2, 3, 5, 6f }));
        Assert.That(large[1].ToArray(), Is.All.EqualTo(1));
        Assert.That(() => maps[2].Length, Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void Channels_become_one()
    {
        Assert.That(Attributions.MaxOverChannels([1, -3, 2, 0.5f], 2), Is.EqualTo(new[] { 3, 2f }));
        Assert.That(Attributions.SumOverChannels([1, -3, 2, 0.5f], 2), Is.EqualTo(new[] { -2, 2.5f }));
        Assert.That(() => Attributions.MaxOverChannels([1, 2, 3], 2), Throws.TypeOf<ShapeException>());
    }

    private static void Write(Layer model, string name, float[] values) =>
        model.NamedParameters.Single(named => named.Name == name).Parameter.Write(values);
}
