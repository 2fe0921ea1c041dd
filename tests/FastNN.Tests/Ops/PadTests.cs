namespace FastNN.Tests.Ops;

internal sealed class PadTests : CpuOpFixture<PadCases>
{
    private static IEnumerable<TestCaseData> Wrong => new (string Name, Func<Value, Value> Build, string[] Words)[]
    {
        ("an odd number", x => x.Pad([1, 2, 3]), ["Pad", "[1, 2, 3]", "[3, 4]"]),
        ("too many axes", x => x.Pad([1, 1, 1, 1, 1, 1]), ["Pad", "2 axes", "[3, 4]"]),
        ("more cut off than there is", x => x.Pad([-3, -2]), ["Pad", "axis 1", "-3 and -2"]),
        ("cut off past the other end", x => x.Pad([-5, 7]), ["Pad", "axis 1", "-5 and 7"]),
        ("reflected too far", x => x.Pad([4, 0], PadMode.Reflect), ["Pad", "at most 3", "Reflect", "4 and 0"]),
        ("around more than once", x => x.Pad([0, 5], PadMode.Circular), ["Pad", "at most 4", "Circular"]),
        ("nothing to repeat", x => x.Slice(1, 0, 0).Pad([1, 0], PadMode.Replicate), ["Pad", "at most 0", "Replicate"]),
        ("no such mode", x => x.Pad([1, 0], (PadMode)9), ["Pad", "PadMode", "9"]),
        ("half of an integer", x => x.Cast(DType.Int32).Pad([1, 0], value: 0.5f), ["Pad", "Int32", "0.5"]),
        ("too much for a byte", x => x.Cast(DType.UInt8).Pad([1, 0], value: 256), ["Pad", "UInt8", "256"]),
        ("no truth", x => x.Cast(DType.Bool).Pad([1, 0], value: 2), ["Pad", "Bool", "2"]),
        ("more than 2^31 of an axis", x => x.Pad([int.MaxValue, 1]), ["Pad", "2147483647"]),
        ("more than 2^31 elements", x => x.Pad([1 << 30, 0]), ["Pad", "3,221,225,484"]),
    }.Select(row => new TestCaseData(row.Build, row.Words).SetArgDisplayNames(row.Name));

    [TestCaseSource(nameof(Wrong))]
    public void What_does_not_fit_is_named(Func<Value, Value> build, string[] words)
    {
        Value x = new Graph(GraphMode.Training).Input(new Shape(3, 4));
        string message = Assert.Throws<ShapeException>(() => build(x))!.Message;
        Assert.That(words.Where(word => !message.Contains(word, StringComparison.Ordinal)), Is.Empty, message);
    }

    [Test]
    public void Nothing_is_added_by_zeros()
    {
        Value x = new Graph(GraphMode.Training).Input([Dim.Batch, 4]);
        Assert.That(x.Pad([0, 0, 0, 0]), Is.SameAs(x));
        Assert.That(x.Pad([1, 2]).Shape, Is.EqualTo(new Shape([Dim.Batch, 7])));
    }

    [Test]
    public void The_constant_may_be_infinite()
    {
        var graph = new Graph(GraphMode.Inference);
        Value y = graph.Input(new Shape(0)).Pad([1, 2], value: float.NegativeInfinity);
        using var run = new GraphRun(One, graph, [y], null, []);
        run.Forward();
        Assert.That(run.Read(y), Is.EqualTo(new[] { float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity }));
    }
}
