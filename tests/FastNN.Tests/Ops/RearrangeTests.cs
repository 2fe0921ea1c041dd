using FastNN.Graphs;

namespace FastNN.Tests.Ops;

internal sealed class RearrangeTests : CpuOpFixture<RearrangeCases>
{
    [Test]
    public void Slices_and_splits_along_the_first_axis_take_no_memory()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(6, 5));
        Value[] parts = x.Slice(0, 1, 6).Split(0, 2, 3);
        Plan plan = Compiler.Compile(One, graph, parts);
        Assert.That(plan.Buffers, Has.Count.EqualTo(1));
        Assert.That(plan.Values[parts[1]].Offset, Is.EqualTo(3 * 5 * sizeof(float)));
    }

    [Test]
    public void A_part_of_a_symbolic_axis_follows_its_extent()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([Dim.Batch, 4]);
        Assert.That(x.Slice(1, 1).Shape, Is.EqualTo(new Shape([x.Shape[0], 3])));
        Assert.That(x.Transpose().Shape, Is.EqualTo(new Shape([4, x.Shape[0]])));
    }

    [Test]
    public void Features_behind_a_flattened_image_are_followed_only_where_their_order_stays()
    {
        Value flat = new Graph(GraphMode.Inference).Input(new Shape(5, 3, 2, 4)).Flatten();
        Assert.That(flat.Slice(0, 1).FlattenedImage, Is.EqualTo(new Shape(3, 2, 4)));
        Assert.That(flat.Slice(0, step: -1).FlattenedImage, Is.EqualTo(new Shape(3, 2, 4)));
        Assert.That(flat.Slice(1, step: -1).FlattenedImage, Is.Null);
        Assert.That(flat.Cast(DType.Float16).FlattenedImage, Is.EqualTo(new Shape(3, 2, 4)));
        Assert.That(flat.Reshape([5, 1, 24]).Permute(1, 0, 2).FlattenedImage, Is.EqualTo(new Shape(3, 2, 4)));
    }

    [Test]
    public void What_does_not_fit_is_named()
    {
        Value x = new Graph(GraphMode.Training).Input(new Shape(2, 3));
        Assert.That(
            () => x.Permute(0, 0),
            Throws.TypeOf<ShapeException>().With.Message.Contains("Permute").And.Message.Contains("[2, 3]"));
        Assert.That(() => x.Permute(0, 1, 2), Throws.TypeOf<ShapeException>());
        Assert.That(() => x.Slice(1, step: 0), Throws.TypeOf<ShapeException>().With.Message.Contains("step"));
        Assert.That(() => x.Slice(2), Throws.TypeOf<ShapeException>().With.Message.Contains("axis 2"));
        Assert.That(
            () => x.Split(1, 1, 1), Throws.TypeOf<ShapeException>().With.Message.Contains("Split").And.Message.Contains("3"));
        Assert.That(() => x.Chunk(2), Throws.TypeOf<ShapeException>().With.Message.Contains("Chunk"));
        Assert.That(() => ShapeOperators.Stack(3, x), Throws.TypeOf<ShapeException>().With.Message.Contains("Stack"));
    }
}
