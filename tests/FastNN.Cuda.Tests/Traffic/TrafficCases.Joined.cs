using FastNN.Ops;

namespace FastNN.Cuda.Tests;

/// <summary>What plans for a GPU join behind large products, and gradients of small tables.</summary>
internal static partial class TrafficCases
{
    private static IEnumerable<TrafficCase> Joined =>
    [
        .. new[] { 128, 256, 512, 1024, 2040 }.Select(length => new TrafficCase(
            $"layer normalization of a sum of {length}", [X(512, length), X(512, length), X(length), X(length)],
            x => ((x[0] * 2) + x[1]).LayerNorm(x[2], x[3]))),
        new(
            "layer normalization of a product and a residual",
            [X(1024, 256), X(256, 768), X(768), X(1024, 768), X(768), X(768)],
            x => (Product(x) + x[3]).LayerNorm(x[4], x[5])),
        new("GELU of a product", [X(1024, 256), X(256, 1024), X(1024)], x => Product(x).Gelu()),
        new("GELU by tanh of a product", [X(1024, 256), X(256, 1024), X(1024)], x => Product(x).GeluTanh()),
        new("SiLU of a product", [X(1024, 256), X(256, 1024), X(1024)], x => Product(x).SiLU()),
        // A block reads all indices for each row of the table.
        new(
            "rows of a small table",
            [OpInput.Integers("index", new Shape(1024), 0, 63, DType.Int32), X(64, 256)], x => x[0].Embedding(x[1]),
            ("embeddingrows_backward", 1.25), ("embedding_forward", 2)),
    ];

    private static Value Product(Value[] x) => x[0].Graph.Add(new DenseOp(), x[0], x[1], x[2]);
}
