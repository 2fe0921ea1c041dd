using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>What a convolution is asked for; the sizes come from its inputs.</summary>
internal readonly record struct Conv2DOptions(int StrideH, int StrideW, Padding2D Padding, int DilationH, int DilationW, int Groups);

/// <summary>
/// y = f(conv(x, weight) + bias), cross-correlation. Inputs: x [N, H, W, C], weight [KH, KW, C / groups, OC] and, if there is
/// one, bias [OC].
/// </summary>
internal sealed class Conv2DOp(Conv2DOptions options, Activation activation = default) : Operator, IActivationEpilogue
{
    private Conv2DGeometry _geometry;

    public override string Name => "Conv2D";

    public Activation Activation => activation;

    public override bool BackwardReadsInput(int index) => index < 2;

    public override bool BackwardReadsOutput => !activation.IsNone;

    public Operator WithActivation(Activation fused) => new Conv2DOp(options, fused);

    public override Shape InferShape(ReadOnlySpan<Shape> inputs)
    {
        RequireInputs(inputs, 2, 3);
        (Shape x, Shape weight) = (inputs[0], inputs[1]);
        if (x.Rank != 4 || weight.Rank != 4 || options.Groups <= 0 || weight[2] * (long)options.Groups != x[3])
        {
            throw new ShapeException(
                $"{Name}: x {x} and weight {weight} do not fit: [N, H, W, C] and [KH, KW, C / groups, OC] expected, groups {options.Groups}.");
        }

        if (inputs.Length > 2 && inputs[2] != new Shape(weight[3]))
        {
            throw new ShapeException($"{Name}: bias {inputs[2]} does not fit weight {weight}: [{weight[3]}] expected.");
        }

        _geometry = Conv2DGeometry.Create(
            x[0], x[1], x[2], x[3], weight[3], weight[0], weight[1], options.Padding,
            options.StrideH, options.StrideW, options.DilationH, options.DilationW, options.Groups);
        return new Shape(x[0], _geometry.OH, _geometry.OW, weight[3]);
    }

    public override long ForwardWorkspaceBytes(IKernels kernels) => kernels.Conv2DWorkspaceBytes(_geometry, ConvolutionPass.Forward);

    public override long BackwardWorkspaceBytes(IKernels kernels, ReadOnlySpan<bool> needed) => Math.Max(
        needed[0] ? kernels.Conv2DWorkspaceBytes(_geometry, ConvolutionPass.BackwardData) : 0,
        needed[1] ? kernels.Conv2DWorkspaceBytes(_geometry, ConvolutionPass.BackwardFilter) : 0);

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Conv2DForward(
            _geometry, tensors.Inputs[0], tensors.Inputs[1], tensors.Inputs.Length > 2 ? tensors.Inputs[2] : null,
            tensors.Output, activation, tensors.ForwardWorkspace);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        Tensor dY = tensors.OutputGradient!;
        if (!activation.IsNone)
        {
            kernels.ActivationBackward(activation, tensors.Output, dY, dY, accumulate: false);
        }

        Tensor? dBias = tensors.Inputs.Length > 2 ? tensors.InputGradients[2] : null;
        if (tensors.InputGradients[1] is { } dWeight)
        {
            kernels.Conv2DBackwardFilter(
                _geometry, tensors.Inputs[0], dY, dWeight, dBias, tensors.Accumulate[1],
                dBias is not null && tensors.Accumulate[2], tensors.BackwardWorkspace);
        }
        else if (dBias is not null)
        {
            // A frozen filter under a trained bias: the bias was broadcast over all pixels, so its gradient is that of an addition.
            kernels.BinaryBackward(BinaryOperator.Add, dY, dY, dBias, tensors.Accumulate[2]);
        }

        if (tensors.InputGradients[0] is { } dX)
        {
            kernels.Conv2DBackwardData(_geometry, dY, tensors.Inputs[1], dX, tensors.Accumulate[0], tensors.BackwardWorkspace);
        }
    }
}
