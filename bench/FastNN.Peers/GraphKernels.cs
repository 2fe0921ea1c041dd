using static TorchSharp.torch;

namespace FastNN.Peers;

/// <summary>
/// One operator through the graph: forward alone, as in inference, or forward and backward, with the gradients of all its inputs.
/// </summary>
internal sealed record GraphKernelCase(GraphKernel Kernel, bool Backward)
    : Case(Kernel.Name, Backward ? "forward-backward" : "forward")
{
    public override double Flops => Kernel.Flops * (Backward ? 3 : 1);
}

/// <summary>A way in which libtorch offers an operator.</summary>
/// <param name="Compute">The operator on its inputs.</param>
/// <param name="Parameters">Of a module: these take the place of as many inputs, the last ones.</param>
internal sealed record TorchVariant(string Name, Func<Tensor[], Tensor> Compute, Func<Tensor[]>? Parameters = null);

/// <summary>An operator as both sides write it.</summary>
/// <param name="Inputs">Shapes; all get gradients, or are parameters of it.</param>
/// <param name="Engine">Records it.</param>
/// <param name="Torch">The ways in which libtorch offers it; the fastest counts.</param>
/// <param name="Flops">A third of those of both passes.</param>
/// <param name="Forward">Whether the forward pass is a case of its own, too.</param>
internal sealed record GraphKernel(
    string Name, Shape[] Inputs, Func<Value[], Value> Engine, TorchVariant[] Torch, double Flops = 0, bool Forward = false)
{
    public static IReadOnlyList<GraphKernel> All { get; } =
    [
        new(
            "matmul-batched", [[32, 128, 64], [32, 64, 128]], x => x[0].MatMul(x[1]),
            [new("torchsharp", x => x[0].matmul(x[1]))], 2.0 * 32 * 128 * 64 * 128),
        new(
            "layernorm", [[1024, 256], [256], [256]], x => x[0].LayerNorm(x[1], x[2]),
            [new("torchsharp", x => nn.functional.layer_norm(x[0], [256], x[1], x[2]))]),
        Attention(8, 128), Attention(2, 1024),
        new("softmax", [[1024, 1000]], x => x[0].Softmax(), [new("torchsharp", x => nn.functional.softmax(x[0], -1))]),
        LstmCell(),
    ];

    /// <summary>Causal attention of 4 heads of width 64.</summary>
    private static GraphKernel Attention(int batch, int length)
    {
        Shape shape = [batch, 4, length, 64];
        return new(
            $"attention-T{length}", [shape, shape, shape],
            x => x[0].ScaledDotProductAttention(x[1], x[2], causal: CausalMask.UpperLeft),
            [new("torchsharp", x => nn.functional.scaled_dot_product_attention(x[0], x[1], x[2], is_casual: true))],
            7.0 / 3 * 2 * batch * 4 * length * length * 64 / 2);
    }

    /// <summary>One step of a batch of 32: 128 numbers, and 256 each of h and c; all parameters get gradients.</summary>
    private static GraphKernel LstmCell()
    {
        const int batch = 32, features = 128, units = 256;
        Shape state = [batch, units];
        var cell = new Lazy<TorchSharp.Modules.LSTMCell>(() => nn.LSTMCell(features, units));
        return new(
            "lstm-cell",
            [[1, batch, features], state, state, [features, 4 * units], [units, 4 * units], [4 * units], [4 * units]],
            x => x[0].Lstm(x[3], x[4], x[5], x[6], firstState: x[1], firstCell: x[2])[1],
            [
                new(
                    "torchsharp", x => cell.Value.forward(x[0].squeeze(0), (x[1], x[2])).Item1,
                    () => [.. cell.Value.parameters()]),
            ],
            2.0 * batch * (features + units) * 4 * units, Forward: true);
    }
}
