using FastNN.Ops;

namespace FastNN.Graphs.Passes;

/// <summary>
/// The addition behind a convolution, as of a residual connection, becomes part of it: the sums are added to what is there while
/// they are in registers, and where the other operand is read for the last time nothing is copied. In inference only: its
/// backward
/// pass would have to keep apart what was added.
/// </summary>
internal sealed class AdditionIntoConvolution : IPass
{
    public string Name => "addition into convolution";

    public bool KeepsBits => false;

    public bool Run(Recording recording) => recording.Root is null
        && (recording.FusePairs((producer, consumer) => Joined(producer, consumer, other: 1), input: 0)
            | recording.FusePairs((producer, consumer) => Joined(producer, consumer, other: 0), input: 1));

    private static ConvolutionOp? Joined(Node producer, Node consumer, int other) =>
        producer.Op is ConvolutionOp { Activation.IsNone: true, HasResidual: false } convolution
            && consumer.Op is BinaryOp { IsSum: true } && consumer.Inputs[other].Shape == producer.Output.Shape
            ? convolution with { HasResidual = true }
            : null;
}
