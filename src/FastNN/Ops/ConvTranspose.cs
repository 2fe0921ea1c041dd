using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// y = f(transposed convolution of x with weight + bias) along one to three axes: the gradient of a convolution by its data,
/// which its kernels compute; its own data gradient is that convolution, and its filter's gradient that convolution's with x
/// and dY exchanged. Inputs: x [N, ..., C], weight [K..., OC / groups, C] and, if there is one, bias [OC].
/// </summary>
/// <param name="Axes">1: [N, L, C]; 2: [N, H, W, C]; 3: [N, D, H, W, C].</param>
/// <param name="Options">Strides, padding, output padding, dilation, groups.</param>
/// <param name="Activation">f.</param>
internal sealed record ConvTransposeOp(int Axes, ConvolutionOptions Options, Activation Activation = default)
    : Operator, IActivationEpilogue
{
    public override string Name => Axes switch
    {
        1 => "ConvTranspose1D",
        2 => "ConvTranspose2D",
        _ => "ConvTranspose3D",
    };

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => input < 2 && wanted[1 - input];

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => !Activation.IsNone;

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) => hasExamples[0];

    public Operator WithActivation(Activation fused) => this with { Activation = fused };

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 2, 3);
        (Shape x, Shape weight) = (inputs[0].Shape, inputs[1].Shape);
        if (x.Rank != Axes + 2 || weight.Rank != Axes + 2 || weight[-1] != x[-1])
        {
            throw new ShapeException(
                $"{Name}: x {x} and weight {weight} do not fit: [N, {ConvolutionOp.Spatial(Axes)}, C] and " +
                $"[{ConvolutionOp.Kernel(Axes)}, OC / groups, C] expected.");
        }

        long channels = weight[-2] * (long)Options.Groups;
        if (Options.Groups <= 0 || x[-1] % Options.Groups != 0 || channels > int.MaxValue)
        {
            throw new ShapeException(
                $"{Name}: expected groups that divide the {x[-1]} channels of x {x} and give at most {int.MaxValue} filters with " +
                $"weight {weight}, got {Options.Groups}.");
        }

        if (inputs.Length > 2 && inputs[2].Shape != new Shape((int)channels))
        {
            throw new ShapeException(
                $"{Name}: bias {inputs[2].Shape} does not fit weight {weight} with {Options.Groups} groups: [{channels}] " +
                "expected.");
        }

        return [new TensorType(Geometry(x, weight).Output)];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs) => Geometry(inputs[0].Shape, inputs[1].Shape);

    public override long ForwardWorkspaceBytes(IPlanning planning, NodeTypes types) =>
        ((ConvolutionGeometry)types.Bound!).WorkspaceBytes(planning, ConvolutionPass.BackwardData);

    public override long BackwardWorkspaceBytes(IPlanning planning, NodeTypes types, ReadOnlySpan<bool> wanted)
    {
        var geometry = (ConvolutionGeometry)types.Bound!;
        return Math.Max(
            wanted[0] ? geometry.WorkspaceBytes(planning, ConvolutionPass.Forward) : 0,
            wanted[1] ? geometry.WorkspaceBytes(planning, ConvolutionPass.BackwardFilter) : 0);
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        ((ConvolutionGeometry)tensors.Bound!).BackwardData(
            kernels, tensors.Inputs[0], tensors.Inputs[1], tensors.Inputs.Length > 2 ? tensors.Inputs[2] : null, tensors.Output,
            Activation, accumulate: false, tensors.ForwardWorkspace);

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        var geometry = (ConvolutionGeometry)tensors.Bound!;
        Tensor dY = tensors.OutputGradient!;
        if (!Activation.IsNone)
        {
            kernels.Elements.ActivationBackward(Activation, tensors.Output, dY, dY, accumulate: false);
        }

        if (tensors.Inputs.Length > 2 && tensors.InputGradients[2] is { } dBias)
        {
            kernels.Elements.SumRepeated(dY, dBias, tensors.Accumulate[2]);
        }

        if (tensors.InputGradients[1] is { } dWeight)
        {
            geometry.BackwardFilter(
                kernels, dY, tensors.Inputs[0], dWeight, null, tensors.Accumulate[1], false, tensors.BackwardWorkspace);
        }

        if (tensors.InputGradients[0] is { } dX)
        {
            geometry.Forward(
                kernels, dY, tensors.Inputs[1], null, dX, default, tensors.Accumulate[0], tensors.BackwardWorkspace);
        }
    }

    private ConvolutionGeometry Geometry(in Shape x, in Shape weight) =>
        ConvolutionGeometry.Transposed(Name, Axes, Options, x, weight);
}
