using System.Reflection;
using FastNN.Functions;

namespace FastNN.Generate;

/// <summary>docs/operators.md: every operator with its types, its gradient, and its names in ONNX and PyTorch.</summary>
internal static class OperatorPage
{
    private const string Moves = "all", Floats = "float32";

    /// <summary>What is not said in a function's row: by the name of the call.</summary>
    private static readonly Dictionary<string, Row> Rows = new(StringComparer.Ordinal)
    {
        ["AdaptiveAvgPool1D"] = new(Floats, true, "", "adaptive_avg_pool1d"),
        ["AdaptiveAvgPool2D"] = new(Floats, true, "", "adaptive_avg_pool2d"),
        ["AdaptiveAvgPool3D"] = new(Floats, true, "", "adaptive_avg_pool3d"),
        ["AdaptiveMaxPool1D"] = new(Floats, true, "", "adaptive_max_pool1d"),
        ["AdaptiveMaxPool1DWithIndices"] = new(Floats, true, "", "adaptive_max_pool1d"),
        ["AdaptiveMaxPool2D"] = new(Floats, true, "", "adaptive_max_pool2d"),
        ["AdaptiveMaxPool2DWithIndices"] = new(Floats, true, "", "adaptive_max_pool2d"),
        ["AdaptiveMaxPool3D"] = new(Floats, true, "", "adaptive_max_pool3d"),
        ["AdaptiveMaxPool3DWithIndices"] = new(Floats, true, "", "adaptive_max_pool3d"),
        ["AffineGrid"] = new(Floats, true, "AffineGrid", "affine_grid"),
        ["All"] = new("bool", false, "", "all"),
        ["Any"] = new("bool", false, "", "any"),
        ["ArgMax"] = new("float32 to int64", false, "ArgMax", "argmax"),
        ["ArgMin"] = new("float32 to int64", false, "ArgMin", "argmin"),
        ["ArgSort"] = new("float32 to int32", false, "", "argsort"),
        ["AvgPool1D"] = new(Floats, true, "AveragePool", "avg_pool1d"),
        ["AvgPool2D"] = new(Floats, true, "AveragePool", "avg_pool2d"),
        ["AvgPool3D"] = new(Floats, true, "AveragePool", "avg_pool3d"),
        ["BatchNorm"] = new(Floats, true, "BatchNormalization", "batch_norm"),
        ["Bilinear"] = new(Floats, true, "", "bilinear"),
        ["BinaryCrossEntropyLoss"] = new(Floats, true, "", "binary_cross_entropy"),
        ["BitwiseNot"] = new("int32", false, "BitwiseNot", "bitwise_not"),
        ["Cast"] = new(Moves, true, "Cast", "Tensor.to"),
        ["Chunk"] = new(Moves, true, "Split", "chunk"),
        ["Concat"] = new(Moves, true, "Concat", "cat"),
        ["Conv1D"] = new(Floats, true, "Conv", "conv1d"),
        ["Conv2D"] = new(Floats, true, "Conv", "conv2d"),
        ["Conv3D"] = new(Floats, true, "Conv", "conv3d"),
        ["ConvTranspose1D"] = new(Floats, true, "ConvTranspose", "conv_transpose1d"),
        ["ConvTranspose2D"] = new(Floats, true, "ConvTranspose", "conv_transpose2d"),
        ["ConvTranspose3D"] = new(Floats, true, "ConvTranspose", "conv_transpose3d"),
        ["CosineEmbeddingLoss"] = new(Floats, true, "", "cosine_embedding_loss"),
        ["CtcLoss"] = new("float32; int32", true, "", "ctc_loss"),
        ["CumProd"] = new(Floats, true, "CumProd", "cumprod"),
        ["CumSum"] = new(Floats, true, "CumSum", "cumsum"),
        ["Dense"] = new(Floats, true, "Gemm", "linear"),
        ["Diagonal"] = new(Moves, true, "", "diagonal"),
        ["DiceLoss"] = new(Floats, true, "", ""),
        ["Dot"] = new(Floats, true, "", "dot"),
        ["Dropout"] = new(Floats, true, "Dropout", "dropout"),
        ["Einsum"] = new(Floats, true, "Einsum", "einsum"),
        ["Embedding"] = new("int32, int64; float32", true, "Gather", "embedding"),
        ["EmbeddingBag"] = new("int32, int64; float32", true, "", "embedding_bag"),
        ["Expand"] = new(Moves, true, "Expand", "Tensor.expand"),
        ["Flatten"] = new(Moves, true, "Flatten", "flatten"),
        ["Flip"] = new(Moves, true, "", "flip"),
        ["Fold"] = new(Floats, true, "Col2Im", "fold"),
        ["GLU"] = new(Floats, true, "", "glu"),
        ["Gather"] = new(Moves, true, "GatherElements", "gather"),
        ["GaussianLoss"] = new(Floats, true, "", "gaussian_nll_loss"),
        ["GeGLU"] = new(Floats, true, "", ""),
        ["GlobalAvgPool1D"] = new(Floats, true, "GlobalAveragePool", "adaptive_avg_pool1d"),
        ["GlobalAvgPool2D"] = new(Floats, true, "GlobalAveragePool", "adaptive_avg_pool2d"),
        ["GlobalAvgPool3D"] = new(Floats, true, "GlobalAveragePool", "adaptive_avg_pool3d"),
        ["GlobalMaxPool1D"] = new(Floats, true, "GlobalMaxPool", "adaptive_max_pool1d"),
        ["GlobalMaxPool2D"] = new(Floats, true, "GlobalMaxPool", "adaptive_max_pool2d"),
        ["GlobalMaxPool3D"] = new(Floats, true, "GlobalMaxPool", "adaptive_max_pool3d"),
        ["GridSample"] = new(Floats, true, "GridSample", "grid_sample"),
        ["GroupNorm"] = new(Floats, true, "GroupNormalization", "group_norm"),
        ["Gru"] = new(Floats, true, "GRU", "gru"),
        ["IndexSelect"] = new(Moves, true, "Gather", "index_select"),
        ["InfoNCELoss"] = new(Floats, true, "", ""),
        ["InstanceNorm"] = new(Floats, true, "InstanceNormalization", "instance_norm"),
        ["Interpolate"] = new(Floats, true, "Resize", "interpolate"),
        ["InterpolateBy"] = new(Floats, true, "Resize", "interpolate"),
        ["LayerNorm"] = new(Floats, true, "LayerNormalization", "layer_norm"),
        ["LocalResponseNorm"] = new(Floats, true, "LRN", "local_response_norm"),
        ["LogSoftmax"] = new(Floats, true, "LogSoftmax", "log_softmax"),
        ["LogSumExp"] = new(Floats, true, "ReduceLogSumExp", "logsumexp"),
        ["LpPool1D"] = new(Floats, true, "LpPool", "lp_pool1d"),
        ["LpPool2D"] = new(Floats, true, "LpPool", "lp_pool2d"),
        ["LpPool3D"] = new(Floats, true, "LpPool", "lp_pool3d"),
        ["Lstm"] = new(Floats, true, "LSTM", "lstm"),
        ["MarginRankingLoss"] = new(Floats, true, "", "margin_ranking_loss"),
        ["MaskedFill"] = new(Moves, true, "Where", "masked_fill"),
        ["MatMul"] = new(Floats, true, "MatMul", "matmul"),
        ["MatVec"] = new(Floats, true, "MatMul", "mv"),
        ["Max"] = new(Floats, true, "ReduceMax", "amax"),
        ["MaxPool1D"] = new(Floats, true, "MaxPool", "max_pool1d"),
        ["MaxPool1DWithIndices"] = new(Floats, true, "MaxPool", "max_pool1d"),
        ["MaxPool2D"] = new(Floats, true, "MaxPool", "max_pool2d"),
        ["MaxPool2DWithIndices"] = new(Floats, true, "MaxPool", "max_pool2d"),
        ["MaxPool3D"] = new(Floats, true, "MaxPool", "max_pool3d"),
        ["MaxPool3DWithIndices"] = new(Floats, true, "MaxPool", "max_pool3d"),
        ["Mean"] = new(Floats, true, "ReduceMean", "mean"),
        ["Meshgrid"] = new(Moves, true, "", "meshgrid"),
        ["Min"] = new(Floats, true, "ReduceMin", "amin"),
        ["MultiMarginLoss"] = new(Floats, true, "", "multi_margin_loss"),
        ["Norm"] = new(Floats, true, "ReduceL1, ReduceL2", "norm"),
        ["Not"] = new("bool", false, "Not", "logical_not"),
        ["OneHot"] = new("int32, int64", false, "OneHot", "one_hot"),
        ["PackedAttention"] = new(Floats, true, "", "scaled_dot_product_attention"),
        ["Pad"] = new(Moves, true, "Pad", "pad"),
        ["Permute"] = new(Moves, true, "Transpose", "permute"),
        ["PixelShuffle"] = new(Moves, true, "DepthToSpace", "pixel_shuffle"),
        ["PixelUnshuffle"] = new(Moves, true, "SpaceToDepth", "pixel_unshuffle"),
        ["Prod"] = new(Floats, true, "ReduceProd", "prod"),
        ["RMSNorm"] = new(Floats, true, "RMSNormalization", "rms_norm"),
        ["ReGLU"] = new(Floats, true, "", ""),
        ["RepeatInterleave"] = new(Moves, true, "", "repeat_interleave"),
        ["Reshape"] = new(Moves, true, "Reshape", "reshape"),
        ["Roll"] = new(Moves, true, "", "roll"),
        ["Rotary"] = new(Floats, true, "RotaryEmbedding", ""),
        ["ScaledDotProductAttention"] = new(Floats, true, "Attention", "scaled_dot_product_attention"),
        ["Scatter"] = new(Moves, true, "ScatterElements", "scatter"),
        ["ScatterAdd"] = new(Floats, true, "ScatterElements", "scatter_add"),
        ["SimpleRnn"] = new(Floats, true, "RNN", "rnn_tanh, rnn_relu"),
        ["Slice"] = new(Moves, true, "Slice", "Tensor.__getitem__"),
        ["Softmax"] = new(Floats, true, "Softmax", "softmax"),
        ["Sort"] = new("float32; float32 and int32", true, "", "sort"),
        ["SparseMatMul"] = new(Floats, true, "", "sparse.mm"),
        ["Split"] = new(Moves, true, "Split", "split"),
        ["Squeeze"] = new(Moves, true, "Squeeze", "squeeze"),
        ["Stack"] = new(Moves, true, "", "stack"),
        ["StandardDeviation"] = new(Floats, true, "", "std"),
        ["StopGradient"] = new(Moves, false, "", "Tensor.detach"),
        ["Sum"] = new(Floats, true, "ReduceSum", "sum"),
        ["SwiGLU"] = new(Floats, true, "", ""),
        ["Tile"] = new(Moves, true, "Tile", "tile"),
        ["TopK"] = new("float32; float32 and int32", true, "TopK", "topk"),
        ["Transpose"] = new(Moves, true, "Transpose", "transpose"),
        ["Tril"] = new(Moves, true, "Trilu", "tril"),
        ["TripletMarginLoss"] = new(Floats, true, "", "triplet_margin_loss"),
        ["Triu"] = new(Moves, true, "Trilu", "triu"),
        ["Unfold"] = new(Floats, true, "", "unfold"),
        ["Unsqueeze"] = new(Moves, true, "Unsqueeze", "unsqueeze"),
        ["Variance"] = new(Floats, true, "", "var"),
        ["Where"] = new(Moves, true, "Where", "where"),
    };

    public static string Text()
    {
        SourceText text = new SourceText()
            .Line("# Operators")
            .Line()
            .Line(
                "Written by `tools/FastNN.Generate` from the tables and the public surface. All run on the CPU and on CUDA.")
            .Line(
                "Gradients are float32; \"all\" types are those of `DType`. Names are those of ONNX's operator that computes the"
                + " same,")
            .Line(
                "and of `torch` or `torch.nn.functional`, and nothing where there is none; a call may be composed of several"
                + " operators.")
            .Line()
            .Line("## Functions of one number")
            .Line()
            .Line("| call | computes | types | gradient | ONNX | PyTorch |")
            .Line("|---|---|---|---|---|---|");
        foreach (UnaryFunction function in FunctionTable.Unary.OrderBy(function => function.Info.Name, StringComparer.Ordinal))
        {
            FunctionInfo info = function.Info;
            text.Line($"| `{info.Name}` | {Escape(info.Is)} | {Floats} | yes | {info.Onnx} | {info.Torch} |");
        }

        text.Line().Line("## Functions of two numbers").Line()
            .Line("They broadcast; either operand may be a number.").Line()
            .Line("| call | computes | types | gradient | ONNX | PyTorch |").Line("|---|---|---|---|---|---|");
        foreach (BinaryFunction function in FunctionTable.Binary.OrderBy(function => function.Info.Name, StringComparer.Ordinal))
        {
            BinaryInfo info = function.Info;
            string name = info.Symbol is { } symbol ? $"`{info.Name}`, `{Escape(symbol)}`" : $"`{info.Name}`";
            string gradient = info.IsDifferentiable ? "yes" : "no";
            text.Line($"| {name} | {Escape(info.Is)} | {Types(info)} | {gradient} | {info.Onnx} | {info.Torch} |");
        }

        text.Line().Line("## Operators").Line()
            .Line("| call | types | gradient | ONNX | PyTorch |").Line("|---|---|---|---|---|");
        foreach (string name in Calls())
        {
            Row row = Rows.TryGetValue(name, out Row? found) ? found : throw new InvalidDataException(
                $"docs/operators.md: the call {name} has no row; add one to tools/FastNN.Generate/OperatorPage.cs.");
            text.Line($"| `{name}` | {row.Types} | {(row.Gradient ? "yes" : "no")} | {row.Onnx} | {row.Torch} |");
        }

        return text.ToString();
    }

    /// <summary>The public calls that record operators, without those of the tables of functions.</summary>
    private static IEnumerable<string> Calls()
    {
        HashSet<string> functions =
        [
            .. FunctionTable.Unary.Select(function => function.Info.Name),
            .. FunctionTable.Binary.Select(function => function.Info.Name),
        ];
        return typeof(Device).Assembly.ExportedTypes
            .Where(type => type is { IsAbstract: true, IsSealed: true, IsNested: false }
                && type.Name.EndsWith("Operators", StringComparison.Ordinal))
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(method => IsValue(method.ReturnType) && !method.IsSpecialName
                && method.Name is not ("Apply" or "ApplyAll" or "Activate"))
            .Select(method => method.Name)
            .Where(name => !functions.Contains(name) && !name.StartsWith("op_", StringComparison.Ordinal)).Distinct()
            .Order(StringComparer.Ordinal);
    }

    /// <summary>Text in a cell of a table.</summary>
    private static string Escape(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static bool IsValue(Type type) => type == typeof(Value) || type == typeof(Value[])
        || (type.IsGenericType && type.FullName!.StartsWith("System.ValueTuple", StringComparison.Ordinal)
            && Array.TrueForAll(type.GetGenericArguments(), IsValue));

    private static string Types(BinaryInfo info)
    {
        string types = string.Join(", ", new[]
        {
            (OperandTypes.Floats, Floats), (OperandTypes.Integers, "int32"), (OperandTypes.Truths, "bool"),
        }.Where(pair => info.Takes(pair.Item1)).Select(pair => pair.Item2));
        return info.GivesTruth ? $"{types} to bool" : types;
    }

    /// <param name="Types">Of the inputs; behind a semicolon those of further ones.</param>
    private sealed record Row(string Types, bool Gradient, string Onnx, string Torch);
}
