using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>What a reduction gives of its terms.</summary>
internal enum ReduceFunction
{
    Sum,
    Mean,
    Max,
    Min,
    Prod,
    Variance,
    StandardDeviation,
    LogSumExp,
    Norm1,
    Norm2,
}

/// <summary>One number for the terms along some axes.</summary>
/// <param name="Function">Which.</param>
/// <param name="Axes">Bit i: axis -1 - i is reduced, counted from the end.</param>
/// <param name="KeepDims">Keep reduced axes with extent 1.</param>
/// <param name="Correction">Of variances: the divisor is the number of terms less this.</param>
internal sealed record ReduceOp(ReduceFunction Function, int Axes, bool KeepDims, int Correction = 0) : Operator
{
    public override string Name => NameOf(Function);

    /// <summary>That of the call.</summary>
    public static string NameOf(ReduceFunction function) =>
        function is ReduceFunction.Norm1 or ReduceFunction.Norm2 ? "Norm" : function.ToString();

    private bool IsSpread => Function is ReduceFunction.Variance or ReduceFunction.StandardDeviation;

    private bool IsExtreme => Function is ReduceFunction.Max or ReduceFunction.Min;

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) =>
        Function is not (ReduceFunction.Sum or ReduceFunction.Mean);

    public override bool BackwardReadsOutput(int output, ReadOnlySpan<bool> wanted) =>
        IsExtreme || Function is ReduceFunction.Prod or ReduceFunction.StandardDeviation or ReduceFunction.LogSumExp
            or ReduceFunction.Norm2;

    public override bool KeepsFeatures(int input) => (Axes & 1) == 0;

    public override bool TreatsExamplesAlone(ReadOnlySpan<bool> hasExamples, ReadOnlySpan<TensorType> inputs) =>
        (Axes & (1 << (inputs[0].Shape.Rank - 1))) == 0;

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 1, 1);
        Shape x = inputs[0].Shape;
        Shape y = Without(Name, x, Axes, KeepDims);
        return x.Count > 0 || y.Count == 0 || !IsExtreme
            ? [new TensorType(y)]
            : throw new ShapeException($"{Name}: expected at least one element along the axes reduced, got {x}.");
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs) =>
        new ReduceGeometry(inputs[0].Shape, FromFront(inputs[0].Shape, Axes));

    // The mean of a variance, the largest of exponentials.
    public override TensorType[] SavedTensors(NodeTypes types, bool training) =>
        IsSpread || Function == ReduceFunction.LogSumExp ? [types.Outputs[0]] : [];

    public override TensorType[] BackwardScratch(NodeTypes types, ReadOnlySpan<bool> wanted) =>
        IsExtreme ? [types.Outputs[0]] : Function == ReduceFunction.Prod ? [types.Outputs[0], types.Outputs[0]] : [];

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        var geometry = (ReduceGeometry)tensors.Bound!;
        (Tensor x, Tensor y) = (tensors.Inputs[0], tensors.Output);
        float average = 1f / geometry.Terms;
        switch (Function)
        {
            case ReduceFunction.Sum or ReduceFunction.Mean:
                kernels.Reductions.Fold(
                    FoldFunction.Of<SumFold>(), x, null, y, geometry, Function == ReduceFunction.Mean ? average : 1, root: false);
                break;
            case ReduceFunction.Max:
                kernels.Reductions.Fold(FoldFunction.Of<LargestFold>(), x, null, y, geometry, 1, root: false);
                break;
            case ReduceFunction.Min:
                kernels.Reductions.Fold(FoldFunction.Of<SmallestFold>(), x, null, y, geometry, 1, root: false);
                break;
            case ReduceFunction.Prod:
                kernels.Reductions.Fold(FoldFunction.Of<ProductFold>(), x, null, y, geometry, 1, root: false);
                break;
            case ReduceFunction.LogSumExp:
                kernels.Reductions.Fold(
                    FoldFunction.Of<AnchorFold>(), x, null, tensors.SavedTensors[0], geometry, 1, root: false);
                kernels.Reductions.Fold(
                    FoldFunction.Of<LogOfExponentialsFold>(), x, tensors.SavedTensors[0], y, geometry, 1, root: false);
                break;
            case ReduceFunction.Norm1:
                kernels.Reductions.Fold(FoldFunction.Of<MagnitudesFold>(), x, null, y, geometry, 1, root: false);
                break;
            case ReduceFunction.Norm2:
                kernels.Reductions.Fold(FoldFunction.Of<SquaresFold>(), x, null, y, geometry, 1, root: true);
                break;
            default:
                Tensor mean = tensors.SavedTensors[0];
                kernels.Reductions.Fold(FoldFunction.Of<SumFold>(), x, null, mean, geometry, average, root: false);
                kernels.Reductions.Fold(
                    FoldFunction.Of<CenteredSquaresFold>(), x, mean, y, geometry, Divisor(geometry),
                    Function == ReduceFunction.StandardDeviation);
                break;
        }
    }

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        var geometry = (ReduceGeometry)tensors.Bound!;
        (Tensor x, Tensor y) = (tensors.Inputs[0], tensors.Output);
        switch (Function)
        {
            case ReduceFunction.Sum:
                Spread(SlopeFunction.Of<ScaledSlope>(), y, y, 1);
                break;
            case ReduceFunction.Mean:
                Spread(SlopeFunction.Of<ScaledSlope>(), y, y, 1f / geometry.Terms);
                break;
            case ReduceFunction.Max or ReduceFunction.Min:
                Tensor ties = tensors.BackwardScratch[0];
                kernels.Reductions.Fold(FoldFunction.Of<EqualFold>(), x, y, ties, geometry, 1, root: false);
                Spread(SlopeFunction.Of<ExtremeSlope>(), ties, ties, 1);
                break;
            case ReduceFunction.Prod:
                (Tensor others, Tensor zeros) = (tensors.BackwardScratch[0], tensors.BackwardScratch[1]);
                kernels.Reductions.Fold(FoldFunction.Of<NonZeroProductFold>(), x, null, others, geometry, 1, root: false);
                kernels.Reductions.Fold(FoldFunction.Of<ZerosFold>(), x, null, zeros, geometry, 1, root: false);
                Spread(SlopeFunction.Of<ProductSlope>(), others, zeros, 1);
                break;
            case ReduceFunction.LogSumExp:
                Spread(SlopeFunction.Of<ExponentialSlope>(), y, y, 1);
                break;
            case ReduceFunction.Norm1:
                Spread(SlopeFunction.Of<SignSlope>(), y, y, 1);
                break;
            case ReduceFunction.Norm2:
                Spread(SlopeFunction.Of<OverResultSlope>(), y, y, 1);
                break;
            case ReduceFunction.Variance:
                Spread(SlopeFunction.Of<CenteredSlope>(), tensors.SavedTensors[0], y, 2 * Divisor(geometry));
                break;
            default:
                Spread(SlopeFunction.Of<CenteredOverResultSlope>(), tensors.SavedTensors[0], y, Divisor(geometry));
                break;
        }

        void Spread(SlopeFunction slope, Tensor saved, Tensor more, float scale) =>
            kernels.Reductions.Spread(
                slope, x, y, saved, more, tensors.OutputGradient!, tensors.InputGradients[0]!, geometry, scale,
                tensors.Accumulate[0]);
    }

    private float Divisor(ReduceGeometry geometry) => 1f / Math.Max(0, geometry.Terms - Correction);

    /// <summary>The shape of the outputs.</summary>
    /// <param name="name">The operator, for messages.</param>
    /// <param name="axes">Bit i: axis -1 - i is reduced.</param>
    public static Shape Without(string name, Shape x, int axes, bool keepDims)
    {
        if (axes >> x.Rank != 0)
        {
            throw new ShapeException($"{name}: expected axes of {x}, got more than its {x.Rank}.");
        }

        int all = FromFront(x, axes);
        List<int> extents = [];
        for (int axis = 0; axis < x.Rank; axis++)
        {
            bool reduced = (all & (1 << axis)) != 0;
            if (!reduced || keepDims)
            {
                extents.Add(reduced ? 1 : x[axis]);
            }
        }

        return new Shape([.. extents]);
    }

    /// <summary>Bit i: axis i, counted from the front, of axes counted from the end.</summary>
    public static int FromFront(Shape x, int axes)
    {
        int reduced = 0;
        for (int axis = 0; axis < x.Rank; axis++)
        {
            reduced |= ((axes >> (x.Rank - 1 - axis)) & 1) << axis;
        }

        return reduced;
    }
}
