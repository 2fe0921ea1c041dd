namespace FastNN.Testing;

/// <summary>
/// Calls that record other operators, which refuse under their own names. A call that is not here has to give its own.
/// </summary>
internal static class ComposedCalls
{
    private static readonly Dictionary<string, string[]> Recorded = new()
    {
        ["Activate"] = ["ReLU"],
        ["AdaptiveAvgPool2D"] = ["Reshape"],
        ["AdaptiveMaxPool2D"] = ["Reshape"],
        ["AdaptiveMaxPool2DWithIndices"] = ["Reshape"],
        ["AffineGrid"] = ["MatMul"],
        ["Apply"] = ["ScaledSoftsign"],
        ["ApplyAll"] = ["SplitHalves"],
        ["AvgPool1D"] = ["AvgPool2D"],
        ["Bilinear"] = ["MatMul", "Add"],
        ["BinaryCrossEntropyLoss"] = ["Multiply"],
        ["BitwiseNot"] = ["BitwiseXor"],
        ["Dot"] = ["MatMul"],
        ["Einsum"] = ["MatMul"],
        ["EmbeddingBag"] = ["MatMul", "Multiply"],
        ["GaussianLoss"] = ["Maximum"],
        ["GeGLU"] = ["GeluGate"],
        ["GLU"] = ["SigmoidGate"],
        ["GlobalAvgPool1D"] = ["GlobalAvgPool2D"],
        ["GlobalAvgPool3D"] = ["GlobalAvgPool2D"],
        ["GlobalMaxPool1D"] = ["MaxPool2D"],
        ["GlobalMaxPool2D"] = ["MaxPool2D", "Reshape"],
        ["GlobalMaxPool3D"] = ["MaxPool2D"],
        ["Interpolate"] = ["Reshape"],
        ["LocalResponseNorm"] = ["AvgPool2D"],
        ["LpPool1D"] = ["AvgPool2D", "Square"],
        ["LpPool2D"] = ["AvgPool2D", "Square"],
        ["LpPool3D"] = ["AvgPool3D", "Square"],
        ["MaskedFill"] = ["Where"],
        ["MatVec"] = ["MatMul"],
        ["MaxPool1D"] = ["MaxPool2D"],
        ["Meshgrid"] = ["Expand"],
        ["MultiMarginLoss"] = ["Where"],
        ["MultiHeadAttention"] = ["Rotary"],
        ["Not"] = ["Xor"],
        ["PackedAttention"] = ["ScaledDotProductAttention"],
        ["PixelShuffle"] = ["Reshape", "Permute"],
        ["PixelUnshuffle"] = ["Reshape"],
        ["Pow"] = ["Square"],
        ["ReGLU"] = ["ReLUGate"],
        ["RepeatInterleave"] = ["Expand"],
        ["Stack"] = ["Concat"],
        ["SpectralNorm"] = ["Dense"],
        ["SwiGLU"] = ["SiLUGate"],
        ["Tile"] = ["Expand", "Unsqueeze"],
        ["WeightNorm"] = ["Dense"],
    };

    public static bool Has(string call, string operation) =>
        Recorded.TryGetValue(call, out string[]? operations) && operations.Contains(operation);
}
