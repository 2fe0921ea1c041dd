namespace FastNN.Tests.Layers;

/// <summary>Layers of pooling and resizing, with every attribute set, through a model file.</summary>
internal sealed class PoolLayerTests
{
    private static IEnumerable<TestCaseData> Layers => new (Layer Layer, Shape Example, Shape Output)[]
    {
        (new MaxPool1D(3) { Stride = 2, Padding = 1, Dilation = 2, CeilMode = true }, [13, 3], [6, 3]),
        (new AvgPool1D(4) { Stride = 3, Padding = 2, CeilMode = true, CountIncludePad = false }, [13, 3], [5, 3]),
        (
            new MaxPool3D((1, 2, 3)) { Stride = (1, 2, 1), Padding = (0, 1, 1), Dilation = (2, 1, 1), CeilMode = true },
            [4, 5, 6, 2], [4, 3, 6, 2]),
        (new MaxPool3D(2) { Padding = Padding3D.Same }, [5, 4, 3, 2], [3, 2, 2, 2]),
        (
            new AvgPool3D(2) { Padding = Padding3D.Explicit(1, 0, 0, 1, 1, 0), CountIncludePad = false }, [5, 5, 5, 2],
            [3, 3, 3, 2]),
        (new AdaptiveAvgPool1D(3), [7, 2], [3, 2]), (new AdaptiveAvgPool2D((3, 2)), [7, 5, 2], [3, 2, 2]),
        (new AdaptiveAvgPool3D((3, 2, 1)), [7, 5, 3, 2], [3, 2, 1, 2]), (new AdaptiveMaxPool1D(3), [7, 2], [3, 2]),
        (new AdaptiveMaxPool2D((3, 2)), [7, 5, 2], [3, 2, 2]), (new AdaptiveMaxPool3D((3, 2, 1)), [7, 5, 3, 2], [3, 2, 1, 2]),
        (new GlobalAvgPool1D(), [7, 2], [2]), (new GlobalAvgPool3D(keepAxes: true), [7, 5, 3, 2], [1, 1, 1, 2]),
        (new GlobalMaxPool1D(keepAxes: true), [7, 2], [1, 2]), (new GlobalMaxPool2D(), [7, 5, 2], [2]),
        (new GlobalMaxPool3D(), [7, 5, 3, 2], [2]), (new LpPool1D(2, 3) { Stride = 2, CeilMode = true }, [8, 2], [4, 2]),
        (new LpPool2D(2.5f, (2, 3)) { Stride = 1 }, [5, 5, 2], [4, 3, 2]),
        (new LpPool3D(4, 2) { CeilMode = true }, [5, 4, 3, 2], [3, 2, 2, 2]),
        (new Upsample { Size = [5, 7], Mode = InterpolationMode.Cubic, AlignCorners = true }, [3, 3, 2], [5, 7, 2]),
        (
            new Upsample { Scale = [1.1, 2.3], Mode = InterpolationMode.Linear, RecomputeScale = true }, [10, 3, 2],
            [11, 6, 2]),
        (new PixelShuffle(2), [3, 5, 8], [6, 10, 2]), (new PixelUnshuffle(3), [3, 6, 2], [1, 2, 18]),
        (new LocalResponseNorm(3) { Alpha = 0.5f, Beta = 0.5f, K = 2 }, [3, 3, 5], [3, 3, 5]),
    }.Select(row => new TestCaseData(row.Layer, row.Example, row.Output).SetArgDisplayNames($"{row.Layer}"));

    [TestCaseSource(nameof(Layers))]
    public void A_layer_comes_back_from_a_model_file_as_it_was(Layer layer, Shape example, Shape output)
    {
        var model = new Sequential(layer);
        model.Build(example, seed: 1);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        Model loaded = Model.Load(stream);
        using Device device = Device.Cpu(1);
        (float[] expected, Shape shape) = Run(device, model, example);
        (float[] actual, _) = Run(device, loaded, example);
        Assert.That(shape, Is.EqualTo(output.Prepend(2)));
        Near.SameBits(expected, actual);
        Assert.That(((Sequential)loaded.Wrapped!).Layers[0].ToString(), Is.EqualTo(layer.ToString()));
    }

    [Test]
    public void Upsampling_to_a_size_and_by_factors_at_once_or_by_neither_is_named()
    {
        Value x = new Graph(GraphMode.Inference).Input([1, 4, 4, 1]);
        Assert.That(() => new Upsample().Apply(x), Throws.TypeOf<ShapeException>().With.Message.Contains("neither"));
        Assert.That(
            () => new Upsample { Size = [2, 2], Scale = [2] }.Apply(x),
            Throws.TypeOf<ShapeException>().With.Message.Contains("both"));
    }

    private static (float[] Output, Shape Shape) Run(Device device, Layer model, Shape example)
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(example.Prepend(2)), y = model.Apply(x);
        using var run = new GraphRun(device.Implementation, graph, [y], null, []);
        run.Set(x, Array.ConvertAll(OpInput.Uniform("x", x.Shape, 0.25, 1).Values(seed: 3), value => (float)value));
        run.Run();
        return (run.Read(y), y.Shape);
    }
}
