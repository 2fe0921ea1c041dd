using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Binary cross-entropy from probabilities or logits, as PyTorch's BCELoss and BCEWithLogitsLoss compute it.</summary>
internal sealed unsafe partial class CpuDevice
{
    public void BinaryCrossEntropyForward(
        bool fromLogits, Reduction reduction, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight, Tensor loss)
    {
        var operands = new BinaryOperands(Floats(x), Floats(targets), Floats(weight), Floats(positiveWeight), LastExtent(x));
        if (fromLogits)
        {
            ReduceLoss(reduction, x.Count, new LogitLosses(operands), loss);
        }
        else
        {
            ReduceLoss(reduction, x.Count, new ProbabilityLosses(operands), loss);
        }
    }

    public void BinaryCrossEntropyBackward(
        bool fromLogits, Reduction reduction, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight, Tensor dLoss, Tensor dX, bool accumulate)
    {
        var operands = new BinaryOperands(Floats(x), Floats(targets), Floats(weight), Floats(positiveWeight), LastExtent(x));
        if (fromLogits)
        {
            SpreadLoss(reduction, x.Count, new LogitSlopes(operands), dLoss, dX, accumulate);
        }
        else
        {
            SpreadLoss(reduction, x.Count, new ProbabilitySlopes(operands), dLoss, dX, accumulate);
        }
    }

    private static int LastExtent(Tensor x) => x.Shape.Rank == 0 ? 1 : x.Shape[-1];

    private readonly struct BinaryOperands(float* x, float* targets, float* weight, float* positiveWeight, int last)
    {
        public bool HasPositiveWeight => positiveWeight != null;

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

    /// <summary>-(t log x + (1 - t) log(1 - x)), each logarithm at least -100.</summary>
    private readonly struct ProbabilityLosses(BinaryOperands operands) : ITermBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes x = operands.Values<TLanes>(i, count), t = operands.Targets<TLanes>(i, count);
            TLanes one = TLanes.Broadcast(1f), least = TLanes.Broadcast(-100f);

            // log(1 - x) needs no more care than this: x is a float near 1 there, and 1 - x is exact from 1/2 on.
            TLanes yes = TLanes.Max(least, TLanes.Log(x)), no = TLanes.Max(least, Elementary.LogOneMinus(x));
            return operands.Weigh(((t - one) * no) - (t * yes), i, count);
        }
    }

    /// <summary>(x - t) / max(x (1 - x), 1e-12), PyTorch's guard against a division by zero.</summary>
    private readonly struct ProbabilitySlopes(BinaryOperands operands) : ITermBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes x = operands.Values<TLanes>(i, count), t = operands.Targets<TLanes>(i, count);
            TLanes spread = TLanes.Max(TLanes.Broadcast(1e-12f), x * (TLanes.Broadcast(1f) - x));
            return operands.Weigh((x - t) / spread, i, count);
        }
    }

    /// <summary>
    /// p t log(1 + exp(-x)) + (1 - t) log(1 + exp(x)), p the weight of the positive class: max(x, 0) - x t + log(1 + exp(-|x|))
    /// for p = 1, in terms of one sign so that nothing cancels.
    /// </summary>
    private readonly struct LogitLosses(BinaryOperands operands) : ITermBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes x = operands.Values<TLanes>(i, count), t = operands.Targets<TLanes>(i, count);
            TLanes zero = TLanes.Broadcast(0f);
            TLanes soft = Elementary.LogOnePlus(Elementary.Exp(-TLanes.Abs(x)));
            TLanes yes = t * (soft + TLanes.Max(zero, -x)), no = (TLanes.Broadcast(1f) - t) * (soft + TLanes.Max(zero, x));
            if (operands.HasPositiveWeight)
            {
                yes *= operands.PositiveWeights<TLanes>(i, count);
            }

            return operands.Weigh(yes + no, i, count);
        }
    }

    /// <summary>sigmoid(x) - t, or (1 - t) - (1 + (p - 1) t) sigmoid(-x) with a weight p of the positive class.</summary>
    private readonly struct LogitSlopes(BinaryOperands operands) : ITermBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes x = operands.Values<TLanes>(i, count), t = operands.Targets<TLanes>(i, count);
            TLanes one = TLanes.Broadcast(1f);
            TLanes slope;
            if (operands.HasPositiveWeight)
            {
                TLanes factor = TLanes.MultiplyAdd(operands.PositiveWeights<TLanes>(i, count) - one, t, one);
                slope = one - t - (factor * Elementary.Sigmoid(-x));
            }
            else
            {
                slope = Elementary.Sigmoid(x) - t;
            }

            return operands.Weigh(slope, i, count);
        }
    }
}
