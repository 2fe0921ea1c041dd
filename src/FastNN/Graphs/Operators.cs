using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Ops;
using FastNN.Tensors;

namespace FastNN;

/// <summary>The operators as fluent calls on values: <c>x.Flatten().ReLU() + y</c>. Layers are written with these.</summary>
public static partial class Operators
{
    /// <summary>An activation function, element by element.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="activation">Which; None gives x itself.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Activate(this Value x, Activation activation) =>
        activation.IsNone ? x : x.Graph.Compose(() => x.Apply(activation));

    /// <summary>softmax(x) along one axis.</summary>
    /// <param name="x">At least one axis.</param>
    /// <param name="axis">Default the last.</param>
    /// <returns>A value of x's shape, summing to 1 along the axis.</returns>
    /// <exception cref="ShapeException">The axis is out of range.</exception>
    public static Value Softmax(this Value x, int axis = -1) => x.Graph.Add(new SoftmaxOp(axis, Logarithm: false), x);

    /// <summary>log(softmax(x)) along one axis, computed without overflow.</summary>
    /// <param name="x">At least one axis.</param>
    /// <param name="axis">Default the last.</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">The axis is out of range.</exception>
    public static Value LogSoftmax(this Value x, int axis = -1) => x.Graph.Add(new SoftmaxOp(axis, Logarithm: true), x);

    /// <summary>Inverted dropout while training, x itself in inference.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="rate">Probability that an element becomes 0, in [0, 1).</param>
    /// <returns>A value of x's shape.</returns>
    /// <exception cref="ShapeException">The rate is out of range.</exception>
    public static Value Dropout(this Value x, float rate)
    {
        Graph graph = x.Graph;
        var op = new DropoutOp(new DropoutOptions(rate, graph.Seed, DropoutStream(graph)));
        return graph.Mode == GraphMode.Training && rate != 0 ? graph.Add(op, x, graph.StepCounter) : x;
    }

    /// <summary>The same elements under another shape, batch axis included; moves nothing.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="shape">As many elements.</param>
    /// <returns>A value of that shape.</returns>
    /// <exception cref="ShapeException">The numbers of elements differ.</exception>
    public static Value Reshape(this Value x, Shape shape) => x.Graph.Add(new ReshapeOp(shape), x);

    /// <summary>The same elements, a constant to the gradients of what follows, as PyTorch's detach; moves nothing.</summary>
    /// <param name="x">Any value.</param>
    /// <returns>A value of x's shape and type.</returns>
    public static Value StopGradient(this Value x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.Graph.Add(new StopGradientOp(), x);
    }

    /// <summary>Folds all axes but the first into one; moves nothing.</summary>
    /// <param name="x">[N, ...].</param>
    /// <returns>[N, product of the others], in NHWC order for images.</returns>
    /// <exception cref="ShapeException">x is a scalar.</exception>
    public static Value Flatten(this Value x) => x.Graph.Add(new FlattenOp(), x);

    /// <summary>Joins values along one axis.</summary>
    /// <param name="axis">Negative axes count from the end.</param>
    /// <param name="values">Of one type, which may be any; shapes that agree outside the axis.</param>
    /// <returns>Their concatenation.</returns>
    /// <exception cref="ShapeException">The shapes do not agree.</exception>
    public static Value Concat(int axis, params ReadOnlySpan<Value> values) => values.Length == 0
        ? throw new ShapeException("Concat: no inputs given.")
        : values[0].Graph.Add(new ConcatOp(axis), values);

    /// <summary>x weight + bias.</summary>
    /// <param name="x">[..., K].</param>
    /// <param name="weight">[K, N].</param>
    /// <param name="bias">[N] or null.</param>
    /// <returns>[..., N].</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Value Dense(this Value x, Value weight, Value? bias = null) =>
        bias is null ? x.Graph.Add(new DenseOp(), x, weight) : x.Graph.Add(new DenseOp(), x, weight, bias);

    /// <summary>The maximum of each window.</summary>
    /// <param name="x">[N, H, W, C].</param>
    /// <param name="kernel">Rows and columns of the window.</param>
    /// <param name="stride">Default: the window's size.</param>
    /// <param name="padding">Default valid (none); padding never wins.</param>
    /// <param name="dilation">Default 1.</param>
    /// <param name="ceilMode">Round the output size up, as PyTorch's ceil_mode; default false.</param>
    /// <returns>[N, OH, OW, C].</returns>
    /// <exception cref="ShapeException">The window does not fit.</exception>
    public static Value MaxPool2D(
        this Value x, Size2D kernel, Size2D? stride = null, Padding2D padding = default,
        Size2D? dilation = null, bool ceilMode = false)
    {
        (int strideH, int strideW) = stride ?? kernel;
        (int dilationH, int dilationW) = dilation ?? 1;
        return x.Graph.Add(
            new MaxPool2DOp(
                new Pool2DOptions(kernel.Rows, kernel.Columns, strideH, strideW, padding, dilationH, dilationW, ceilMode)), x);
    }

    /// <summary>The mean of each window.</summary>
    /// <param name="x">[N, H, W, C].</param>
    /// <param name="kernel">Rows and columns of the window.</param>
    /// <param name="stride">Default: the window's size.</param>
    /// <param name="padding">Default valid (none).</param>
    /// <param name="ceilMode">Round the output size up, as PyTorch's ceil_mode; default false.</param>
    /// <param name="countIncludePad">Padding counts as zeros; default true, as in PyTorch.</param>
    /// <param name="divisorOverride">Divides by this instead of the window's size; 0 (default) does not.</param>
    /// <returns>[N, OH, OW, C].</returns>
    /// <exception cref="ShapeException">The window does not fit.</exception>
    public static Value AvgPool2D(
        this Value x, Size2D kernel, Size2D? stride = null, Padding2D padding = default,
        bool ceilMode = false, bool countIncludePad = true, int divisorOverride = 0)
    {
        (int strideH, int strideW) = stride ?? kernel;
        var options = new Pool2DOptions(
            kernel.Rows, kernel.Columns, strideH, strideW, padding, 1, 1, ceilMode, countIncludePad, divisorOverride);
        return x.Graph.Add(new AvgPool2DOp(options), x);
    }

    /// <summary>The mean of each channel over the whole image.</summary>
    /// <param name="x">[N, H, W, C].</param>
    /// <param name="keepAxes">Keep the two axes with extent 1; default false.</param>
    /// <returns>[N, C], or [N, 1, 1, C].</returns>
    /// <exception cref="ShapeException">x is not a batch of images.</exception>
    public static Value GlobalAvgPool2D(this Value x, bool keepAxes = false)
    {
        Value y = x.Graph.Add(new AvgPool2DOp(new Pool2DOptions { Global = true, CountIncludePad = true }), x);
        return keepAxes ? y : y.Reshape(new Shape(y.Shape[0], y.Shape[3]));
    }

    /// <summary>An operator of the user's own that has one output.</summary>
    /// <param name="op">The operator.</param>
    /// <param name="inputs">Its inputs, at least one.</param>
    /// <returns>Its output.</returns>
    /// <exception cref="ShapeException">The operator does not take these inputs, or has several outputs.</exception>
    public static Value Apply(this CustomOperator op, params ReadOnlySpan<Value> inputs)
    {
        Value[] outputs = op.ApplyAll(inputs);
        return outputs.Length == 1
            ? outputs[0]
            : throw new ShapeException(
                $"{op.Name}: expected an operator with one output, got {outputs.Length} outputs; call ApplyAll.");
    }

    /// <summary>An operator of the user's own.</summary>
    /// <param name="op">The operator.</param>
    /// <param name="inputs">Its inputs, at least one.</param>
    /// <returns>Its outputs.</returns>
    /// <exception cref="ShapeException">The operator does not take these inputs.</exception>
    public static Value[] ApplyAll(this CustomOperator op, params ReadOnlySpan<Value> inputs)
    {
        ArgumentNullException.ThrowIfNull(op);
        return inputs.Length == 0
            ? throw new ShapeException($"{op.Name}: expected at least one input, got none.")
            : inputs[0].Graph.AddNode(new CustomOp(op), inputs);
    }

    // The use in the top byte keeps dropout's streams apart from those of weights, shuffles and data.
    private static uint DropoutStream(Graph graph) => ((uint)RandomUse.Dropout << 24) | graph.NextStream();

    private static Value Apply<TFunction>(this Value x, params ReadOnlySpan<float> scalars)
        where TFunction : struct, IUnaryFunction => x.Apply(Activation.Of<TFunction>(scalars));

    private static Value Apply(this Value x, Activation function) => x.Graph.Add(new ActivationOp(function), x);
}
