namespace FastNN.Tests.Ops;

/// <summary>Every wrong rank, size, group and amount of the convolutions is named, before memory is touched.</summary>
internal sealed class ConvolutionErrorTests
{
    private static IEnumerable<TestCaseData> Wrong()
    {
        static TestCaseData Case(string name, Func<Graph, Value> record, params string[] says) =>
            new TestCaseData(record, says).SetArgDisplayNames(name);

        static Value In(Graph graph, params int[] shape) => graph.Input(new Shape(shape));

        yield return Case("1D, rank of x", g => In(g, 2, 8, 8, 3).Conv1D(In(g, 3, 3, 4)), "Conv1D", "[2, 8, 8, 3]", "[N, L, C]");
        yield return Case("1D, rank of the filter", g => In(g, 2, 8, 3).Conv1D(In(g, 3, 3, 3, 4)), "Conv1D", "[3, 3, 3, 4]");
        yield return Case("1D, channels", g => In(g, 2, 8, 3).Conv1D(In(g, 3, 2, 4)), "Conv1D", "[2, 8, 3]", "[3, 2, 4]");
        yield return Case("1D, kernel", g => In(g, 2, 4, 3).Conv1D(In(g, 5, 3, 4)), "Conv1D", "length of 5", "length of 4");
        yield return Case("1D, stride", g => In(g, 2, 4, 3).Conv1D(In(g, 3, 3, 4), stride: 0), "Conv1D", "stride", "length");
        yield return Case("1D, padding", g => In(g, 2, 4, 3).Conv1D(In(g, 3, 3, 4), padding: -1), "Conv1D", "padding", "-1");
        yield return Case("1D, dilation", g => In(g, 2, 4, 3).Conv1D(In(g, 3, 3, 4), dilation: -2), "Conv1D", "dilation", "-2");
        yield return Case("1D, groups", g => In(g, 2, 8, 4).Conv1D(In(g, 3, 2, 5), groups: 2), "Conv1D", "2 groups", "5 filters");
        yield return Case("1D, no groups", g => In(g, 2, 8, 4).Conv1D(In(g, 3, 2, 5), groups: 0), "Conv1D", "groups 0");
        yield return Case("1D, bias", g => In(g, 2, 8, 3).Conv1D(In(g, 3, 3, 4), In(g, 3)), "Conv1D", "bias [3]", "[4] expected");
        yield return Case(
            "1D, type", g => g.Input(new Shape(2, 8, 3), DType.Int32).Conv1D(In(g, 3, 3, 4)), "Conv1D", "Float32", "Int32");
        yield return Case(
            "3D, rank of x", g => In(g, 2, 8, 8, 3).Conv3D(In(g, 3, 3, 3, 3, 4)), "Conv3D", "[2, 8, 8, 3]", "[N, D, H, W, C]");
        yield return Case(
            "3D, kernel", g => In(g, 2, 2, 8, 8, 3).Conv3D(In(g, 3, 3, 3, 3, 4)), "Conv3D", "depth of 3", "depth of 2");
        yield return Case(
            "3D, stride", g => In(g, 2, 4, 8, 8, 3).Conv3D(In(g, 3, 3, 3, 3, 4), stride: (1, 0, 1)), "Conv3D", "stride",
            "height");
        yield return Case(
            "3D, padding", g => In(g, 2, 4, 8, 8, 3).Conv3D(In(g, 3, 3, 3, 3, 4), padding: (0, 0, -3)), "Conv3D", "width", "-3");
        yield return Case(
            "3D, groups", g => In(g, 2, 4, 8, 8, 3).Conv3D(In(g, 3, 3, 3, 1, 4), groups: 2), "Conv3D", "groups 2");
        yield return Case(
            "3D, images", g => In(g, 1 << 20, 1, 1, 1, 1).Conv3D(In(g, 2, 1, 1, 1, 1), padding: (1 << 12, 0, 0)), "Conv3D",
            "2147483647 images");
        yield return Case(
            "transposed 1D, rank", g => In(g, 8, 3).ConvTranspose1D(In(g, 3, 4, 3)), "ConvTranspose1D", "[8, 3]", "[N, L, C]");
        yield return Case(
            "transposed 1D, channels", g => In(g, 2, 8, 3).ConvTranspose1D(In(g, 3, 3, 4)), "ConvTranspose1D", "[3, 3, 4]");
        yield return Case(
            "transposed 1D, output padding",
            g => In(g, 2, 8, 3).ConvTranspose1D(In(g, 3, 4, 3), stride: 2, outputPadding: 2), "ConvTranspose1D",
            "output padding", "stride 2", "got 2");
        yield return Case(
            "transposed 1D, nothing left", g => In(g, 2, 1, 3).ConvTranspose1D(In(g, 3, 4, 3), padding: 2), "ConvTranspose1D",
            "output length", "got -1");
        yield return Case(
            "transposed 2D, groups", g => In(g, 2, 4, 4, 3).ConvTranspose2D(In(g, 3, 3, 2, 3), groups: 2), "ConvTranspose2D",
            "groups", "3 channels", "got 2");
        yield return Case(
            "transposed 2D, bias", g => In(g, 2, 4, 4, 4).ConvTranspose2D(In(g, 3, 3, 2, 4), In(g, 2), groups: 2),
            "ConvTranspose2D", "bias [2]", "[4] expected");
        yield return Case(
            "transposed 2D, stride", g => In(g, 2, 4, 4, 4).ConvTranspose2D(In(g, 3, 3, 2, 4), stride: (1, -1)),
            "ConvTranspose2D", "stride", "width", "-1");
        yield return Case(
            "transposed 2D, padding", g => In(g, 2, 4, 4, 4).ConvTranspose2D(In(g, 3, 3, 2, 4), padding: (-1, 0)),
            "ConvTranspose2D", "padding", "height", "-1");
        yield return Case(
            "transposed 3D, size", g => In(g, 1, 1, 1 << 30, 1, 1).ConvTranspose3D(In(g, 1, 3, 1, 1, 1), stride: 4),
            "ConvTranspose3D", "height");
        yield return Case(
            "transposed 3D, elements", g => In(g, 1, 1 << 15, 1 << 15, 1, 1).ConvTranspose3D(In(g, 1, 1, 1, 64, 1)),
            "ConvTranspose3D", "elements");
    }

    [TestCaseSource(nameof(Wrong))]
    public void What_does_not_fit_is_named(Func<Graph, Value> record, string[] says)
    {
        ShapeException exception = Assert.Throws<ShapeException>(() => record(new Graph(GraphMode.Training)))!;
        Assert.Multiple(() =>
        {
            foreach (string word in says)
            {
                Assert.That(exception.Message, Does.Contain(word));
            }
        });
    }
}
