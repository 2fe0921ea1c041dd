using FastNN.Ops;

namespace FastNN.Graphs.Passes;

/// <summary>
/// An addition behind a normalization of channels, and a ReLU behind either, become part of the pass that applies the statistics,
/// which then reads and writes memory once; backward masks by the output's sign where it sums. Each element goes through the same
/// operations in the same order. The root stays apart, as in <see cref="ActivationIntoEpilogue"/>.
/// </summary>
internal sealed class IntoNormalization : IPass
{
    public string Name => "addition and ReLU into normalization";

    public bool KeepsBits => true;

    // A sum of two floats is the same either way round.
    public bool Run(Recording recording) =>
        recording.FusePairs((producer, consumer) => Clipped(recording, producer, consumer))
        | recording.FusePairs((producer, consumer) => Added(recording, producer, consumer, other: 1), input: 0)
        | recording.FusePairs((producer, consumer) => Added(recording, producer, consumer, other: 0), input: 1);

    private static ColumnNormOp? Clipped(Recording recording, Node producer, Node consumer) =>
        producer.Op is ColumnNormOp { HasReLU: false } norm && consumer.Op is ActivationOp relu
            && relu.Activation == Activation.ReLU && IsOneSegment(recording, producer, consumer)
            ? norm with { HasReLU = true }
            : null;

    private static ColumnNormOp? Added(Recording recording, Node producer, Node consumer, int other) =>
        producer.Op is ColumnNormOp { HasReLU: false, HasResidual: false } norm && producer.Inputs.Length == norm.Residual
            && consumer.Op is BinaryOp { IsSum: true } && consumer.Inputs[other].Shape == producer.Output.Shape
            && IsOneSegment(recording, producer, consumer)
            ? norm with { HasResidual = true }
            : null;

    private static bool IsOneSegment(Recording recording, Node producer, Node consumer) =>
        producer.Output.Segment == consumer.Output.Segment && consumer.Output != recording.Root;
}
