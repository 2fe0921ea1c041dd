using FastNN.Kernels;

namespace FastNN.Ops;

/// <summary>What windows are taken.</summary>
internal readonly record struct FoldOptions(Size2D Kernel, Size2D Stride, Padding2D Padding, Size2D Dilation)
{
    /// <summary>The geometry of a convolution whose filters are the elements of a window.</summary>
    /// <exception cref="ShapeException">A size is out of range, or the window does not fit.</exception>
    public Conv2DGeometry Geometry(string operation, int n, int h, int w, int c)
    {
        WindowAxis vertical = Axis(operation, "height", h, Kernel.Rows, Stride.Rows, Dilation.Rows, Padding.Top, Padding.Bottom);
        WindowAxis horizontal = Axis(
            operation, "width", w, Kernel.Columns, Stride.Columns, Dilation.Columns, Padding.Left, Padding.Right);
        long elements = (long)vertical.Taps * horizontal.Taps * c, windows = (long)vertical.Output * horizontal.Output;
        return elements <= int.MaxValue && windows <= int.MaxValue
            ? Conv2DGeometry.Create(operation, n, c, (int)elements, 1, vertical, horizontal)
            : throw new ShapeException(
                $"{operation}: expected at most {int.MaxValue} windows of as many elements of images {h}x{w}, got {windows} of {elements}.");
    }

    private WindowAxis Axis(
        string operation, string name, int input, int taps, int stride, int dilation, int before, int after) =>
        Padding.IsSame
            ? WindowAxis.Same(operation, name, input, taps, stride, dilation)
            : WindowAxis.Create(operation, name, input, taps, stride, dilation, before, after);
}

/// <summary>The windows of images [N, H, W, C] beside each other, [N, OH * OW, KH * KW * C]: im2col.</summary>
internal sealed record UnfoldOp(FoldOptions Options) : Operator
{
    public override string Name => "Unfold";

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        if (x.Rank != 4)
        {
            throw new ShapeException($"{Name}: expected a batch of images [N, H, W, C], got {x}.");
        }

        Conv2DGeometry geometry = Options.Geometry(Name, x[0], x[1], x[2], x[3]);
        return [new TensorType(new Shape(x[0], geometry.OH * geometry.OW, geometry.OC))];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape x = inputs[0].Shape;
        return Options.Geometry(Name, x[0], x[1], x[2], x[3]);
    }

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Windows.Unfold((Conv2DGeometry)tensors.Bound!, tensors.Inputs[0], tensors.Output, accumulate: false);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.Windows.Fold(
            (Conv2DGeometry)tensors.Bound!, tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);
}

/// <summary>
/// Images [N, H, W, C] as sums of windows [N, OH * OW, KH * KW * C]: col2im, the gradient of <see cref="UnfoldOp"/>.
/// </summary>
internal sealed record FoldWindowsOp(Size2D Output, FoldOptions Options) : Operator
{
    public override string Name => "Fold";

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) => true;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        long taps = (long)Options.Kernel.Rows * Options.Kernel.Columns;
        if (x.Rank != 3 || Options.Kernel.Rows <= 0 || Options.Kernel.Columns <= 0 || x[2] % taps != 0)
        {
            throw new ShapeException(
                $"{Name}: expected windows [N, OH * OW, KH * KW * C] of a kernel of {Options.Kernel}, got {x}.");
        }

        Conv2DGeometry geometry = Geometry(x);
        return (long)geometry.OH * geometry.OW == x[1]
            ? [new TensorType(new Shape(x[0], Output.Rows, Output.Columns, geometry.C))]
            : throw new ShapeException(
                $"{Name}: expected {geometry.OH} x {geometry.OW} = {(long)geometry.OH * geometry.OW} windows of {Options.Kernel} with stride {Options.Stride} for images of {Output}, " +
                $"got {x} with {x[1]}.");
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs) => Geometry(inputs[0].Shape);

    public override void Forward(IKernels kernels, NodeTensors tensors) =>
        kernels.Windows.Fold((Conv2DGeometry)tensors.Bound!, tensors.Inputs[0], tensors.Output, accumulate: false);

    public override void Backward(IKernels kernels, NodeTensors tensors) =>
        kernels.Windows.Unfold(
            (Conv2DGeometry)tensors.Bound!, tensors.OutputGradient!, tensors.InputGradients[0]!, tensors.Accumulate[0]);

    private Conv2DGeometry Geometry(in Shape x) =>
        Options.Geometry(Name, x[0], Output.Rows, Output.Columns, x[2] / (Options.Kernel.Rows * Options.Kernel.Columns));
}
