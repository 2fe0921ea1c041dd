using FastNN.Graphs;

namespace FastNN.Tests.Ops;

internal sealed class ReshapeTests : CpuOpFixture<ReshapeCases>
{
    [Test]
    public void Another_number_of_elements_is_named()
    {
        Value x = new Graph(GraphMode.Training).Input(new Shape(2, 3));
        Assert.That(
            () => x.Reshape(new Shape(7)),
            Throws.TypeOf<ShapeException>().With.Message.Contains("Reshape").And.Message.Contains("[2, 3]").And.Message.Contains(
                "[7]"));
    }

    [Test]
    public void A_view_takes_no_memory()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(64, 64));
        Value y = x.Flatten().Reshape(new Shape(4096)).Reshape(new Shape(16, 256));
        Assert.That(Compiler.Compile(One, graph, [y]).Buffers, Has.Count.EqualTo(1));
    }
}
