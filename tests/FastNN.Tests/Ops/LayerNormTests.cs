namespace FastNN.Tests.Ops;

internal sealed class LayerNormTests : CpuOpFixture<LayerNormCases>
{
    private static IEnumerable<TestCaseData> Wrong => new (string Name, Func<Graph, Value> Record, string[] Words)[]
    {
        ("too many axes", graph => X(graph, 2, 3).LayerNorm(axes: 3), ["LayerNorm", "[2, 3]", "got 3"]),
        ("no axes", graph => X(graph, 2, 3).LayerNorm(axes: 0), ["LayerNorm", "[2, 3]", "got 0"]),
        ("a scalar", graph => X(graph).LayerNorm(), ["LayerNorm", "[]"]),
        ("a weight", graph => X(graph, 2, 3).LayerNorm(X(graph, 2)), ["LayerNorm", "[3]", "[2]"]),
        ("a bias", graph => X(graph, 2, 3).LayerNorm(X(graph, 3), X(graph, 1)), ["LayerNorm", "[3]", "[1]"]),
        ("a bias alone", graph => X(graph, 2, 3).LayerNorm(bias: X(graph, 3)), ["LayerNorm", "weight"]),
        ("eps", graph => X(graph, 2, 3).LayerNorm(eps: -1), ["LayerNorm", "eps", "-1"]),
        ("classes", graph => graph.Input(new Shape(2, 3), DType.Int32).LayerNorm(), ["LayerNorm", "Float32", "cast"]),
        ("RMS over too many axes", graph => X(graph, 2, 3).RMSNorm(axes: 3), ["RMSNorm", "[2, 3]", "got 3"]),
        ("a weight of RMS", graph => X(graph, 2, 3).RMSNorm(X(graph, 2)), ["RMSNorm", "[3]", "[2]"]),
        ("an infinite eps", graph => X(graph, 2, 3).RMSNorm(eps: float.PositiveInfinity), ["RMSNorm", "eps"]),
    }.Select(row => new TestCaseData(row.Record, row.Words).SetArgDisplayNames(row.Name));

    [TestCaseSource(nameof(Wrong))]
    public void A_wrong_use_is_named(Func<Graph, Value> record, string[] words)
    {
        ShapeException exception = Assert.Throws<ShapeException>(() => record(new Graph(GraphMode.Training)))!;
        Assert.Multiple(() =>
        {
            foreach (string word in words)
            {
                Assert.That(exception.Message, Does.Contain(word));
            }
        });
    }

    private static Value X(Graph graph, params int[] extents) => graph.Input(new Shape(extents));
}
