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
        // Short rows that begin within sectors.
        .. from rows in new[] { 5, 40, 2049 }
           from length in new[] { 33, 47, 77, 127 }
           select new TrafficCase(
               $"layer normalization of a sum, {rows} short rows of {length}",
               [X(rows, length), X(rows, length), X(length), X(length)], x => Normalize((x[0] * 2) + x[1], x)),
        // The sum is read again, and gives its gradient to the normalization's.
        .. new[] { 33, 77, 256 }.Select(length => new TrafficCase(
            $"layer normalization of a sum of {length} that is read again",
            [X(512, length), X(512, length), X(length), X(length)],
            x =>
            {
                Value sum = (x[0] * 2) + x[1];
                return Normalize(sum, x) * sum;
            })),
        // A residual that repeats, such as positions, is read once for every four repetitions at least.
        .. from shape in new[] { (8, 64), (3, 40), (40, 2), (17, 16), (40, 64) }
           from length in new[] { 77, 128, 256, 768 }
           select new TrafficCase(
               $"layer normalization of a sum, {shape.Item1} repetitions of {shape.Item2} rows of {length}",
               [X(shape.Item1, shape.Item2, length), X(shape.Item2, length), X(length), X(length)],
               x => Normalize((x[0] * 2) + x[1], x)),
        // Longer rows whose repetitions begin elsewhere within a sector.
        .. from shape in new[] { (8, 5), (8, 67), (3, 41), (40, 1), (17, 12) }
           from length in new[] { 129, 301, 510, 1001, 2041 }
           select new TrafficCase(
               $"layer normalization of a sum, {shape.Item1} repetitions of {shape.Item2} rows of {length}",
               [X(shape.Item1, shape.Item2, length), X(shape.Item2, length), X(length), X(length)],
               x => Normalize((x[0] * 2) + x[1], x)),
        .. new[] { 77, 256 }.Select(length => new TrafficCase(
            $"layer normalization of rows of a table of {length} and positions",
            [Tokens, X(512, length), X(length), X(length), X(64, length)],
            x => Normalize(x[0].Reshape(new Shape(8, 64)).Embedding(x[1]) + x[4], x),
            // Rows in any order share sectors with neighbors that others read.
            ("embedding_backward", length % 8 == 0 ? 1.1 : 1.11))),
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

    /// <summary>Each row of a table once.</summary>
    private static OpInput Tokens => Rows(512, of: 512);

    private static Value Normalize(Value sum, Value[] x) => sum.LayerNorm(x[2], x[3]);

    private static Value Product(Value[] x) => x[0].Graph.Add(new DenseOp(), x[0], x[1], x[2]);
}
