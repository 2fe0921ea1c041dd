using FastNN.Ops;

namespace FastNN.Graphs.Passes;

/// <summary>
/// An activation behind a dense layer or convolution becomes its epilogue; in training where its derivative follows from its
/// output, since the product itself is not kept. The root stays apart: an epilogue's backward overwrites the gradient that it is
/// given, and the root's must outlive the step.
/// </summary>
internal sealed class ActivationIntoEpilogue : IPass
{
    public string Name => "activation into epilogue";

    public bool KeepsBits => true;

    public bool Run(Recording recording) => recording.FusePairs((producer, consumer) =>
        producer.Op is IActivationEpilogue { Activation.IsNone: true } host && consumer.Op is ActivationOp activation
        && activation.Activation.Function.Info.MayBeEpilogue && consumer.Output != recording.Root
        && (recording.Root is null || activation.Activation.ForgetsInput)
            ? host.WithActivation(activation.Activation)
            : null);
}
