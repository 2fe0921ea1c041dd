using FastNN.Testing;
using static TorchSharp.torch;

namespace FastNN.Peers;

/// <summary>A larger network: a whole training step on one batch in memory, or the outputs of one batch.</summary>
internal sealed record LargeNetworkCase(LargeNetwork Network, bool Train) : Case(Network.Name, Train ? "train" : "infer");

/// <summary>A network as both sides build it, trained with cross-entropy.</summary>
/// <param name="Input">The shape of a batch.</param>
/// <param name="Classes">Logits along the last axis of the output; a label for each row of them.</param>
/// <param name="Tokens">How many different integers the input has, or 0 where it holds numbers.</param>
/// <param name="Rows">Labels per batch.</param>
internal sealed record LargeNetwork(
    string Name, Shape Input, int Classes, int Tokens, int Rows, Func<Layer> Engine, Func<Optimizer> Optimizer,
    Func<nn.Module<Tensor, Tensor>> Torch, Func<IEnumerable<TorchSharp.Modules.Parameter>, optim.Optimizer> TorchOptimizer)
{
    public static IReadOnlyList<LargeNetwork> All { get; } =
    [
        new(
            "resnet18-cifar", [32, 32, 32, 3], 10, 0, 32, () => new ResNet18(), () => new Sgd(0.1f, momentum: 0.9f),
            () => new TorchResNet18(), parameters => optim.SGD(parameters, 0.1, 0.9)),
        new(
            "lstm-256", [32, 64, 128], 10, 0, 32, () => new LstmClassifier(), () => new Adam(0.001f), () => new TorchLstm(),
            parameters => optim.Adam(parameters, 0.001)),
        new(
            "gpt-256", [8, 128], 65, 65, 8 * 128, () => new Gpt(), () => new Adam(0.001f), () => new TorchGpt(),
            parameters => optim.Adam(parameters, 0.001)),
    ];

    /// <summary>Whether inputs are images, [N, H, W, C] here and [N, C, H, W] there.</summary>
    public bool IsImages => Input.Rank == 4;

    /// <summary>Integers and labels, the same for both sides.</summary>
    public static int[] Integers(int count, int below, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(below))];
    }
}
