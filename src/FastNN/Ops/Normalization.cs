using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>What both normalizations have in common: statistics over some axes, parameters along others.</summary>
/// <param name="Statistics">How x's elements belong to means; bound per plan.</param>
/// <param name="Parameters">How they belong to weights.</param>
/// <param name="Axes">First: x, second: statistics, third: parameters.</param>
internal sealed record NormalizationGeometry(ReduceGeometry Statistics, ReduceGeometry Parameters, StridedAxes Axes)
{
    /// <param name="x">The input's shape.</param>
    /// <param name="overAxes">Bit i: axis i is averaged over.</param>
    /// <param name="withoutParameters">Bit i: parameters repeat along axis i.</param>
    public static NormalizationGeometry Of(Shape x, int overAxes, int withoutParameters)
    {
        StridedAxes axes = default;
        for (int axis = 0; axis < x.Rank; axis++)
        {
            axes.Append(x[axis], x.Product(axis + 1, x.Rank), Stride(x, axis, overAxes), Stride(x, axis, withoutParameters));
        }

        return new NormalizationGeometry(new ReduceGeometry(x, overAxes), new ReduceGeometry(x, withoutParameters), axes);
    }

    private static long Stride(Shape x, int axis, int left)
    {
        long stride = (left & (1 << axis)) != 0 ? 0 : 1;
        for (int inner = axis + 1; inner < x.Rank; inner++)
        {
            stride *= (left & (1 << inner)) != 0 ? 1 : x[inner];
        }

        return stride;
    }
}

/// <summary>
/// Layer normalization (Ba et al., 2016): y = (x - mean) / sqrt(variance + eps) weight + bias, statistics over the trailing axes,
/// variance biased. Inputs: x and, if affine, weight and bias of the trailing axes' shape.
/// </summary>
/// <param name="Trailing">How many axes.</param>
/// <param name="Eps">Added to the variance.</param>
internal sealed record LayerNormOp(int Trailing, float Eps) : Operator
{
    public override string Name => "LayerNorm";

    public override bool KeepsFeatures(int input) => true;

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) => input == 0 || (input == 1 && wanted[0]);

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 1, 3);
        Shape x = inputs[0].Shape;
        if (Trailing < 1 || Trailing > x.Rank)
        {
            throw new ShapeException($"{Name}: expected 1 to {x.Rank} trailing axes of {x}, got {Trailing}.");
        }

        for (int i = 1; i < inputs.Length; i++)
        {
            if (inputs[i].Shape != x[^Trailing..])
            {
                throw new ShapeException(
                    $"{Name}: expected weight and bias of shape {x[^Trailing..]} for input {x}, got {inputs[i].Shape}.");
            }
        }

        return [inputs[0]];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape x = inputs[0].Shape;
        int leading = (1 << (x.Rank - Trailing)) - 1, all = (1 << x.Rank) - 1;
        return NormalizationGeometry.Of(x, all & ~leading, leading);
    }

    public override TensorType[] SavedTensors(NodeTypes types, bool training)
    {
        TensorType statistics = new([.. types.Inputs[0].Shape[..^Trailing]]);
        return [statistics, statistics];
    }

    public override TensorType[] BackwardScratch(NodeTypes types, ReadOnlySpan<bool> wanted)
    {
        TensorType x = types.Inputs[0], statistics = new([.. x.Shape[..^Trailing]]), parameters = new(x.Shape[^Trailing..]);
        return [x, x, statistics, statistics, parameters];
    }

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        var geometry = (NormalizationGeometry)tensors.Bound!;
        (Tensor x, Tensor mean, Tensor scale) = (tensors.Inputs[0], tensors.SavedTensors[0], tensors.SavedTensors[1]);
        float average = 1f / geometry.Statistics.Terms;
        kernels.Reductions.Fold(FoldFunction.Of<SumFold>(), x, null, mean, geometry.Statistics, average, root: false);
        kernels.Reductions.Fold(
            FoldFunction.Of<CenteredSquaresFold>(), x, mean, scale, geometry.Statistics, average, root: false);
        kernels.Normalizations.NormalizationScale(scale, Eps, scale);
        kernels.Normalizations.NormalizationForward(
            Operands(tensors, geometry), tensors.Inputs.Length > 2 ? tensors.Inputs[2] : null, tensors.Output);
    }

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        var geometry = (NormalizationGeometry)tensors.Bound!;
        NormalizationOperands operands = Operands(tensors, geometry);
        Tensor dY = tensors.OutputGradient!, products = tensors.BackwardScratch[0], parameters = tensors.BackwardScratch[4];
        if (tensors.Inputs.Length > 2 && tensors.InputGradients[2] is { } dBias)
        {
            kernels.Reductions.Fold(FoldFunction.Of<SumFold>(), dY, null, parameters, geometry.Parameters, 1, root: false);
            kernels.Memory.Copy(parameters, dBias, tensors.Accumulate[2]);
        }

        if (tensors.Inputs.Length > 1 && tensors.InputGradients[1] is { } dWeight)
        {
            kernels.Normalizations.NormalizationProducts(operands, dY, products, null);
            kernels.Reductions.Fold(FoldFunction.Of<SumFold>(), products, null, parameters, geometry.Parameters, 1, root: false);
            kernels.Memory.Copy(parameters, dWeight, tensors.Accumulate[1]);
        }

        if (tensors.InputGradients[0] is { } dX)
        {
            (Tensor weighted, Tensor sum, Tensor product) = (
                tensors.BackwardScratch[1], tensors.BackwardScratch[2], tensors.BackwardScratch[3]);
            kernels.Normalizations.NormalizationProducts(operands, dY, products, weighted);
            kernels.Reductions.Fold(FoldFunction.Of<SumFold>(), weighted, null, sum, geometry.Statistics, 1, root: false);
            kernels.Reductions.Fold(FoldFunction.Of<SumFold>(), products, null, product, geometry.Statistics, 1, root: false);
            kernels.Normalizations.NormalizationBackward(
                operands, dY, sum, product, 1f / geometry.Statistics.Terms, dX, tensors.Accumulate[0]);
        }
    }

    private static NormalizationOperands Operands(NodeTensors tensors, NormalizationGeometry geometry) => new(
        geometry.Axes, tensors.Inputs[0], tensors.SavedTensors[0], tensors.SavedTensors[1],
        tensors.Inputs.Length > 1 ? tensors.Inputs[1] : null);
}

/// <summary>
/// Batch normalization (Ioffe and Szegedy, 2015) of the last axis. Inputs: x, running mean, running variance and, if affine,
/// weight and bias. Outputs: y and, in training, the running statistics after this step, of which the variance takes the unbiased
/// one, as in PyTorch.
/// </summary>
/// <param name="IsTraining">Take the batch's statistics, else the running ones.</param>
/// <param name="Momentum">Of the batch in the running statistics.</param>
/// <param name="Eps">Added to the variance.</param>
internal sealed record BatchNormOp(bool IsTraining, float Momentum, float Eps) : Operator
{
    public override string Name => "BatchNorm";

    public override bool KeepsFeatures(int input) => input == 0;

    public override bool IsDifferentiable(int input) => input is not (1 or 2);

    public override bool BackwardReadsInput(int input, ReadOnlySpan<bool> wanted) =>
        input == 0 || (input == 3 && wanted[0]) || (input == 1 && !IsTraining);

    public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs)
    {
        RequireFloats(inputs, 3, 5);
        Shape x = inputs[0].Shape;
        if (x.Rank < 2)
        {
            throw new ShapeException($"{Name}: expected an input [..., C] with a batch axis, got {x}.");
        }

        var channels = new TensorType(new Shape(x[-1]));
        for (int i = 1; i < inputs.Length; i++)
        {
            if (inputs[i] != channels)
            {
                throw new ShapeException(
                    $"{Name}: expected statistics and parameters of shape {channels.Shape} for input {x}, got {inputs[i].Shape}.");
            }
        }

        return IsTraining ? [inputs[0], channels, channels] : [inputs[0]];
    }

    public override object Bind(TensorType[] inputs, TensorType[] outputs)
    {
        Shape x = inputs[0].Shape;
        int others = (1 << (x.Rank - 1)) - 1;
        NormalizationGeometry geometry = NormalizationGeometry.Of(x, others, others);
        return !IsTraining || geometry.Statistics.Terms != 1
            ? geometry
            : throw new ShapeException(
                $"{Name}: expected more than one value per channel when training, got input {x}; use a larger batch.");
    }

    public override TensorType[] SavedTensors(NodeTypes types, bool training)
    {
        TensorType channels = types.Inputs[1];
        return IsTraining ? [channels, channels] : [channels];
    }

    public override TensorType[] BackwardScratch(NodeTypes types, ReadOnlySpan<bool> wanted) =>
        [types.Inputs[0], types.Inputs[1], types.Inputs[1]];

    public override void Forward(IKernels kernels, NodeTensors tensors)
    {
        var geometry = (NormalizationGeometry)tensors.Bound!;
        Tensor x = tensors.Inputs[0];
        if (IsTraining)
        {
            (Tensor mean, Tensor scale) = (tensors.SavedTensors[1], tensors.SavedTensors[0]);
            long count = geometry.Statistics.Terms;
            kernels.Reductions.Fold(FoldFunction.Of<SumFold>(), x, null, mean, geometry.Statistics, 1f / count, root: false);
            kernels.Reductions.Fold(
                FoldFunction.Of<CenteredSquaresFold>(), x, mean, scale, geometry.Statistics, 1f / count, root: false);
            kernels.Normalizations.RunningStatistics(tensors.Inputs[1], mean, Momentum, 1, tensors.Outputs[1]);
            kernels.Normalizations.RunningStatistics(
                tensors.Inputs[2], scale, Momentum, count / (count - 1f), tensors.Outputs[2]);
            kernels.Normalizations.NormalizationScale(scale, Eps, scale);
        }
        else
        {
            kernels.Normalizations.NormalizationScale(tensors.Inputs[2], Eps, tensors.SavedTensors[0]);
        }

        kernels.Normalizations.NormalizationForward(
            Operands(tensors, geometry), tensors.Inputs.Length > 4 ? tensors.Inputs[4] : null, tensors.Output);
    }

    public override void Backward(IKernels kernels, NodeTensors tensors)
    {
        var geometry = (NormalizationGeometry)tensors.Bound!;
        NormalizationOperands operands = Operands(tensors, geometry);
        Tensor dY = tensors.OutputGradient!, products = tensors.BackwardScratch[0];
        (Tensor sum, Tensor product) = (tensors.BackwardScratch[1], tensors.BackwardScratch[2]);
        if (tensors.Inputs.Length > 4 && tensors.InputGradients[4] is { } dBias)
        {
            kernels.Reductions.Fold(FoldFunction.Of<SumFold>(), dY, null, sum, geometry.Statistics, 1, root: false);
            kernels.Memory.Copy(sum, dBias, tensors.Accumulate[4]);
        }

        if (tensors.Inputs.Length > 3 && tensors.InputGradients[3] is { } dWeight)
        {
            kernels.Normalizations.NormalizationProducts(operands, dY, products, null);
            kernels.Reductions.Fold(FoldFunction.Of<SumFold>(), products, null, product, geometry.Statistics, 1, root: false);
            kernels.Memory.Copy(product, dWeight, tensors.Accumulate[3]);
        }

        if (tensors.InputGradients[0] is not { } dX)
        {
            return;
        }

        if (!IsTraining)
        {
            kernels.Normalizations.NormalizationBackward(operands, dY, null, null, 0, dX, tensors.Accumulate[0]);
            return;
        }

        // The weight is one number per sum.
        kernels.Normalizations.NormalizationProducts(operands, dY, products, null);
        kernels.Reductions.Fold(FoldFunction.Of<SumFold>(), products, null, product, geometry.Statistics, 1, root: false);
        kernels.Reductions.Fold(FoldFunction.Of<SumFold>(), dY, null, sum, geometry.Statistics, 1, root: false);
        if (operands.Weight is { } weight)
        {
            kernels.Elements.BinaryForward(BinaryFunction.Of<Functions.Multiply>(), sum, weight, sum);
            kernels.Elements.BinaryForward(BinaryFunction.Of<Functions.Multiply>(), product, weight, product);
        }

        kernels.Normalizations.NormalizationBackward(
            operands, dY, sum, product, 1f / geometry.Statistics.Terms, dX, tensors.Accumulate[0]);
    }

    private NormalizationOperands Operands(NodeTensors tensors, NormalizationGeometry geometry) => new(
        geometry.Axes, tensors.Inputs[0], IsTraining ? tensors.SavedTensors[1] : tensors.Inputs[1], tensors.SavedTensors[0],
        tensors.Inputs.Length > 3 ? tensors.Inputs[3] : null);
}
