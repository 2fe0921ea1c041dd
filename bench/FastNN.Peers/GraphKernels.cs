using static TorchSharp.torch;

namespace FastNN.Peers;

/// <summary>One operator through the graph, forward and backward: the gradients of all its inputs.</summary>
internal sealed record GraphKernelCase(GraphKernel Kernel) : Case(Kernel.Name, "forward-backward")
{
    public override double Flops => Kernel.Flops;
}

/// <summary>An operator as both sides write it.</summary>
/// <param name="Inputs">Shapes; all get gradients, or are parameters of it.</param>
/// <param name="Engine">Records it.</param>
/// <param name="Torch">The ways in which libtorch offers it; the fastest counts.</param>
internal sealed record GraphKernel(
    string Name, Shape[] Inputs, Func<Value[], Value> Engine, (string Name, Func<Tensor[], Tensor> Compute)[] Torch,
    double Flops = 0)
{
    public static IReadOnlyList<GraphKernel> All { get; } =
    [
        new(
            "matmul-batched", [[32, 128, 64], [32, 64, 128]], x => x[0].MatMul(x[1]),
            [("torchsharp", x => x[0].matmul(x[1]))], 3 * 2.0 * 32 * 128 * 64 * 128),
        new(
            "layernorm", [[1024, 256], [256], [256]], x => x[0].LayerNorm(x[1], x[2]),
            [("torchsharp", x => nn.functional.layer_norm(x[0], [256], x[1], x[2]))]),
        Attention(8, 128), Attention(2, 1024),
        new("softmax", [[1024, 1000]], x => x[0].Softmax(), [("torchsharp", x => nn.functional.softmax(x[0], -1))]),
    ];

    /// <summary>Causal attention of 4 heads of width 64.</summary>
    private static GraphKernel Attention(int batch, int length)
    {
        Shape shape = [batch, 4, length, 64];
        return new(
            $"attention-T{length}", [shape, shape, shape],
            x => x[0].ScaledDotProductAttention(x[1], x[2], causal: CausalMask.UpperLeft),
            [("torchsharp", x => nn.functional.scaled_dot_product_attention(x[0], x[1], x[2], is_casual: true))],
            7 * 2.0 * batch * 4 * length * length * 64 / 2);
    }
}
