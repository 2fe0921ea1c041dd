using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>y = f(x weight + bias). Inputs: x [..., K], weight [K, N] and, if there is one, bias [N].</summary>
internal sealed record DenseOp(Activation Activation = default) : Operator, IActivationEpilogue
{
    public override string Name => "Dense";

    // x for the weight's gradient, the weight for x's.
    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => input < 2 && wanted[1 - input];

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => !Activation.IsNone;

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) =>
        hasExamples[0] && inputs[0].Shape.Rank > 1;

    public Operator WithActivation(Activation fused) => new DenseOp(fused);

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 2, 3);
        (Shape x, Shape weight) = (inputs[0].Shape, inputs[1].Shape);
        if (x.Rank < 1 || weight.Rank != 2 || x[-1] != weight[0])
        {
            throw new ShapeException($"{Name}: x {x} and weight {weight} do not fit: [..., K] and [K, N] expected.");
        }

        if (inputs.Length > 2 && inputs[2].Shape != new Shape(weight[1]))
        {
            throw new ShapeException($"{Name}: bias {inputs[2].Shape} does not fit weight {weight}: [{weight[1]}] expected.");
        }

        int[] extents = x.ToArray();
        extents[^1] = weight[1];
        return [new TensorType(new Shape(extents))];
    }

    public override bool LoadsInput(int input) => input == 1;

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Products.DenseForward(
            tensors.Inputs[0], tensors.Inputs[1], tensors.Inputs.Length > 2 ? tensors.Inputs[2] : null, tensors.Output,
            Activation);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        Tensor dY = tensors.OutputGradient!;
        if (!Activation.IsNone)
        {
            kernels.Elements.ActivationBackward(Activation, tensors.Output, dY, dY, accumulate: false);
        }

        bool hasBias = tensors.Inputs.Length > 2;
        kernels.Products.DenseBackward(
            tensors.Inputs[0], tensors.Inputs[1], dY,
            new DenseGradients(
                tensors.InputGradients[0], tensors.Accumulate[0], tensors.InputGradients[1], tensors.Accumulate[1],
                hasBias ? tensors.InputGradients[2] : null, hasBias && tensors.Accumulate[2]));
    }
}

/// <summary>An operator that can apply an activation to its output before it leaves the registers.</summary>
internal interface IActivationEpilogue
{
    Activation Activation { get; }

    /// <summary>The same operator with an activation behind it.</summary>
    Operator WithActivation(Activation fused);
}
