using FastNN.Ops;

namespace FastNN.Graphs.Passes;

/// <summary>
/// ReLU then max pooling becomes a pooling that clips: the two commute, and backward then masks at the pooled resolution.
/// </summary>
internal sealed class ReLUIntoMaxPool : IPass
{
    public string Name => "ReLU into max pooling";

    public bool KeepsBits => true;

    public bool Run(Recording recording) => recording.FusePairs((producer, consumer) =>
        producer.Op is ActivationOp relu && relu.Activation == Activation.ReLU
            && consumer.Op is MaxPool2DOp { HasReLU: false } pool
            ? pool with { HasReLU = true }
            : null);
}
