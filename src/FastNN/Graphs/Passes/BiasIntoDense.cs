using FastNN.Ops;

namespace FastNN.Graphs.Passes;

/// <summary>
/// The addition of one row behind a product with a matrix becomes the product's bias, which is added while the sums are in
/// registers. In inference only: sums of many terms begin with the bias there, so the last bit may be another.
/// </summary>
internal sealed class BiasIntoDense : IPass
{
    public string Name => "bias into product";

    public bool KeepsBits => false;

    public bool Run(Recording recording) => recording.Root is null
        && (recording.FusePairs((producer, consumer) => Joined(producer, consumer, other: 1), input: 0)
            | recording.FusePairs((producer, consumer) => Joined(producer, consumer, other: 0), input: 1));

    private static DenseOp? Joined(Node producer, Node consumer, int other) =>
        producer.Op is DenseOp { Activation.IsNone: true } dense && producer.Inputs.Length == 2
            && consumer.Op is BinaryOp { IsSum: true } && consumer.Inputs[other].Shape is { Rank: 1 } row
            && row == new Shape(producer.Inputs[1].Shape[1])
            ? dense
            : null;
}
