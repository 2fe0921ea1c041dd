using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>What a pooling is asked for; the sizes come from its input.</summary>
/// <param name="Global">One window over the whole image, whatever its size.</param>
internal readonly record struct Pool2DOptions(
    int KernelH, int KernelW, int StrideH, int StrideW, Padding2D Padding, int DilationH = 1, int DilationW = 1, bool CeilMode = false,
    bool CountIncludePad = true, int DivisorOverride = 0, bool Global = false)
{
    public Pool2DGeometry Resolve(string name, ReadOnlySpan<Shape> inputs, bool maximum)
    {
        if (inputs.Length != 1 || inputs[0].Rank != 4)
        {
            throw new ShapeException($"{name}: one input [N, H, W, C] expected, {(inputs.Length == 1 ? inputs[0].ToString() : inputs.Length)} given.");
        }

        Shape x = inputs[0];
        (int kh, int kw) = Global ? (x[1], x[2]) : (KernelH, KernelW);
        (int sh, int sw) = Global ? (1, 1) : (StrideH, StrideW);
        return maximum
            ? Pool2DGeometry.Max(x[0], x[1], x[2], x[3], kh, kw, sh, sw, Padding, DilationH, DilationW, CeilMode)
            : Pool2DGeometry.Average(x[0], x[1], x[2], x[3], kh, kw, sh, sw, Padding, CeilMode, CountIncludePad, DivisorOverride);
    }
}

/// <summary>The maximum of each window, and with <paramref name="relu"/> max(0, that).</summary>
internal sealed class MaxPool2DOp(Pool2DOptions options, bool relu = false) : Operator
{
    private Pool2DGeometry _geometry;

    public override string Name => "MaxPool2D";

    public bool HasReLU => relu;

    public override bool BackwardReadsOutput => relu;

    public MaxPool2DOp WithReLU() => new(options, relu: true);

    public override Shape InferShape(ReadOnlySpan<Shape> inputs)
    {
        _geometry = options.Resolve(Name, inputs, maximum: true);
        return new Shape(_geometry.N, _geometry.OH, _geometry.OW, _geometry.C);
    }

    public override long SavedBytes(IKernels kernels, bool training) => training ? kernels.MaxPool2DWinnerBytes(_geometry) : 0;

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.MaxPool2DForward(_geometry, tensors.Inputs[0], tensors.Output, tensors.Saved, relu);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.MaxPool2DBackward(
            _geometry, tensors.OutputGradient!, tensors.Output, tensors.Saved!, tensors.InputGradients[0]!, relu, tensors.Accumulate[0]);
}

/// <summary>The mean of each window.</summary>
internal sealed class AvgPool2DOp(Pool2DOptions options) : Operator
{
    private Pool2DGeometry _geometry;

    public override string Name => options.Global ? "GlobalAvgPool2D" : "AvgPool2D";

    public override Shape InferShape(ReadOnlySpan<Shape> inputs)
    {
        _geometry = options.Resolve(Name, inputs, maximum: false);
        return new Shape(_geometry.N, _geometry.OH, _geometry.OW, _geometry.C);
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.AvgPool2DForward(_geometry, tensors.Inputs[0], tensors.Output);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.AvgPool2DBackward(_geometry, tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);
}
