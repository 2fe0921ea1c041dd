namespace FastNN.Tests.Tensors;

internal sealed class ShapeTests
{
    [Test]
    public void The_default_is_a_scalar()
    {
        Assert.That(default(Shape).Rank, Is.Zero);
        Assert.That(default(Shape).Count, Is.EqualTo(1));
        Assert.That(default(Shape), Is.EqualTo(new Shape()));
        Assert.That(default(Shape).ToString(), Is.EqualTo("[]"));
    }

    [Test]
    public void Count_is_the_product_and_the_extents_come_back() => Property.Check(100, (int[] numbers) =>
    {
        int[] extents = Extents(numbers);
        var shape = new Shape(extents);
        Assert.That(shape.ToArray(), Is.EqualTo(extents));
        Assert.That(shape.Count, Is.EqualTo(extents.Aggregate(1L, (product, extent) => product * extent)));
        for (int axis = 0; axis < extents.Length; axis++)
        {
            Assert.That(shape[axis], Is.EqualTo(extents[axis]));
            Assert.That(shape[axis - extents.Length], Is.EqualTo(extents[axis]));
        }
    });

    [Test]
    public void Shapes_are_equal_where_their_extents_are() => Property.Check(100, (int[] first, int[] second) =>
    {
        int[] a = Extents(first);
        int[] b = Extents(second);
        bool equal = a.AsSpan().SequenceEqual(b);
        Assert.That(new Shape(a) == new Shape(b), Is.EqualTo(equal));
        Assert.That(new Shape(a) != new Shape(b), Is.EqualTo(!equal));
        Assert.That(new Shape(a).GetHashCode(), Is.EqualTo(new Shape([.. a]).GetHashCode()));
    });

    [Test]
    public void An_axis_put_in_front_can_be_dropped_again() => Property.Check(50, (int[] numbers) =>
    {
        int[] extents = Extents(numbers);
        var shape = new Shape(extents.Length == Shape.MaxRank ? extents[1..] : extents);
        Assert.That(shape.Prepend(5).DropFirst(), Is.EqualTo(shape));
        Assert.That(shape.Prepend(5)[0], Is.EqualTo(5));
    });

    [Test]
    public void An_extent_of_zero_holds_nothing() => Assert.That(new Shape(3, 0, 5).Count, Is.Zero);

    [Test]
    public void What_is_out_of_range_is_named()
    {
        Assert.That(
            () => new Shape(2, -1), Throws.TypeOf<ShapeException>().With.Message.Contains("-1").And.Message.Contains("axis 1"));
        Assert.That(() => new Shape(1, 1, 1, 1, 1, 1, 1, 1, 1), Throws.TypeOf<ShapeException>().With.Message.Contains("9 axes"));
        Assert.That(() => new Shape(1 << 20, 1 << 21), Throws.TypeOf<ShapeException>().With.Message.Contains("2^40"));
        Assert.That(
            () => new Shape(int.MaxValue, int.MaxValue, int.MaxValue),
            Throws.TypeOf<ShapeException>().With.Message.Contains("2^40"));
        Assert.That(new Shape(1 << 20, 1 << 20).Count, Is.EqualTo(1L << 40));
        Assert.That(
            () => new Shape(2, 3)[2],
            Throws.TypeOf<ShapeException>().With.Message.Contains("[2, 3]").And.Message.Contains("axis 2"));
        Assert.That(() => new Shape(2, 3)[-3], Throws.TypeOf<ShapeException>());
        Assert.That(() => default(Shape).DropFirst(), Throws.TypeOf<ShapeException>().With.Message.Contains("scalar"));
        Assert.That(() => new Shape(1, 1, 1, 1, 1, 1, 1, 1).Prepend(1), Throws.TypeOf<ShapeException>());
    }

    private static int[] Extents(int[] numbers) => [.. numbers.Take(Shape.MaxRank).Select(number => (number & int.MaxValue) % 9)];
}
