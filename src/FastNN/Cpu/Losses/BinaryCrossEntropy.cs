using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Binary cross-entropy from probabilities or logits, as PyTorch's BCELoss and BCEWithLogitsLoss compute it.</summary>
internal sealed unsafe partial class CpuLosses
{
    public void BinaryCrossEntropyForward(
        bool fromLogits, Reduction reduction, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight, Tensor loss)
    {
        var operands = new LossOperands(Floats(x), Floats(targets), Floats(weight), Floats(positiveWeight), LastExtent(x));
        if (!fromLogits)
        {
            ReduceLoss(reduction, x.Count, new LossTerms<ProbabilityLoss>(operands), loss);
        }
        else if (positiveWeight is null)
        {
            ReduceLoss(reduction, x.Count, new LossTerms<LogitLoss>(operands), loss);
        }
        else
        {
            ReduceLoss(reduction, x.Count, new LossTerms<WeightedLogitLoss>(operands), loss);
        }
    }

    public void BinaryCrossEntropyBackward(
        bool fromLogits, Reduction reduction, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight, Tensor dLoss, Tensor dX, bool accumulate)
    {
        var operands = new LossOperands(Floats(x), Floats(targets), Floats(weight), Floats(positiveWeight), LastExtent(x));
        if (!fromLogits)
        {
            SpreadLoss(reduction, x.Count, new LossSlopes<ProbabilityLoss>(operands), dLoss, dX, accumulate);
        }
        else if (positiveWeight is null)
        {
            SpreadLoss(reduction, x.Count, new LossSlopes<LogitLoss>(operands), dLoss, dX, accumulate);
        }
        else
        {
            SpreadLoss(reduction, x.Count, new LossSlopes<WeightedLogitLoss>(operands), dLoss, dX, accumulate);
        }
    }

    private static int LastExtent(Tensor x) => x.Shape.Rank == 0 ? 1 : x.Shape[-1];

    private readonly struct LossOperands(float* x, float* targets, float* weight, float* positiveWeight, int last)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Values<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes> => TLanes.Load(x + i, count);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Targets<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes> => TLanes.Load(targets + i, count);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Weigh<TLanes>(TLanes value, nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes> => weight == null ? value : value * TLanes.Load(weight + i, count);

        /// <summary>The weights of the positive class, which repeat along all axes but the last.</summary>
        public TLanes PositiveWeights<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            if (last == 1)
            {
                return TLanes.Broadcast(*positiveWeight);
            }

            float* repeated = stackalloc float[16];
            int column = (int)(i % last);
            for (int k = 0; k < count; k++)
            {
                repeated[k] = positiveWeight[column];
                column = column + 1 == last ? 0 : column + 1;
            }

            return TLanes.Load(repeated, count);
        }
    }

    /// <summary>The losses of elements.</summary>
    private readonly struct LossTerms<TFunction>(LossOperands operands) : ITermBody
        where TFunction : struct, ILossFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes positive = TFunction.TakesPositiveWeight ? operands.PositiveWeights<TLanes>(i, count) : default;
            return operands.Weigh(TFunction.Value(operands.Values<TLanes>(i, count), operands.Targets<TLanes>(i, count), positive), i, count);
        }
    }

    /// <summary>Their derivatives.</summary>
    private readonly struct LossSlopes<TFunction>(LossOperands operands) : ITermBody
        where TFunction : struct, ILossFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes positive = TFunction.TakesPositiveWeight ? operands.PositiveWeights<TLanes>(i, count) : default;
            return operands.Weigh(TFunction.Slope(operands.Values<TLanes>(i, count), operands.Targets<TLanes>(i, count), positive), i, count);
        }
    }
}
