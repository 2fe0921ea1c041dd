using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>What a convolution is asked for; the sizes come from its inputs.</summary>
internal readonly record struct Conv2DOptions(
    int StrideH, int StrideW, Padding2D Padding, int DilationH, int DilationW, int Groups);

/// <summary>
/// y = f(conv(x, weight) + bias), cross-correlation. Inputs: x [N, H, W, C], weight [KH, KW, C / groups, OC] and, if there is
/// one, bias [OC].
/// </summary>
internal sealed record Conv2DOp(Conv2DOptions Options, Activation Activation = default) : Operator, IActivationEpilogue
{
    public override string Name => "Conv2D";

    // x for the filter's gradient, the filter for x's.
    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => input < 2 && wanted[1 - input];

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => !Activation.IsNone;

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) => hasExamples[0];

    public Operator WithActivation(Activation fused) => this with { Activation = fused };

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 2, 3);
        (Shape x, Shape weight) = (inputs[0].Shape, inputs[1].Shape);
        if (x.Rank != 4 || weight.Rank != 4 || Options.Groups <= 0 || weight[2] * (long)Options.Groups != x[3])
        {
            throw new ShapeException(
                $"{Name}: x {x} and weight {weight} do not fit: [N, H, W, C] and [KH, KW, C / groups, OC] expected, groups {Options.Groups}.");
        }

        if (inputs.Length > 2 && inputs[2].Shape != new Shape(weight[3]))
        {
            throw new ShapeException($"{Name}: bias {inputs[2].Shape} does not fit weight {weight}: [{weight[3]}] expected.");
        }

        Conv2DGeometry geometry = Geometry(x, weight);
        return [new TensorType(new Shape(x[0], geometry.OH, geometry.OW, weight[3]))];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs) => Geometry(inputs[0].Shape, inputs[1].Shape);

    public override long ForwardWorkspaceBytes(IPlanning planning, NodeTypes types) =>
        planning.Conv2DWorkspaceBytes((Conv2DGeometry)types.Bound!, ConvolutionPass.Forward);

    public override long BackwardWorkspaceBytes(IPlanning planning, NodeTypes types, ReadOnlySpan<bool> wanted) => Math.Max(
        wanted[0] ? planning.Conv2DWorkspaceBytes((Conv2DGeometry)types.Bound!, ConvolutionPass.BackwardData) : 0,
        wanted[1] ? planning.Conv2DWorkspaceBytes((Conv2DGeometry)types.Bound!, ConvolutionPass.BackwardFilter) : 0);

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Windows.Conv2DForward(
            (Conv2DGeometry)tensors.Bound!, tensors.Inputs[0], tensors.Inputs[1],
            tensors.Inputs.Length > 2 ? tensors.Inputs[2] : null,
            tensors.Output, Activation, tensors.ForwardWorkspace);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        var geometry = (Conv2DGeometry)tensors.Bound!;
        Tensor dY = tensors.OutputGradient!;
        if (!Activation.IsNone)
        {
            kernels.Elements.ActivationBackward(Activation, tensors.Output, dY, dY, accumulate: false);
        }

        Tensor? dBias = tensors.Inputs.Length > 2 ? tensors.InputGradients[2] : null;
        if (tensors.InputGradients[1] is { } dWeight)
        {
            kernels.Windows.Conv2DBackwardFilter(
                geometry, tensors.Inputs[0], dY, dWeight, dBias, tensors.Accumulate[1],
                dBias is not null && tensors.Accumulate[2], tensors.BackwardWorkspace);
        }
        else if (dBias is not null)
        {
            // A frozen filter under a trained bias: the bias was broadcast over all pixels, so its gradient is that of an
            // addition.
            kernels.Elements.SumRepeated(dY, dBias, tensors.Accumulate[2]);
        }

        if (tensors.InputGradients[0] is { } dX)
        {
            kernels.Windows.Conv2DBackwardData(
                geometry, dY, tensors.Inputs[1], dX, tensors.Accumulate[0], tensors.BackwardWorkspace);
        }
    }

    private Conv2DGeometry Geometry(Shape x, Shape weight) => Conv2DGeometry.Create(
        x[0], x[1], x[2], x[3], weight[3], weight[0], weight[1], Options.Padding,
        Options.StrideH, Options.StrideW, Options.DilationH, Options.DilationW, Options.Groups);
}
