namespace FastNN.Tests.Ops;

internal sealed class FlipTests : CpuOpFixture<FlipCases>
{
    private static IEnumerable<TestCaseData> Wrong => new (string Name, Func<Value, Value> Build, string[] Words)[]
    {
        ("flip a missing axis", x => x.Flip(2), ["axis 2", "[3, 4]"]),
        ("flip twice", x => x.Flip(1, -1), ["Flip", "[1, -1]", "[3, 4]"]),
        ("roll a missing axis", x => x.Roll(1, 2), ["axis 2"]),
        ("roll twice", x => x.Roll([1, 2], [0, 0]), ["Roll", "[0, 0]"]),
        ("roll by too many", x => x.Roll([1, 2], [0]), ["Roll", "1 axes", "2 shifts"]),
        ("the diagonal of one axis", x => x.Diagonal(0, 1, -1), ["Diagonal", "[1, -1]"]),
        ("the diagonal of a missing axis", x => x.Diagonal(0, 1, 2), ["axis 2"]),
    }.Select(row => new TestCaseData(row.Build, row.Words).SetArgDisplayNames(row.Name));

    [TestCaseSource(nameof(Wrong))]
    public void What_does_not_fit_is_named(Func<Value, Value> build, string[] words)
    {
        Value x = new Graph(GraphMode.Training).Input(new Shape(3, 4));
        string message = Assert.Throws<ShapeException>(() => build(x))!.Message;
        Assert.That(words.Where(word => !message.Contains(word, StringComparison.Ordinal)), Is.Empty, message);
    }

    [Test]
    public void Nothing_is_flipped_without_axes()
    {
        Value x = new Graph(GraphMode.Training).Input([Dim.Batch, 4]);
        Assert.That(x.Flip(), Is.SameAs(x));
        Assert.That(x.Flip(0).Shape, Is.EqualTo(x.Shape));
        Assert.That(x.Roll(1, 0).Shape, Is.EqualTo(x.Shape));
    }
}
