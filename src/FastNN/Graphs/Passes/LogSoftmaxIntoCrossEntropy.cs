using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Graphs.Passes;

/// <summary>
/// Log-softmax along the last axis and then cross-entropy of log-probabilities becomes cross-entropy of logits, which computes
/// both in one pass.
/// </summary>
internal sealed class LogSoftmaxIntoCrossEntropy : IPass
{
    public string Name => "log-softmax into cross-entropy";

    public bool KeepsBits => true;

    public bool Run(Recording recording) => recording.FusePairs((producer, consumer) =>
        producer.Op is SoftmaxOp { Logarithm: true } softmax
            && producer.Output.Shape.NormalizeAxis(softmax.Axis) == producer.Output.Shape.Rank - 1
        && consumer.Op is CrossEntropyOp { Options.Input: CrossEntropyInput.LogProbabilities } loss
            ? new CrossEntropyOp(loss.Options with { Input = CrossEntropyInput.Logits })
            : null);
}
