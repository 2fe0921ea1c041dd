namespace FastNN.Tests.Ops;

internal sealed class WindowSumTests : CpuOpFixture<WindowSumCases>
{
    private static IEnumerable<TestCaseData> Wrong => new (string Name, Func<Value, Value> Build, string[] Words)[]
    {
        ("a size too many", x => x.Interpolate([4, 4, 4]), ["Interpolate", "[2, 4, 6, 3]", "[4, 4, 4]"]),
        ("no size", x => x.Interpolate([4, 0]), ["Interpolate", "positive", "4 x 0"]),
        ("no corners", x => x.Interpolate([4, 4], InterpolationMode.Nearest, alignCorners: true), ["Interpolate", "Nearest"]),
        ("nothing left", x => x.InterpolateBy([0.1, 1]), ["Interpolate", "0.1 x 1"]),
        ("not a number", x => x.InterpolateBy([double.NaN, 1]), ["Interpolate", "NaN"]),
        ("too large", x => x.Interpolate([40_000, 40_000]), ["Interpolate", "40000 x 40000", "2147483647"]),
        ("no bins", x => x.AdaptiveAvgPool2D((0, 2)), ["AdaptiveAvgPool2D", "0 x 2"]),
        ("too many bins", x => x.AdaptiveAvgPool2D(40_000), ["AdaptiveAvgPool2D", "40000"]),
        ("wrong rank", x => x.AdaptiveAvgPool3D(2), ["AdaptiveAvgPool3D", "[N, D, H, W, C]", "[2, 4, 6, 3]"]),
        ("rank of a sequence", x => x.AvgPool1D(2), ["AvgPool1D", "[N, L, C]"]),
        ("rank of a volume", x => x.AvgPool3D(2), ["AvgPool3D", "[N, D, H, W, C]"]),
        ("window of a volume", x => x.Reshape([2, 4, 2, 3, 3]).AvgPool3D(3), ["AvgPool3D", "height"]),
        ("divisor", x => x.Reshape([2, 4, 2, 3, 3]).AvgPool3D(1, divisorOverride: -1), ["AvgPool3D", "-1"]),
        ("padding", x => x.Reshape([2, 4, 2, 3, 3]).AvgPool3D(2, padding: 2), ["AvgPool3D", "padding"]),
        ("integers", x => x.Cast(DType.Int32).Interpolate([4, 4]), ["Interpolate", "Int32"]),
        ("global", x => x.GlobalAvgPool1D(), ["GlobalAvgPool1D", "[2, 4, 6, 3]"]),
        ("norm", x => x.LpPool2D(0, 2), ["LpPool2D", "positive norm"]),
        ("norm's window", x => x.LpPool2D(2, 5), ["AvgPool2D", "height"]),
        ("channels of shuffle", x => x.PixelShuffle(2), ["PixelShuffle", "[2, 4, 6, 3]", "2"]),
        ("factor of shuffle", x => x.PixelShuffle(0), ["PixelShuffle", "0"]),
        ("rows of unshuffle", x => x.PixelUnshuffle(4), ["PixelUnshuffle", "4"]),
        ("no channels", x => x.LocalResponseNorm(0), ["LocalResponseNorm", "0"]),
        ("rank of response", x => x.Reshape([8, 18]).LocalResponseNorm(3), ["LocalResponseNorm", "[8, 18]"]),
    }.Select(row => new TestCaseData(row.Build, row.Words).SetArgDisplayNames(row.Name));

    [TestCaseSource(nameof(Wrong))]
    public void What_does_not_fit_is_named(Func<Value, Value> build, string[] words)
    {
        Value x = new Graph(GraphMode.Training).Input(new Shape(2, 4, 6, 3));
        string message = Assert.Throws<ShapeException>(() => build(x))!.Message;
        Assert.Multiple(() => Array.ForEach(words, word => Assert.That(message, Does.Contain(word))));
    }

    [Test]
    public void Extents_without_numbers_are_named_and_the_batch_may_be_a_symbol()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input([Dim.Batch, Dim.Named("T"), 4, 3]);
        Assert.That(
            () => x.Interpolate([4, 4]),
            Throws.TypeOf<ShapeException>().With.Message.Contains("Interpolate").And.Message.Contains("T"));
        Assert.That(graph.Input([Dim.Batch, 4, 4, 3]).Interpolate([8, 2]).Shape, Is.EqualTo(new Shape(Dim.Batch, 8, 2, 3)));
    }
}
