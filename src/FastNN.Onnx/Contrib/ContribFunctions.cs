using FastNN.Onnx.Model;

namespace FastNN.Onnx.Contrib;

/// <summary>
/// Operators of the domain com.microsoft, which ONNX Runtime's optimizer and quantizer write into files, as functions of the
/// standard's operators. Those in forms that are not here are not supported, and said so.
/// </summary>
internal static class ContribFunctions
{
    public const string Domain = "com.microsoft";

    private static readonly Dictionary<string, Func<FunctionBody, FunctionDef?>> Table = new(StringComparer.Ordinal)
    {
        ["Gelu"] = body => body.Returns(body.Add("Gelu", [body.In(0)])),
        ["FastGelu"] = ContribElements.FastGelu,
        ["BiasGelu"] = body => body.Returns(body.Add("Gelu", [body.Sum(body.In(0), body.In(1))])),
        ["QuickGelu"] = ContribElements.QuickGelu,
        ["BiasAdd"] = body => body.Returns(body.Sum(body.Sum(body.In(0), body.In(1)), body.In(2))),
        ["FusedConv"] = ContribElements.FusedConv,
        ["FusedGemm"] = ContribElements.FusedGemm,
        ["FusedMatMul"] = ContribElements.FusedMatMul,
        ["ExpandDims"] = body => body.Returns(body.Add(
            "Unsqueeze", [body.In(0), body.Add("Reshape", [body.Cast(body.In(1), OnnxElementType.Int64), body.Longs(1)])])),
        ["LayerNormalization"] = ContribNormalizations.Layer,
        ["SimplifiedLayerNormalization"] = ContribNormalizations.Simplified,
        ["SkipLayerNormalization"] = body => ContribNormalizations.Skip(body, isSimplified: false),
        ["SkipSimplifiedLayerNormalization"] = body => ContribNormalizations.Skip(body, isSimplified: true),
        ["EmbedLayerNormalization"] = ContribNormalizations.Embed,
        ["Attention"] = ContribAttentions.Attention,
        ["MultiHeadAttention"] = ContribAttentions.MultiHead,
        ["GroupQueryAttention"] = ContribAttentions.GroupQuery,
        ["RotaryEmbedding"] = ContribAttentions.Rotary,
        ["MatMulNBits"] = ContribQuantization.MatMulNBits,
        ["DynamicQuantizeMatMul"] = ContribQuantization.DynamicMatMul,
        ["MatMulIntegerToFloat"] = ContribQuantization.MatMulToFloat,
        ["QuantizeLinear"] = ContribQuantization.Quantize,
        ["DequantizeLinear"] = ContribQuantization.Dequantize,
        ["QGemm"] = ContribQuantization.Gemm,
        ["QLinearAdd"] = body => ContribQuantization.Binary(body, "Add"),
        ["QLinearMul"] = body => ContribQuantization.Binary(body, "Mul"),
        ["QLinearSigmoid"] = body => ContribQuantization.Unary(body, "Sigmoid"),
        ["QLinearLeakyRelu"] = body => ContribQuantization.Unary(body, "LeakyRelu", "alpha"),
        ["QLinearSoftmax"] = body => ContribQuantization.Unary(body, "Softmax", "axis"),
        ["QLinearGlobalAveragePool"] = body => ContribQuantization.Unary(body, "GlobalAveragePool"),
        ["QLinearAveragePool"] = body => ContribQuantization.Unary(
            body, "AveragePool", "auto_pad", "ceil_mode", "count_include_pad", "kernel_shape", "pads", "strides"),
        ["QLinearConcat"] = ContribQuantization.Concat,
    };

    /// <summary>The names of the operators, for documentation.</summary>
    public static IEnumerable<string> Names => Table.Keys;

    /// <summary>What a node does in operators of the standard; null where it is not of the domain, or not in a form that is
    /// here.</summary>
    public static FunctionDef? Of(NodeDef node)
    {
        // ONNX Runtime writes this one into the standard's domain, where it is not.
        bool isOurs = node.Domain == Domain || (node.Domain.Length == 0 && node.Operator == "SimplifiedLayerNormalization");
        return isOurs && Table.TryGetValue(node.Operator, out Func<FunctionBody, FunctionDef?>? make)
            ? make(new FunctionBody(node))
            : null;
    }
}
