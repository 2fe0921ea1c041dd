namespace FastNN.Tests.Ops;

/// <summary>Losses of several values, and what each of them refuses.</summary>
internal sealed class ComposedLossTests : CpuOpFixture<ComposedLossCases>
{
    private static readonly Shape Matrix = new(4, 6);

    private static IEnumerable<TestCaseData> Mistakes =>
    [
        Of("shapes of a ranking", x => x.MarginRankingLoss(In(x, 4, 5), x), "MarginRanking: expected two Float32 values",
            "[4, 5]"),
        Of("targets of a ranking", x => x.MarginRankingLoss(x, In(x, 4)), "MarginRanking: expected targets", "[4]"),
        Of("a ranking's margin", x => x.MarginRankingLoss(x, x, float.NaN), "MarginRanking: expected a finite margin", "NaN"),
        Of("shapes of cosines", x => x.CosineEmbeddingLoss(In(x, 3, 6), In(x, 4)), "CosineEmbedding: expected two Float32",
            "[3, 6]"),
        Of("targets of cosines", x => x.CosineEmbeddingLoss(x, x), "CosineEmbedding: expected a target for each row", "[4]"),
        Of("a cosine's margin", x => x.CosineEmbeddingLoss(x, In(x, 4), 2), "CosineEmbedding: expected a margin in [-1, 1]", "2"),
        Of("a cosine of numbers", x => In(x).CosineEmbeddingLoss(In(x), In(x)), "CosineEmbedding: expected rows", "[]"),
        Of("shapes of triplets", x => x.TripletMarginLoss(x, In(x, 4, 5)), "TripletMargin: expected two Float32", "[4, 5]"),
        Of("a triplet's margin", x => x.TripletMarginLoss(x, x, 0), "TripletMargin: expected a finite margin above 0", "0"),
        Of("a triplet's norm", x => x.TripletMarginLoss(x, x, p: -1), "TripletMargin: expected a finite p above 0", "-1"),
        Of("a triplet's epsilon", x => x.TripletMarginLoss(x, x, epsilon: float.NaN), "TripletMargin: expected a finite eps",
            "NaN"),
        Of("shapes of Gaussians", x => x.GaussianLoss(In(x, 4), x), "Gaussian: expected two Float32 values", "[4]"),
        Of("variances", x => x.GaussianLoss(x, In(x, 4)), "Gaussian: expected shapes that broadcast", "[4]"),
        Of("too many variances", x => x.GaussianLoss(x, In(x, 2, 4, 6)), "Gaussian: expected Float32 variances that broadcast",
            "[2, 4, 6]"),
        Of("a Gaussian's epsilon", x => x.GaussianLoss(x, x, epsilon: 0), "Gaussian: expected a finite epsilon above 0", "0"),
        Of("classes as numbers", x => x.MultiMarginLoss(In(x, 4)), "MultiMargin: expected scores", "Float32"),
        Of("classes of another shape", x => x.MultiMarginLoss(Classes(x, 3)), "MultiMargin: expected scores", "[3]"),
        Of("a power of a margin", x => x.MultiMarginLoss(Classes(x, 4), p: 3), "MultiMargin: expected p 1 or 2", "3"),
        Of("a margin", x => x.MultiMarginLoss(Classes(x, 4), float.NaN), "MultiMargin: expected a finite margin", "NaN"),
        Of("class weights", x => x.MultiMarginLoss(Classes(x, 4), classWeights: In(x, 4)),
            "MultiMargin: expected class weights [6]", "[4]"),
        Of("keys", x => x.InfoNCELoss(In(x, 5, 6)), "InfoNCE: expected two Float32 values", "[5, 6]"),
        Of("vectors of queries", x => In(x, 4).InfoNCELoss(In(x, 4)), "InfoNCE: expected queries and keys [N, D]", "[4]"),
        Of("a temperature", x => x.InfoNCELoss(x, 0), "InfoNCE: expected a finite temperature above 0", "0"),
        Of("areas", x => x.DiceLoss(In(x, 4)), "Dice: expected two Float32 values", "[4]"),
        Of("a row of areas", x => In(x, 4).DiceLoss(In(x, 4)), "Dice: expected predictions [N, P]", "[4]"),
        Of("smoothing", x => x.DiceLoss(x, smooth: 0), "Dice: expected a finite smooth above 0", "0"),
        Of("positive weights", x => x.BinaryCrossEntropyLoss(x, positiveWeight: In(x, 6)), "expected logits", "probabilities"),
        Of("weights", x => x.BinaryCrossEntropyLoss(x, In(x, 4)), "BinaryCrossEntropy", "[4]"),
        Of("too many weights", x => x.BinaryCrossEntropyLoss(x, In(x, 2, 4, 6)), "BinaryCrossEntropy: expected Float32 weights",
            "[2, 4, 6]"),
        Of("odd outputs", x => new GaussianLoss().Apply(In(x, 4, 3), In(x, 4, 1)), "Gaussian: expected outputs [..., 2 C]",
            "[4, 3]"),
        Of("means", x => new GaussianLoss().Apply(x, x), "Gaussian: expected Float32 targets [4, 3]", "[4, 6]"),
        Of("a hinge's margin", _ => new HingeLoss(0), "HingeLoss: expected a finite margin above 0", "0"),
        Of("alpha", _ => new FocalLoss(2), "FocalLoss: expected an alpha in [0, 1]", "2"),
        Of("gamma", _ => new FocalLoss(gamma: -1), "FocalLoss: expected a finite gamma", "-1"),
        Of("a margin's power", _ => new MultiMarginLoss(p: 0), "MultiMarginLoss: expected p 1 or 2", "0"),
        Of("a class's margin", _ => new MultiMarginLoss(float.PositiveInfinity), "MultiMarginLoss: expected a finite margin",
            "got"),
        Of("an area's smoothing", _ => new DiceLoss(-1), "DiceLoss: expected a finite smooth above 0", "-1"),
        Of("a loss's temperature", _ => new InfoNCELoss(float.NaN), "InfoNCELoss: expected a finite temperature", "NaN"),
        Of("a rate's epsilon", _ => new PoissonLoss { Epsilon = 0 }, "PoissonLoss: expected a finite Epsilon above 0", "0"),
        Of("counts", x => new PoissonLoss().Apply(x, In(x, 4)), "Poisson: expected targets", "[4]"),
        Of("signs", x => new HingeLoss().Apply(x, In(x, 4)), "Hinge: expected targets", "[4]"),
        Of("answers", x => new FocalLoss().Apply(x, In(x, 4)), "Focal: expected targets", "[4]"),
    ];

    [TestCaseSource(nameof(Mistakes))]
    public void A_mistake_is_named(Func<Value, object> act, string expected, string given)
    {
        Value x = new Graph(GraphMode.Training).Input(Matrix);
        Exception exception = Assert.Catch(() => act(x))!;
        Assert.That(exception, Is.InstanceOf<ShapeException>().Or.InstanceOf<ArgumentException>());
        Assert.That(exception.Message, Does.Contain(expected).And.Contain(given));
    }

    [Test]
    public void A_loss_object_records_what_the_fluent_call_does()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(4, 6)), t = graph.Input(new Shape(4, 6));
        Value classes = graph.Input(new Shape(4), DType.Int32);
        Value[] losses =
        [
            new DiceLoss().Apply(x, t), x.DiceLoss(t), new InfoNCELoss().Apply(x, t), x.InfoNCELoss(t),
            new MultiMarginLoss { ClassWeights = [1, 1, 1, 1, 1, 1] }.Apply(x, classes), x.MultiMarginLoss(classes),
            new BinaryCrossEntropyLoss { FromLogits = true, Weights = [2, 2, 2, 2, 2, 2], Reduction = Reduction.Sum }.Apply(x, t),
            x.BinaryCrossEntropyLoss(t, fromLogits: true, reduction: Reduction.Sum) * 2,
        ];
        using var run = new GraphRun(One, graph, losses, null, [], [.. graph.Parameters]);
        run.SetNumbers(x, OpInput.Uniform("x", x.Shape).Values(1));
        run.SetNumbers(t, OpInput.Uniform("t", x.Shape, 0, 1).Values(2));
        run.Set(classes, [0, 5, 2, 3]);
        run.Run();
        for (int i = 0; i < losses.Length; i += 2)
        {
            Assert.That(run.Read(losses[i])[0], Is.EqualTo(run.Read(losses[i + 1])[0]).Within(1e-5), $"loss {i}");
        }
    }

    [Test]
    public void Means_and_variances_side_by_side_are_a_likelihood()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(3, 4)), t = graph.Input(new Shape(3, 2));
        Value[] parts = x.Chunk(2);
        Value[] losses = [new GaussianLoss { Full = true }.Apply(x, t), parts[0].GaussianLoss(t, parts[1].Exp(), full: true)];
        using var run = new GraphRun(One, graph, losses, null, []);
        run.SetNumbers(x, OpInput.Uniform("x", x.Shape).Values(1));
        run.SetNumbers(t, OpInput.Uniform("t", t.Shape).Values(2));
        run.Run();
        Assert.That(run.Read(losses[0])[0], Is.EqualTo(run.Read(losses[1])[0]).Within(1e-5));
        Assert.That(new GaussianLoss().TargetShape(new Shape(3, 4)), Is.EqualTo(new Shape(3, 2)));
    }

    [Test]
    public void Losses_say_what_their_outputs_mean()
    {
        Shape one = new(8, 1), four = new(8, 4);
        Assert.That(new MultiMarginLoss().ClassCount(four), Is.EqualTo(4));
        Assert.That((new FocalLoss().ClassCount(one), new FocalLoss().ClassCount(four)), Is.EqualTo(((int?)2, (int?)null)));
        Assert.That(new FocalLoss().Threshold, Is.Zero);
        Assert.That(Loss.NegativeLogLikelihood.ClassCount(four), Is.EqualTo(4));
        Assert.That(new DiceLoss().ClassCount(four), Is.Null);
    }

    private static TestCaseData Of(string what, Func<Value, object> act, string expected, string given) =>
        new TestCaseData(act, expected, given).SetArgDisplayNames(what);

    private static Value In(Value x, params int[] shape) => x.Graph.Input(new Shape(shape));

    private static Value Classes(Value x, int count) => x.Graph.Input(new Shape(count), DType.Int32);
}
