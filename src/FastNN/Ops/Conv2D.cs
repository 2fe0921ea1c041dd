using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// y = f(conv(x, weight) + bias), cross-correlation along one to three axes. Inputs: x [N, ..., C], weight
/// [K..., C / groups, OC] and, if there is one, bias [OC].
/// </summary>
/// <param name="Axes">1: [N, L, C]; 2: [N, H, W, C]; 3: [N, D, H, W, C].</param>
/// <param name="Options">Strides, padding, dilation, groups.</param>
/// <param name="Activation">f.</param>
internal sealed record ConvolutionOp(int Axes, ConvolutionOptions Options, Activation Activation = default)
    : Operator, IActivationEpilogue
{
    /// <summary>
    /// Whether the filter is [OC, K..., C / groups]: the compiler has put <see cref="TransposeFiltersOp"/> before it.
    /// </summary>
    public bool HasTransposedFilter { get; init; }

    /// <summary>Whether the last input, of the output's shape, is added before the activation; in inference only.</summary>
    public bool HasResidual { get; init; }

    public override string Name => Axes switch
    {
        1 => "Conv1D",
        2 => "Conv2D",
        _ => "Conv3D",
    };

    /// <summary>The axes of x between N and C, for messages.</summary>
    internal static string Spatial(int axes) => axes switch
    {
        1 => "L",
        2 => "H, W",
        _ => "D, H, W",
    };

    /// <summary>The axes of a kernel, for messages.</summary>
    internal static string Kernel(int axes) => axes switch
    {
        1 => "K",
        2 => "KH, KW",
        _ => "KD, KH, KW",
    };

    // x for the filter's gradient, the filter for x's.
    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => input < 2 && wanted[1 - input];

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => !Activation.IsNone;

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) => hasExamples[0];

    // Along three axes there is a form for each slice of the filter, and each would bring all of it.
    public override bool LoadsInput(int input) => input == 1 && Axes < 3;

    public Operator WithActivation(Activation fused) => this with { Activation = fused };

    // The sums are added to what the output holds already.
    public override bool ForwardInPlace(NodeTypes types, int input) => HasResidual && input == types.Inputs.Length - 1;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        int added = HasResidual ? 1 : 0;
        RequireFloats(inputs, 2 + added, 3 + added);
        (Shape x, Shape weight) = (inputs[0].Shape, FilterShape(inputs[1].Shape));
        if (x.Rank != Axes + 2 || weight.Rank != Axes + 2 || Options.Groups <= 0 || weight[-2] * (long)Options.Groups != x[-1])
        {
            throw new ShapeException(
                $"{Name}: x {x} and weight {weight} do not fit: [N, {Spatial(Axes)}, C] and [{Kernel(Axes)}, C / groups, OC] " +
                $"expected, groups {Options.Groups}.");
        }

        if (HasBias(inputs.Length) && inputs[2].Shape != new Shape(weight[-1]))
        {
            throw new ShapeException(
                $"{Name}: bias {inputs[2].Shape} does not fit weight {weight}: [{weight[-1]}] expected.");
        }

        Shape output = Geometry(x, weight).Output;
        return !HasResidual || inputs[^1].Shape == output
            ? [new TensorType(output)]
            : throw new ShapeException($"{Name}: expected an addend of shape {output}, got {inputs[^1].Shape}.");
    }

    private bool HasBias(int inputs) => inputs > (HasResidual ? 3 : 2);

    public override object Bind(TensorType[] inputs, TensorType[] outputs) =>
        Geometry(inputs[0].Shape, FilterShape(inputs[1].Shape));

    public override long ForwardWorkspaceBytes(IPlanning planning, NodeTypes types) =>
        ((ConvolutionGeometry)types.Bound!).WorkspaceBytes(planning, ConvolutionPass.Forward);

    public override long BackwardWorkspaceBytes(IPlanning planning, NodeTypes types, ReadOnlySpan<bool> wanted)
    {
        var geometry = (ConvolutionGeometry)types.Bound!;
        return Math.Max(
            wanted[0] ? geometry.WorkspaceBytes(planning, ConvolutionPass.BackwardData) : 0,
            wanted[1] ? geometry.WorkspaceBytes(planning, ConvolutionPass.BackwardFilter) : 0);
    }

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        if (HasResidual && tensors.Inputs[^1].Address != tensors.Output.Address)
        {
            kernels.Memory.Copy(tensors.Inputs[^1], tensors.Output, accumulate: false);
        }

        ((ConvolutionGeometry)tensors.Bound!).Forward(
            kernels, tensors.Inputs[0], tensors.Inputs[1], HasBias(tensors.Inputs.Length) ? tensors.Inputs[2] : null,
            tensors.Output, Activation, accumulate: HasResidual, tensors.ForwardWorkspace);
    }

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        var geometry = (ConvolutionGeometry)tensors.Bound!;
        Tensor dY = tensors.OutputGradient!;
        if (!Activation.IsNone)
        {
            kernels.Elements.ActivationBackward(Activation, tensors.Output, dY, dY, accumulate: false);
        }

        Tensor? dBias = tensors.Inputs.Length > 2 ? tensors.InputGradients[2] : null;
        if (tensors.InputGradients[1] is { } dWeight)
        {
            geometry.BackwardFilter(
                kernels, tensors.Inputs[0], dY, dWeight, dBias, tensors.Accumulate[1], dBias is not null && tensors.Accumulate[2],
                tensors.BackwardWorkspace);
        }
        else if (dBias is not null)
        {
            // A frozen filter under a trained bias: the bias was broadcast over all pixels, so its gradient is that of an
            // addition.
            kernels.Elements.SumRepeated(dY, dBias, tensors.Accumulate[2]);
        }

        if (tensors.InputGradients[0] is { } dX)
        {
            geometry.BackwardData(
                kernels, dY, tensors.Inputs[1], null, dX, default, tensors.Accumulate[0], tensors.BackwardWorkspace);
        }
    }

    /// <summary>[K..., C / groups, OC], however the filter is given.</summary>
    private Shape FilterShape(Shape weight) => HasTransposedFilter ? new Shape([.. weight.ToArray()[1..], weight[0]]) : weight;

    private ConvolutionGeometry Geometry(in Shape x, in Shape weight) =>
        ConvolutionGeometry.Create(Name, Axes, Options, x, weight, HasTransposedFilter);
}

/// <summary>
/// A convolution and the max pooling that alone reads it, for inference on devices that pool rows while they are in the cache
/// (<see cref="IPlanning.PoolsBehindConvolution"/>): y has the bits that the two give. Inputs as of <see cref="ConvolutionOp"/>.
/// </summary>
internal sealed record ConvolutionMaxPoolOp(ConvolutionOp Convolution, MaxPool2DOp Pooling) : Operator
{
    public override string Name => "Conv2D + MaxPool2D";

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) =>
        Convolution.TreatsExamplesAlone(hasExamples, inputs);

    public override bool LoadsInput(int input) => Convolution.LoadsInput(input);

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs) => Pooling.Infer(Convolution.Infer(inputs));

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        TensorType[] between = Convolution.Infer(inputs);
        var geometry = (ConvolutionGeometry)Convolution.Bind(inputs, between);
        return new Sizes(geometry.Single!.Value, (Pool2DGeometry)Pooling.Bind(between, outputs));
    }

    public override long ForwardWorkspaceBytes(IPlanning planning, NodeTypes types) =>
        planning.Conv2DWorkspaceBytes(((Sizes)types.Bound!).Convolution, ConvolutionPass.Forward);

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        var sizes = (Sizes)tensors.Bound!;
        kernels.Windows.Conv2DMaxPoolForward(
            sizes.Convolution, sizes.Pooling, tensors.Inputs[0], tensors.Inputs[1],
            tensors.Inputs.Length > 2 ? tensors.Inputs[2] : null, tensors.Output, Convolution.Activation, Pooling.HasReLU,
            tensors.ForwardWorkspace);
    }

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        throw new NotSupportedException($"{Name}: expected a plan for inference.");

    private sealed record Sizes(Conv2DGeometry Convolution, Pool2DGeometry Pooling);
}

/// <summary>
/// A 1x1 convolution and the depthwise one that alone reads it, for inference on devices that filter rows while they are in the
/// cache (<see cref="IPlanning.FiltersBehindProduct"/>): y has the bits that the two give. Inputs: those of the first, then the
/// filter and, if there is one, the bias of the second.
/// </summary>
/// <param name="Product">The first.</param>
/// <param name="HasBias">Whether it has a bias.</param>
/// <param name="Depthwise">The second.</param>
internal sealed record ConvolutionDepthwiseOp(ConvolutionOp Product, bool HasBias, ConvolutionOp Depthwise)
    : Operator, IActivationEpilogue
{
    public override string Name => "Conv2D + depthwise";

    public Activation Activation => Depthwise.Activation;

    private int Filter => HasBias ? 3 : 2;

    public override bool LoadsInput(int input) => Product.LoadsInput(input);

    public Operator WithActivation(Activation fused) => this with { Depthwise = Depthwise with { Activation = fused } };

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) =>
        hasExamples[0];

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs) => Depthwise.Infer(Behind(inputs));

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        TensorType[] behind = Behind(inputs);
        var product = (ConvolutionGeometry)Product.Bind(inputs[..Filter], behind[..1]);
        var depthwise = (ConvolutionGeometry)Depthwise.Bind(behind, outputs);
        return new Sizes(product.Single!.Value, depthwise.Single!.Value);
    }

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        var sizes = (Sizes)tensors.Bound!;
        Tensor[] inputs = tensors.Inputs;
        kernels.Windows.Conv2DDepthwiseForward(
            sizes.Product, sizes.Depthwise, inputs[0], inputs[1], HasBias ? inputs[2] : null, Product.Activation, inputs[Filter],
            inputs.Length > Filter + 1 ? inputs[^1] : null, tensors.Output, Activation);
    }

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        throw new NotSupportedException($"{Name}: expected a plan for inference.");

    /// <summary>The inputs of the second convolution.</summary>
    private TensorType[] Behind(ReadOnlySpan<TensorType> inputs) =>
        [Product.Infer(inputs[..Filter])[0], .. inputs[Filter..]];

    private sealed record Sizes(Conv2DGeometry Product, Conv2DGeometry Depthwise);
}
