namespace FastNN.Tests.Ops;

internal sealed class FoldTests : CpuOpFixture<FoldCases>
{
    private static IEnumerable<TestCaseData> Wrong()
    {
        static TestCaseData Case(string name, Func<Graph, Value> record, params string[] says) =>
            new TestCaseData(record, says).SetArgDisplayNames(name);

        static Value In(Graph graph, params int[] shape) => graph.Input(new Shape(shape));

        yield return Case("unfold, rank", g => In(g, 8, 8, 3).Unfold(3), "Unfold", "[8, 8, 3]", "[N, H, W, C]");
        yield return Case("unfold, kernel", g => In(g, 1, 2, 8, 3).Unfold(3), "Unfold", "height of 3", "height of 2");
        yield return Case("unfold, no kernel", g => In(g, 1, 2, 8, 3).Unfold((1, 0)), "Unfold", "width", "0");
        yield return Case("unfold, stride", g => In(g, 1, 8, 8, 3).Unfold(3, stride: -1), "Unfold", "stride", "-1");
        yield return Case("unfold, dilation", g => In(g, 1, 8, 8, 3).Unfold(3, dilation: 0), "Unfold", "dilation");
        yield return Case("unfold, padding", g => In(g, 1, 8, 8, 3).Unfold(3, padding: -1), "Unfold", "padding", "-1");
        yield return Case("unfold, type", g => g.Input(new Shape(1, 8, 8, 3), DType.Int32).Unfold(3), "Unfold", "Float32");
        yield return Case(
            "unfold, elements", g => In(g, 1, 4096, 4096, 16).Unfold(5, padding: 2), "Unfold", "[1, 16777216, 400]", "elements");
        yield return Case("fold, rank", g => In(g, 4, 27).Fold(4, 3), "Fold", "[4, 27]");
        yield return Case("fold, elements of a window", g => In(g, 1, 4, 28).Fold(4, 3), "Fold", "[1, 4, 28]", "3x3");
        yield return Case("fold, windows", g => In(g, 1, 5, 27).Fold(4, 3), "Fold", "2 x 2 = 4 windows", "with 5");
        yield return Case("fold, output", g => In(g, 1, 4, 27).Fold((4, 2), 3), "Fold", "width of 3", "width of 2");
        yield return Case("fold, no kernel", g => In(g, 1, 4, 27).Fold(4, 0), "Fold", "0x0");
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
