namespace FastNN.Cuda.Tests;

/// <summary>
/// Operators in shapes of which every kernel can move each datum once: large ones, and odd ones whose rows begin within sectors.
/// </summary>
internal static partial class TrafficCases
{
    public static IEnumerable<TrafficCase> All =>
        [.. Large, .. Long, .. Odd, .. Indices, .. Sequences, .. Functions, .. Updates];

    private static IEnumerable<TrafficCase> Large =>
    [
        new("relu", [X(1 << 20)], x => x[0].ReLU()),
        new("gelu", [X((1 << 20) + 4)], x => x[0].Gelu()),
        new("add", [X(1024, 1024), X(1024, 1024)], x => x[0] + x[1]),
        new("multiply by a row", [X(4096, 256), X(256)], x => x[0] * x[1]),
        new("add a column", [X(2048, 512), X(2048, 1)], x => x[0] + x[1]),
        new("subtract a column", [X(2048, 512), X(2048, 1)], x => x[0] - x[1]),
        new("a row less a matrix", [X(256), X(4096, 256)], x => x[0] - x[1]),
        new("divide", [X(1024, 1024), Above(1024, 1024)], x => x[0] / x[1]),
        new("a number over", [Above(1 << 20)], x => 1f / x[0]),
        new("power", [Above(1 << 20)], x => x[0].Pow(3)),
        new("maximum", [X(1024, 1024), X(1024, 1024)], x => x[0].Maximum(x[1])),
        new("choose by a comparison", [X(1 << 20), X(1 << 20)], x => ShapeOperators.Where(x[0] > x[1], x[0], x[1])),
        new("softmax of 10", [X(8192, 10)], x => x[0].Softmax()),
        new("softmax of 1000", [X(1024, 1000)], x => x[0].Softmax()),
        new("log-softmax of columns", [X(32, 64, 256)], x => x[0].LogSoftmax(1)),
        new("layer normalization of 256", [X(1024, 256), X(256), X(256)], x => x[0].LayerNorm(x[1], x[2])),
        new("layer normalization of 1024", [X(512, 1024), X(1024), X(1024)], x => x[0].LayerNorm(x[1], x[2])),
        new("RMS normalization of 4096", [X(128, 4096), X(4096)], x => x[0].RMSNorm(x[1])),
        new(
            "batch normalization", [X(4, 28, 28, 128), X(128).Constant(), X(128).Constant(), X(128), X(128)],
            x => x[0].BatchNorm(x[1], x[2], x[3], x[4])),
        new(
            "batch normalization of 16", [X(16, 32, 32, 16), X(16).Constant(), X(16).Constant(), X(16), X(16)],
            x => x[0].BatchNorm(x[1], x[2], x[3], x[4])),
        new(
            "batch normalization, a residual and ReLU",
            [X(4, 28, 28, 128), X(128).Constant(), X(128).Constant(), X(128), X(128), X(4, 28, 28, 128)],
            x => (x[0].BatchNorm(x[1], x[2], x[3], x[4]) + x[5]).ReLU() * 2),
        new(
            "batch normalization of few rows, a residual and ReLU",
            [X(8, 14, 14, 128), X(128).Constant(), X(128).Constant(), X(128), X(128), X(8, 14, 14, 128)],
            x => (x[0].BatchNorm(x[1], x[2], x[3], x[4]) + x[5]).ReLU() * 2),
        new(
            "batch normalization of 128 rows and ReLU",
            [X(128, 1024), X(1024).Constant(), X(1024).Constant(), X(1024), X(1024)],
            x => x[0].BatchNorm(x[1], x[2], x[3], x[4]).ReLU() * 2),
        new("group normalization", [X(4, 32, 32, 64), X(64), X(64)], x => x[0].GroupNorm(8, x[1], x[2])),
        new("instance normalization", [X(4, 32, 32, 64), X(64), X(64)], x => x[0].InstanceNorm(x[1], x[2])),
        new("max pooling", [X(8, 56, 56, 64)], x => x[0].MaxPool2D((2, 2))),
        new("average pooling", [X(8, 56, 56, 64)], x => x[0].AvgPool2D((2, 2))),
        new("global pooling", [X(8, 28, 28, 128)], x => x[0].GlobalAvgPool2D()),
        new("unfold into patches", [X(8, 56, 56, 32)], x => x[0].Unfold(2, stride: 2)),
        new("fold of patches", [X(8, 28 * 28, 4 * 32)], x => x[0].Fold(56, 2, stride: 2)),
        new("largest of an image", [X(8, 28, 28, 128)], x => x[0].GlobalMaxPool2D()),
        new("mean of a volume", [X(4, 8, 14, 14, 64)], x => x[0].GlobalAvgPool3D()),
        new("max pooling of sequences", [X(8, 2048, 64)], x => x[0].MaxPool1D(2)),
        new("bins that tile", [X(8, 28, 28, 64)], x => x[0].AdaptiveAvgPool2D(7)),
        new("largest of bins that tile", [X(8, 28, 28, 64)], x => x[0].AdaptiveMaxPool2D(7)),
        new("dropout", [X(1 << 20)], x => x[0].Dropout(0.5f)),
        new("transpose", [X(512, 256)], x => x[0].Transpose()),
        new("channels first", [X(2, 128, 128, 3)], x => x[0].Permute(0, 3, 1, 2)),
        new("channels last", [X(2, 3, 128, 128)], x => x[0].Permute(0, 2, 3, 1)),
        new("heads", [X(4, 128, 8, 64)], x => x[0].Permute(0, 2, 1, 3)),
        new("slice of columns", [X(512, 256)], x => x[0].Slice(1, 64, 192)),
        new("sum of all", [X(1 << 20)], x => x[0].Sum()),
        new("mean of rows", [X(1024, 512)], x => x[0].Mean([1])),
        new("largest of columns", [X(2048, 256)], x => x[0].Max([0])),
        new("variance of short rows", [X(8192, 24)], x => x[0].Variance([1])),
        new("sum of the middle", [X(16, 256, 64)], x => x[0].Sum([1])),
        new(
            "where", [OpInput.Bits("c", new Shape(512, 256)), X(512, 256), X(512, 256)],
            x => ShapeOperators.Where(x[0], x[1], x[2])),
        new("cast", [X(1 << 20)], x => x[0].Cast(DType.Float16).Cast(DType.Float32)),
        new("mean of Huber losses", [X(1 << 20), X(1 << 20)], x => new HuberLoss().Apply(x[0], x[1])),
        new(
            "divergences", [X(512, 256), X(512, 256).Constant()],
            x => new KLDivergenceLoss { LogTargets = true, Reduction = Reduction.None }.Apply(x[0], x[1])),
        new("cumulative sums of rows", [X(512, 1000)], x => x[0].CumSum()),
        new("cumulative sums of short rows", [X(4096, 40)], x => x[0].CumSum(exclusive: true, reverse: true)),
        new("cumulative sums of long rows", [X(64, 12_000)], x => x[0].CumSum(reverse: true)),
        new("cumulative sums of columns", [X(256, 2048)], x => x[0].CumSum(0)),
        new("cumulative products", [X(512, 1024)], x => x[0].CumProd()),
        new("sorted rows", [X(256, 1000)], x => x[0].Sort().Values),
        new("sorted short rows", [X(4096, 24)], x => x[0].Sort(descending: true).Values),
        new("gate", [X(1024, 1024), X(1024, 1024)], x => x[0].SiLUGate(x[1])),
        new("concat", [X(512, 256), X(512, 128)], x => Operators.Concat(1, x[0], x[1])),
        new("expand rows", [X(1, 1024)], x => x[0].Expand(512, 1024)),
        new("expand columns", [X(1024, 1)], x => x[0].Expand(1024, 512)),
        new("tile", [X(256, 256)], x => x[0].Tile(2, 3)),
        new("flip of rows", [X(512, 256)], x => x[0].Flip(0)),
        new("flip of columns", [X(512, 256)], x => x[0].Flip(1)),
        new("roll of images", [X(4, 32, 32, 64)], x => x[0].Roll([3, -3], [1, 2])),
        new("lower triangle", [X(8, 256, 256)], x => x[0].Tril()),
        new("pad images", [X(4, 32, 32, 64)], x => x[0].Pad([0, 0, 1, 1, 1, 1])),
        new("reflect images", [X(4, 64, 64, 32)], x => x[0].Pad([0, 0, 2, 2, 2, 2], PadMode.Reflect)),
        new(
            "select rows", [X(2048, 256), Rows(1024, of: 2048)],
            x => x[0].IndexSelect(0, x[1])),
        new(
            "gather between", [X(32, 64, 256), Rows(1024, of: 64, width: 256)],
            x => x[0].Gather(1, x[1].Reshape(new Shape(32, 32, 256)))),
        new(
            "one-hot", [OpInput.Integers("index", new Shape(4096), 0, 127, DType.Int32), X(4096, 128)],
            x => x[0].OneHot(128) * x[1]),
    ];

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
        new("sorted rows of 2000", [X(64, 2000)], x => x[0].Sort().Values),
        // A binary search for each element in a run beside its own.
        new("sorted rows of 5000", [X(16, 5000)], x => x[0].Sort().Values, ("sort_merge", 20)),
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
        new("sum of odd columns", [X(4099, 391)], x => x[0].Sum([0])),
        new("largest of the odd middle", [X(16, 257, 129)], x => x[0].Max([1])),
        new("variance of the odd middle", [X(8, 129, 257)], x => x[0].Variance([1])),
        new("sum of rows of 1001", [X(256, 1001)], x => x[0].Sum([1])),
        new("largest of rows of 1001", [X(256, 1001)], x => x[0].Max([1])),
        new("variance of rows of 77", [X(1025, 77)], x => x[0].Variance([1])),
        new("sum of all of 100003", [X(100_003)], x => x[0].Sum()),
        new("layer normalization of 1001", [X(256, 1001), X(1001), X(1001)], x => x[0].LayerNorm(x[1], x[2])),
        new("layer normalization of 300", [X(1025, 300), X(300), X(300)], x => x[0].LayerNorm(x[1], x[2])),
        // A block reads weights for 16 rows, which are short.
        new(
            "layer normalization of 129", [X(2049, 129), X(129), X(129)], x => x[0].LayerNorm(x[1], x[2]),
            ("layernorm_forward_256", 1.13)),
        new("RMS normalization of 2041", [X(129, 2041), X(2041)], x => x[0].RMSNorm(x[1])),
        new("cumulative sums down odd columns", [X(1000, 257)], x => x[0].CumSum(0)),
        new("cumulative products down odd columns", [Above(300, 257)], x => x[0].CumProd(0)),
        new("cumulative sums of rows of 1001", [X(256, 1001)], x => x[0].CumSum()),
        new("transpose of odd extents", [X(513, 257)], x => x[0].Transpose(), ("rearrange_tiles_", 1.25)),
    ];

    /// <summary>
    /// Rows, elements and gradients by their indices. A row that is looked up again is read again; scattering has a thread for a
    /// range of places, which reads all indices; a sparse product reads a row of x for each block that is stored.
    /// </summary>
    private static IEnumerable<TrafficCase> Indices =>
    [
        new("embedding, each row once", [Rows(4096, of: 8192), X(8192, 64)], x => x[0].Embedding(x[1])),
        Embedding("embedding with repeated rows", Classes(2500, 300), 300, 128),
        Embedding("embedding of one row", Classes(1000, 1), 1, 768),
        Embedding("embedding of 257 columns", Classes(700, 300), 300, 257),
        Embedding("embedding of 3000 columns", Classes(200, 64), 64, 3000),
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
        new("rotary positions of neighbors", [X(4, 129, 6, 64)], x => x[0].Rotary(256, -3, interleaved: true)),
        new(
            "attention", [X(1, 2, 256, 64), X(1, 2, 256, 64), X(1, 2, 256, 64)],
            x => x[0].ScaledDotProductAttention(x[1], x[2], causal: CausalMask.UpperLeft), ("scaleddotproduct_", 5.6)),
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
            ("recurrence_pack", 1.28), ("recurrence_unpack", 1.28), ("recurrence_bias", 1.29), ("recurrence_", 3.12))
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
    private static OpInput Rows(int count, int of, int width = 1) =>
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

    private static OpInput Above(params int[] extents) => OpInput.Uniform("x", new Shape(extents), 1, 2);

    private static OpInput X(params int[] extents) => OpInput.Uniform("x", new Shape(extents));
}
