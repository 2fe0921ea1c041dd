namespace FastNN.Tests.Metrics;

/// <summary>Boxes, suppression and average precision beside numbers worked out by hand.</summary>
internal sealed class DetectionTests
{
    private static readonly BoundingBox Left = new(0, 0, 10, 10), Right = new(20, 0, 30, 10), Far = new(50, 50, 60, 60);

    [TestCase(0, 0, 10, 10, 1)]
    [TestCase(5, 0, 15, 10, 50 / 150f)]
    [TestCase(0, 5, 10, 10, 0.5f)]
    [TestCase(10, 0, 20, 10, 0)]
    [TestCase(2, 2, 4, 4, 0.04f)]
    [TestCase(9, 9, 3, 3, 0)]
    public void Boxes_overlap(float left, float top, float right, float bottom, float expected)
    {
        var other = new BoundingBox(left, top, right, bottom);
        Assert.That(Left.IntersectionOverUnion(other), Is.EqualTo(expected).Within(1e-6f));
        Assert.That(other.IntersectionOverUnion(Left), Is.EqualTo(expected).Within(1e-6f));
    }

    [Test]
    public void Boxes_without_area_overlap_nothing() => Assert.That(
        new BoundingBox(3, 3, 3, 3).IntersectionOverUnion(new BoundingBox(3, 3, 3, 3)), Is.Zero);

    [Test]
    public void The_box_around_ink_has_its_outer_edges() => Assert.Multiple(() =>
    {
        float[] image =
        [
            0, 0, 0, 0,
            0, 0.5f, 0, 0,
            0, 0, 0, 0.9f,
        ];
        Assert.That(BoundingBox.Around(image, 4, 0.3f), Is.EqualTo(new BoundingBox(1, 1, 4, 3)));
        Assert.That(BoundingBox.Around(image, 4, 0.5f), Is.EqualTo(new BoundingBox(3, 2, 4, 3)));
        Assert.That(BoundingBox.Around(image, 4, 0.9f), Is.Null);
        Assert.That(() => BoundingBox.Around(image, 5, 0), Throws.ArgumentException.With.Message.Contains("rows of 5"));
    });

    [Test]
    public void Suppression_keeps_the_highest_score_of_those_that_overlap()
    {
        var best = new Detection(Left, 1, 0.9f);
        var shifted = new Detection(Left with { Left = 2, Right = 12 }, 1, 0.8f);     // overlaps by 8 / 12
        var chained = new Detection(Left with { Left = 5, Right = 15 }, 1, 0.7f);     // by 5 / 15 the first, by 7 / 13 the second
        var apart = new Detection(Far, 1, 0.1f);
        var other = new Detection(Left, 2, 0.5f);
        Detection[] all = [apart, chained, other, best, shifted];
        Assert.Multiple(() =>
        {
            // What is suppressed suppresses nothing.
            Assert.That(Detection.Suppress(all), Is.EqualTo(new[] { best, chained, other, apart }));
            Assert.That(Detection.Suppress(all, acrossClasses: true), Is.EqualTo(new[] { best, chained, apart }));
            Assert.That(Detection.Suppress(all, overlap: 0.3f), Is.EqualTo(new[] { best, other, apart }));
            Assert.That(Detection.Suppress(all, overlap: 1), Has.Count.EqualTo(5));
            Assert.That(Detection.Suppress([]), Is.Empty);
        });
    }

    [Test]
    public void Wrong_arguments_are_refused() => Assert.Multiple(() =>
    {
        Detection[] broken = [new(Left, 0, float.NaN)];
        Assert.That(() => Detection.Suppress([], 1.5f), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => Detection.Suppress([], float.NaN), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => Detection.Suppress(broken), Throws.ArgumentException.With.Message.Contains("NaN"));
        Assert.That(() => new MeanAveragePrecision(0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new MeanAveragePrecision(1, 0), Throws.TypeOf<ArgumentOutOfRangeException>());
        var precision = new MeanAveragePrecision(2);
        Assert.That(() => precision.Add(broken, []), Throws.ArgumentException);
        Assert.That(
            () => precision.Add([], [new LabeledBox(Left, 0), new LabeledBox(Left, 2)]),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("0 to 1"));
        Assert.That(precision.Images, Is.Zero, "counted in spite of the error");
    });

    [Test]
    public void All_found_is_one_and_nothing_found_is_zero() => Assert.Multiple(() =>
    {
        LabeledBox[] objects = [new(Left, 0), new(Right, 0), new(Far, 1)];
        Detection[] found = [.. objects.Select((item, i) => new Detection(item.Box, item.Label, i))];
        Assert.That(Measure(2, (found, objects)).Value, Is.EqualTo(1));
        Assert.That(Measure(2, ([], objects)).Value, Is.Zero);
        Assert.That(Measure(2, (found, [])).Value, Is.NaN);
        Assert.That(Measure(3, (found, objects)).Of(2), Is.NaN);

        // The right place under a wrong name.
        Assert.That(Measure(2, ([new(Left, 1, 1)], [new LabeledBox(Left, 0)])).Value, Is.Zero);
    });

    /// <summary>
    /// Of five objects: right, wrong, right, wrong, wrong, right. Precisions at the right ones are 1, 2/3 and 1/2, so that the
    /// area is (1 + 2/3 + 1/2) / 5.
    /// </summary>
    [Test]
    public void Average_precision_is_the_area_below_the_curve()
    {
        LabeledBox[] first = [new(Left, 0), new(Right, 0), new(Far, 0)], second = [new(Left, 0), new(Right, 0)];
        var nowhere = new BoundingBox(80, 80, 90, 90);
        MeanAveragePrecision precision = Measure(
            1,
            ([new(Left, 0, 0.9f), new(nowhere, 0, 0.8f), new(nowhere, 0, 0.6f)], first),
            ([new(Right, 0, 0.7f), new(nowhere, 0, 0.5f), new(Left, 0, 0.4f)], second));
        Assert.That(precision.Value, Is.EqualTo((1 + (2 / 3.0) + 0.5) / 5).Within(1e-12));
        Assert.That(precision.Images, Is.EqualTo(2));
    }

    /// <summary>Wrong, right, right: precision at the first recall is what it reaches later, 2/3.</summary>
    [Test]
    public void Precision_at_a_recall_is_the_highest_from_there_on() => Assert.That(
        Measure(
            1, ([new(Far, 0, 3), new(Left, 0, 2), new(Right, 0, 1)], [new LabeledBox(Left, 0), new LabeledBox(Right, 0)])).Value,
        Is.EqualTo(2 / 3.0).Within(1e-12));

    [Test]
    public void An_object_is_found_once()
    {
        // The second finds it again and is wrong, behind the object of another image.
        MeanAveragePrecision precision = Measure(
            1,
            ([new(Left, 0, 0.9f), new(Left, 0, 0.8f)], [new LabeledBox(Left, 0)]),
            ([new(Left, 0, 0.7f)], [new LabeledBox(Left, 0)]));
        Assert.That(precision.Value, Is.EqualTo((1 + (2 / 3.0)) / 2).Within(1e-12));
    }

    [Test]
    public void A_box_counts_from_the_wanted_overlap_on([Values(0.4f, 0.5f, 0.6f)] float overlap)
    {
        var precision = new MeanAveragePrecision(1, overlap);
        precision.Add([new Detection(new BoundingBox(0, 0, 10, 5), 0, 1)], [new LabeledBox(Left, 0)]);
        Assert.That(precision.Value, Is.EqualTo(overlap <= 0.5f ? 1 : 0));
    }

    /// <summary>The mean is over classes with objects, 1 and 1/2; a class that is only found does not count.</summary>
    [Test]
    public void Classes_count_alike()
    {
        MeanAveragePrecision precision = Measure(
            3,
            ([new(Left, 0, 1), new(Far, 1, 1), new(Right, 2, 1)],
            [new LabeledBox(Left, 0), new LabeledBox(Far, 1), new LabeledBox(Right, 1)]));
        Assert.That(precision.Value, Is.EqualTo(0.75).Within(1e-12));
        Assert.That(precision.Of(1), Is.EqualTo(0.5).Within(1e-12));
    }

    private static MeanAveragePrecision Measure(int classes, params (Detection[] Found, LabeledBox[] Objects)[] images)
    {
        var precision = new MeanAveragePrecision(classes);
        foreach ((Detection[] found, LabeledBox[] objects) in images)
        {
            precision.Add(found, objects);
        }

        return precision;
    }
}
