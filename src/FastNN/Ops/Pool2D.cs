using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>What a pooling is asked for; the sizes come from its input.</summary>
/// <param name="Global">One window over the whole image, whatever its size.</param>
internal readonly record struct Pool2DOptions(
    int KernelH, int KernelW, int StrideH, int StrideW, Padding2D Padding, int DilationH = 1, int DilationW = 1,
    bool CeilMode = false,
    bool CountIncludePad = true, int DivisorOverride = 0, bool Global = false)
{
    public Pool2DGeometry Resolve(string name, ReadOnlySpan<TensorType> inputs, bool maximum)
    {
        if (inputs.Length != 1 || inputs[0].Shape.Rank != 4 || inputs[0].Type != DType.Float32)
        {
            throw new ShapeException(
                $"{name}: expected one Float32 input [N, H, W, C], got {(inputs.Length == 1 ? inputs[0].ToString() : $"{inputs.Length} inputs")}.");
        }

        Shape x = inputs[0].Shape;
        (int kh, int kw) = Global ? (x[1], x[2]) : (KernelH, KernelW);
        (int sh, int sw) = Global ? (1, 1) : (StrideH, StrideW);
        return maximum
            ? Pool2DGeometry.Max(x[0], x[1], x[2], x[3], kh, kw, sh, sw, Padding, DilationH, DilationW, CeilMode)
            : Pool2DGeometry.Average(x[0], x[1], x[2], x[3], kh, kw, sh, sw, Padding, CeilMode, CountIncludePad, DivisorOverride);
    }
}

/// <summary>The maximum of each window, and with <paramref name="HasReLU"/> max(0, that).</summary>
internal sealed record MaxPool2DOp(Pool2DOptions Options, bool HasReLU = false) : Operator
{
    public override string Name => "MaxPool2D";

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) => HasReLU;

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs) =>
        [Options.Resolve(Name, inputs, maximum: true).OutputType];

    public override object Bind(TensorType[] inputs, TensorType[] outputs) => Options.Resolve(Name, inputs, maximum: true);

    public override long SavedBytes(IPlanning planning, NodeTypes types, bool training) =>
        training ? planning.MaxPool2DWinnerBytes((Pool2DGeometry)types.Bound!) : 0;

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Windows.MaxPool2DForward(
            (Pool2DGeometry)tensors.Bound!, tensors.Inputs[0], tensors.Output, tensors.Saved, HasReLU);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.Windows.MaxPool2DBackward(
            (Pool2DGeometry)tensors.Bound!, tensors.OutputGradient!, tensors.Output, tensors.Saved!, tensors.InputGradients[0]!,
            HasReLU, tensors.Accumulate[0]);
}

/// <summary>The mean of each window.</summary>
internal sealed record AvgPool2DOp(Pool2DOptions Options) : Operator
{
    public override string Name => Options.Global ? "GlobalAvgPool2D" : "AvgPool2D";

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs) =>
        [Options.Resolve(Name, inputs, maximum: false).OutputType];

    public override object Bind(TensorType[] inputs, TensorType[] outputs) => Options.Resolve(Name, inputs, maximum: false);

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Windows.AvgPool2DForward((Pool2DGeometry)tensors.Bound!, tensors.Inputs[0], tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.Windows.AvgPool2DBackward(
            (Pool2DGeometry)tensors.Bound!, tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);
}
