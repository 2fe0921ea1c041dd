using FastNN.Graphs;

namespace FastNN.Tests.Ops;

internal sealed class ReshapeTests : OpFixture<ReshapeTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases { get; } =
    [
        Case([1], []),
        Case([3, 7], [21]),
        Case([2, 3, 4], [4, 3, 2]),
        Case([129, 33], [33, 129]),
        Case([2, 2, 2, 2, 2, 2, 2, 2], [256]),
        new("flatten [3, 7, 5, 2]", [OpInput.Uniform("x", new Shape(3, 7, 5, 2))], values => values[0].Flatten(), values => [.. values[0]])
        {
            ReferenceBackward = (_, dY) => [dY],
        },
        new("there and back", [OpInput.Uniform("x", new Shape(3, 7))],
            values => values[0].Reshape(new Shape(21)).Reshape(new Shape(7, 3)).Reshape(new Shape(3, 7)), values => [.. values[0]])
        {
            ReferenceBackward = (_, dY) => [dY],
        },
    ];

    [Test]
    public void Another_number_of_elements_is_named()
    {
        Value x = new Graph(GraphMode.Training).Input(new Shape(2, 3));
        Assert.That(
            () => x.Reshape(new Shape(7)), Throws.TypeOf<ShapeException>().With.Message.Contains("Reshape").And.Message.Contains("[2, 3]").And.Message.Contains("[7]"));
    }

    [Test]
    public void A_view_takes_no_memory()
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(64, 64));
        Value y = x.Flatten().Reshape(new Shape(4096)).Reshape(new Shape(16, 256));
        Assert.That(Compiler.Compile(One, graph, [y]).Buffers, Has.Count.EqualTo(1));
    }

    private static OpCase Case(int[] from, int[] to) => new(
        $"{new Shape(from)} to {new Shape(to)}", [OpInput.Uniform("x", new Shape(from))], values => values[0].Reshape(new Shape(to)), values => [.. values[0]])
    {
        ReferenceBackward = (_, dY) => [dY],
    };
}
