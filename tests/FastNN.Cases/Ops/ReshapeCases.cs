namespace FastNN.Testing;

internal sealed class ReshapeCases : IOpCases
{
    public static IEnumerable<OpCase> Cases { get; } =
    [
        Case([1], []),
        Case([3, 7], [21]),
        Case([2, 3, 4], [4, 3, 2]),
        Case([129, 33], [33, 129]),
        Case([2, 2, 2, 2, 2, 2, 2, 2], [256]),
        new(
            "flatten [3, 7, 5, 2]", [OpInput.Uniform("x", new Shape(3, 7, 5, 2))], values => values[0].Flatten(),
            values => [.. values[0]])
        {
            ReferenceBackward = (_, dY) => [dY],
        },
        new("there and back", [OpInput.Uniform("x", new Shape(3, 7))],
            values => values[0].Reshape(new Shape(21)).Reshape(new Shape(7, 3)).Reshape(new Shape(3, 7)),
            values => [.. values[0]])
        {
            ReferenceBackward = (_, dY) => [dY],
        },
    ];

    private static OpCase Case(int[] from, int[] to) => new(
        $"{new Shape(from)} to {new Shape(to)}", [OpInput.Uniform("x", new Shape(from))],
        values => values[0].Reshape(new Shape(to)), values => [.. values[0]])
    {
        ReferenceBackward = (_, dY) => [dY],
    };
}
