using FastNN.Ops;

namespace FastNN.Cuda.Tests;

/// <summary>
/// Operators in shapes that few networks have: long rows, odd ones that begin within sectors, indices, sequences.
/// </summary>
internal static partial class TrafficCases
{
    public static IEnumerable<TrafficCase> All =>
        [.. Long, .. Odd, .. Indices, .. Sequences, .. Functions, .. Updates, .. Joined];

    /// <summary>Rows and columns too long to be kept, which are read twice, and lengths that have kernels of their own.</summary>
    private static IEnumerable<TrafficCase> Long =>
    [
        new(
            "softmax of rows of 9000", [X(16, 9000)], x => x[0].Softmax(), ("softmax_forward_long", 1.51),
            ("softmax_backward_long", 1.68)),
        new(
            "softmax down 4000 rows of 8", [X(2, 4000, 8)], x => x[0].Softmax(1), ("softmax_forward_walk", 1.51),
            ("softmax_backward_walk", 1.68)),
        new("layer normalization of 128", [X(1024, 128), X(128), X(128)], x => x[0].LayerNorm(x[1], x[2])),
        new("layer normalization of 512", [X(512, 512), X(512), X(512)], x => x[0].LayerNorm(x[1], x[2])),
        new("layer normalization of 2048", [X(128, 2048), X(2048), X(2048)], x => x[0].LayerNorm(x[1], x[2])),
        new("add one number", [X(1 << 18), X(1)], x => x[0] + x[1]),
        new("cumulative products of long rows", [Above(4, 12_000)], x => (x[0] * 0.5f).CumProd()),
        new("cumulative sums of very long rows", [X(4, 40_000)], x => x[0].CumSum()),
        new("cumulative products of very long rows", [Above(4, 40_000)], x => (x[0] * 0.5f).CumProd()),
        new("sorted rows of 200", [X(512, 200)], x => x[0].Sort().Values),
        new("sorted rows of 500", [X(256, 500)], x => x[0].Sort().Values),
        new("sorted rows of 1001", [X(128, 1001)], x => x[0].Sort().Values),
        new("sorted rows of 2000", [X(64, 2000)], x => x[0].Sort().Values),
        new("sorted rows of 5000", [X(16, 5000)], x => x[0].Sort().Values),
        new("sorted rows of 9001", [X(8, 9001)], x => x[0].Sort(descending: true).Values),
    ];

    /// <summary>Extents that are not multiples of 8: rows begin anywhere within sectors.</summary>
    private static IEnumerable<TrafficCase> Odd =>
    [
        new("softmax of rows of 1001", [X(256, 1001)], x => x[0].Softmax()),
        new("softmax of rows of 13", [X(2049, 13)], x => x[0].Softmax()),
        new("log-softmax down the middle", [X(4, 300, 257)], x => x[0].LogSoftmax(1)),
        new("softmax down 129 rows of 255", [X(2, 129, 255)], x => x[0].Softmax(1)),
        new("softmax down 3001 rows of 8", [X(2, 3001, 8)], x => x[0].Softmax(1)),
        new("softmax down 900 rows of 64", [X(1, 900, 64)], x => x[0].Softmax(1)),
        new("sum of the odd middle", [X(16, 257, 257)], x => x[0].Sum([1])),
        new("sum of the middle of 129", [X(16, 257, 129)], x => x[0].Sum([1])),
        // Gradients of a row that is added to a matrix, or multiplied by it.
        .. from rows in new[] { 2, 7, 40, 2049 }
           from columns in new[] { 129, 185, 186, 257, 391, 1001, 1030, 1036 }
           from sum in new[] { true, false }
           select new TrafficCase(
               $"a row of {columns} {(sum ? "added to" : "times")} {rows} rows", [X(rows, columns), X(columns)],
               x => sum ? x[0] + x[1] : x[0] * x[1]),
        // Reductions over the middle and their gradients: long columns, whose outer places begin within sectors, and short ones,
        // of several outer places to a block.
        .. from function in new[] { ReduceFunction.Sum, ReduceFunction.Variance, ReduceFunction.Prod }
           from shape in new int[][]
           {
               [1, 9001, 3], [1, 2049, 33], [16, 67, 33], [16, 257, 13], [17, 67, 31], [16, 257, 71], [15, 33, 63], [15, 17, 127],
               [5, 2049, 7], [9, 17, 482], [9, 5, 483], [15, 33, 120],
           }
           select Middle(function, shape),
        .. from shape in new int[][]
           {
               [2000, 2, 2], [2000, 2, 13], [301, 3, 24], [301, 15, 7], [301, 2, 32], [301, 2, 33], [301, 3, 63], [301, 15, 129],
               [301, 2, 257], [301, 2, 482], [301, 2, 483], [301, 3, 1001],
           }
           select Middle(ReduceFunction.Prod, shape) with
           {
               // Columns that come to shared memory with room behind every few of them.
               MostConflicts = 1.1,
           },
        new("sum of odd columns", [X(4099, 391)], x => x[0].Sum([0])),
        new("largest of the odd middle", [X(16, 257, 129)], x => x[0].Max([1])),
        new("variance of the odd middle", [X(8, 129, 257)], x => x[0].Variance([1])),
        new("sum of rows of 1001", [X(256, 1001)], x => x[0].Sum([1])),
        new("largest of rows of 1001", [X(256, 1001)], x => x[0].Max([1])),
        new("variance of rows of 77", [X(1025, 77)], x => x[0].Variance([1])),
        new("sum of all of 100003", [X(100_003)], x => x[0].Sum()),
        new("layer normalization of 1001", [X(256, 1001), X(1001), X(1001)], x => x[0].LayerNorm(x[1], x[2])),
        new("layer normalization of 300", [X(1025, 300), X(300), X(300)], x => x[0].LayerNorm(x[1], x[2])),
        new("layer normalization of 129", [X(2049, 129), X(129), X(129)], x => x[0].LayerNorm(x[1], x[2])),
        new("layer normalization of 103", [X(2049, 103), X(103), X(103)], x => x[0].LayerNorm(x[1], x[2])),
        new("layer normalization of 33", [X(2049, 33), X(33), X(33)], x => x[0].LayerNorm(x[1], x[2])),
        new("layer normalization of 77", [X(40, 77), X(77), X(77)], x => x[0].LayerNorm(x[1], x[2])),
        new("RMS normalization of 2041", [X(129, 2041), X(2041)], x => x[0].RMSNorm(x[1])),
        .. from rows in new[] { 1, 5, 17, 40, 63, 201 }
           from length in new[] { 301, 1001, 2041 }
           select new TrafficCase(
               $"layer normalization of {rows} rows of {length}", [X(rows, length), X(length), X(length)],
               x => x[0].LayerNorm(x[1], x[2])),
        .. from rows in new[] { 5, 63 }
           from length in new[] { 129, 301, 1001, 2041 }
           select new TrafficCase(
               $"layer normalization of a sum, {rows} rows of {length}", [X(rows, length), X(rows, length), X(length), X(length)],
               x => ((x[0] * 2) + x[1]).LayerNorm(x[2], x[3])),
        .. from rows in new[] { 2883, 2884 }
           from channels in new[] { 3, 12, 33, 66, 68, 100, 129, 257, 1001 }
           select BatchNorm(rows, channels),
        .. from rows in new[] { 21, 61, 67, 201 }
           from channels in new[] { 33, 66, 67, 121, 202, 257, 1001 }
           select BatchNorm(rows, channels),
        // A channel or a few more than a block takes eight rows at a time of.
        .. from rows in new[] { 5, 21, 40, 64 }
           from channels in new[] { 129, 131, 137, 143 }
           select BatchNorm(rows, channels),
        new("group normalization of 129, 41 rows", [X(3, 41, 129), X(129), X(129)], x => x[0].GroupNorm(43, x[1], x[2]))
        {
            MostConflicts = 0.7,
        },
        // All rows of eight channels in a block, which are few.
        .. from rows in new[] { 2, 5, 17, 33, 65, 129, 257 }
           from channels in new[] { 8, 64 }
           from relu in new[] { false, true }
           select BatchNorm(rows, channels, relu),
        new("group normalization of 33", [X(4, 961, 33), X(33), X(33)], x => x[0].GroupNorm(11, x[1], x[2]))
        {
            MostConflicts = 0.7,
        },
        new("group normalization of 200", [X(3, 961, 200), X(200), X(200)], x => x[0].GroupNorm(8, x[1], x[2])),
        new("group normalization of 257", [X(3, 129, 257), X(257), X(257)], x => x[0].GroupNorm(1, x[1], x[2])),
        new("group normalization of 1001", [X(2, 129, 1001), X(1001), X(1001)], x => x[0].GroupNorm(143, x[1], x[2]))
        {
            // A group whose weights begin again with the next batch's.
            MostConflicts = 0.0013,
        },
        // Groups of more than a block has in shared memory.
        .. from batches in new[] { 1, 2, 11 }
           from channels in new[] { 1032, 1101, 2048 }
           select new TrafficCase(
               $"group normalization of {channels}, {batches} batches", [X(batches, 67, channels), X(channels), X(channels)],
               x => x[0].GroupNorm(1, x[1], x[2]))
           {
               MostConflicts = 1.2,
           },
        new("group normalization of 40 batches", [X(40, 129, 33), X(33), X(33)], x => x[0].GroupNorm(11, x[1], x[2]))
        {
            MostConflicts = 0.72,
        },
        new("instance normalization of 33", [X(16, 961, 33), X(33), X(33)], x => x[0].InstanceNorm(x[1], x[2]))
        {
            MostConflicts = 0.7,
        },
        new("cumulative sums down odd columns", [X(1000, 257)], x => x[0].CumSum(0)),
        new("cumulative products down odd columns", [Above(300, 257)], x => x[0].CumProd(0)),
        new("cumulative sums of rows of 1001", [X(256, 1001)], x => x[0].CumSum()),
        new("transpose of odd extents", [X(513, 257)], x => x[0].Transpose(), ("rearrange_tiles_", 1.25)),
    ];

    private static TrafficCase Middle(ReduceFunction function, int[] shape) => new(
        $"{function} of the middle of {new Shape(shape)}", [OpInput.Uniform("x", new Shape(shape), 0.9, 1.1)],
        x => Reduce(function, x[0], [1]));

    private static TrafficCase BatchNorm(int rows, int channels, bool relu = false) => new(
        $"batch normalization of {channels} channels, {rows} rows{(relu ? " and ReLU" : "")}",
        [X(rows, channels), X(channels).Constant(), X(channels).Constant(), X(channels), X(channels)],
        x =>
        {
            Value y = x[0].BatchNorm(x[1], x[2], x[3], x[4]);
            return relu ? y.ReLU() * 2 : y;
        })
    {
        // What belongs to the columns is read by threads of several rows.
        MostConflicts = 1.2,
    };

    /// <summary>
    /// Rows, elements and gradients by their indices. A row that is looked up again is read again; scattering has a thread for a
    /// range of places, which reads all indices; a sparse product reads a row of x for each block that is stored.
    /// </summary>
    private static IEnumerable<TrafficCase> Indices =>
    [
        new("embedding, each row once", [Rows(4096, of: 8192), X(8192, 64)], x => x[0].Embedding(x[1])),
        // Rows in any order that begin within sectors: (w + 7) / w of the bytes of rows of w have to be read, however it is done.
        new(
            "embedding of 33 columns, each row once", [Rows(2049, of: 2049), X(2049, 33)], x => x[0].Embedding(x[1]),
            ("embedding_forward", 1.11), ("embedding_backward", 1.25)),
        new(
            "embedding of 9 columns, each row once", [Rows(2049, of: 2049), X(2049, 9)], x => x[0].Embedding(x[1]),
            ("embedding_forward", 1.40), ("embedding_backward", 1.82)),
        Embedding("embedding with repeated rows", Classes(2500, 300), 300, 128),
        Embedding("embedding of one row", Classes(1000, 1), 1, 768),
        Embedding("embedding of 257 columns", Classes(700, 300), 300, 257),
        Embedding("embedding of 3000 columns", Classes(200, 300), 300, 3000),
        Embedding("embedding of many indices", Classes(9000, 5000), 5000, 72),
        .. Enum.GetValues<EmbeddingBagMode>().Select(mode => new TrafficCase(
            $"{mode} of bags", [Bags(512, 8, of: 300), X(300, 128)], x => x[0].EmbeddingBag(x[1], mode),
            ("embedding_forward", 2))),
        new(
            "scatter rows", [X(2048, 64), Rows(1024, of: 2048, width: 64), X(1024, 64)],
            x => x[0].Scatter(0, x[1].Reshape(new Shape(1024, 64)), x[2]), ("scatter_", 43.4)),
        new(
            "add to rows", [X(2048, 64), Rows(1024, of: 2048, width: 64), X(1024, 64)],
            x => x[0].ScatterAdd(0, x[1].Reshape(new Shape(1024, 64)), x[2]), ("scatter_", 32.8)),
        new(
            "sparse product", [X(SparseValues.StoredBlocks), X(129, 300)],
            x => x[1].SparseMatMul(SparseValues, x[0]), ("sparse_", 17.9)),
        new(
            "sparse product by blocks", [X(SparseBlocks.StoredBlocks, 4), X(129, 300)],
            x => x[1].SparseMatMul(SparseBlocks, x[0]), ("sparse_", 39.5)),
    ];

    /// <summary>
    /// Attention, whose blocks read keys and values again, positions, recurrent networks, and CTC, which goes through time step
    /// by step.
    /// </summary>
    private static IEnumerable<TrafficCase> Sequences =>
    [
        new("rotary positions", [X(4, 128, 8, 64)], x => x[0].Rotary(128, -3)),
        // Pairs of a head begin within sectors, or are less than one.
        new("rotary positions of narrow heads", [X(4, 129, 6, 8)], x => x[0].Rotary(129, -3)),
        new("rotary positions of odd heads", [X(4, 129, 3, 66)], x => x[0].Rotary(129, -3)) { MostConflicts = 0.7 },
        new("rotary positions of odd heads of neighbors", [X(4, 129, 3, 6)], x => x[0].Rotary(129, -3, interleaved: true)),
        new("rotary positions of one head", [X(9, 129, 1, 64)], x => x[0].Rotary(129, -3)),
        new("rotary positions of many odd heads", [X(2, 33, 50, 100)], x => x[0].Rotary(33, -3)) { MostConflicts = 0.7 },
        new("rotary positions of wide odd heads", [X(4, 33, 5, 510)], x => x[0].Rotary(33, -3)) { MostConflicts = 0.7 },
        new("rotary positions of neighbors", [X(4, 129, 6, 64)], x => x[0].Rotary(256, -3, interleaved: true)),
        new(
            "attention", [X(1, 2, 256, 64), X(1, 2, 256, 64), X(1, 2, 256, 64)],
            // One launch goes through all operands twice, by queries and by keys.
            x => x[0].ScaledDotProductAttention(x[1], x[2], causal: CausalMask.UpperLeft), ("scaleddotproduct_backward", 8.2),
            ("scaleddotproduct_", 5.6)),
        new(
            "CTC", [X(64, 8, 129), Classes(8 * 12, 128, from: 1, 8, 12), Classes(8, 1, from: 64), Classes(8, 1, from: 12)],
            x => x[0].LogSoftmax(2).CtcLoss(x[1], x[2], x[3]), ("ctc_", 3)),
        .. new[] { "LSTM", "GRU", "tanh", "ReLU" }.SelectMany(cell => new[] { false, true }.Select(own => Recurrent(cell, own))),
    ];

    /// <summary>A row that is looked up again is read again; the gradient of each row is written once.</summary>
    private static TrafficCase Embedding(string name, OpInput indices, int rows, int width) =>
        new(name, [indices, X(rows, width)], x => x[0].Embedding(x[1]), ("embedding_forward", 2));

    private static readonly SparseMatrix SparseValues = SparseCases.Matrix(256, 129, 0.1, 1);

    private static readonly SparseMatrix SparseBlocks = SparseCases.Matrix(256, 129, 0.1, 4);

    private static TrafficCase Recurrent(string cell, bool own)
    {
        int gates = cell == "LSTM" ? 4 : cell == "GRU" ? 3 : 1;
        const int Hidden = 101;
        return new TrafficCase(
            $"{cell} of {Hidden}{(own ? ", own kernels" : "")}",
            [
                X(6, 64, 129), X(129, gates * Hidden), X(Hidden, gates * Hidden), X(gates * Hidden), X(gates * Hidden),
                X(64, Hidden), .. gates == 4 ? [X(64, Hidden)] : Array.Empty<OpInput>()],
            x => Outputs(x)[0],
            // Blocks read weights and states again; weights of odd extents are turned for cuDNN in tiles of 32.
            ("recurrence_pack", 1.28), ("recurrence_unpack", 1.28), ("recurrence_bias", 1.1), ("recurrence_", 3.12))
        {
            IsWithoutCudnn = own,
        };

        Value[] Outputs(Value[] x) => cell switch
        {
            "LSTM" => x[0].Lstm(x[1], x[2], x[3], x[4], x[5], x[6]),
            "GRU" => x[0].Gru(x[1], x[2], x[3], x[4], x[5], null, true),
            _ => x[0].SimpleRnn(x[1], x[2], x[3], x[4], x[5], null, cell == "ReLU"),
        };
    }

    /// <summary>
    /// Rows in some order, no two of up to <paramref name="of"/> in a row alike, each so often.
    /// </summary>
    public static OpInput Rows(int count, int of, int width = 1) =>
        new(
            "index", new Shape(count * width),
            (_, length) => [.. Enumerable.Range(0, length).Select(i => (double)(i / width * 37 % of))])
        {
            IsInteger = true,
            IsDifferentiable = false,
        };

    /// <summary>So many numbers below a bound, in a shape if one is given.</summary>
    private static OpInput Classes(int count, int below, int from = 0, params int[] shape) => OpInput.Integers(
        "indices", shape.Length == 0 ? new Shape(count) : new Shape(shape), from, from + below - 1, DType.Int32);

    private static OpInput Bags(int bags, int length, int of) =>
        OpInput.Integers("indices", new Shape(bags, length), 0, of - 1, DType.Int32);

    public static OpInput Above(params int[] extents) => OpInput.Uniform("x", new Shape(extents), 1, 2);

    public static OpInput X(params int[] extents) => OpInput.Uniform("x", new Shape(extents));
}
