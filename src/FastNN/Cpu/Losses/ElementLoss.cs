using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Losses of single elements: 8 bytes read per element forward, 12 moved backward, 4 more for a weight.</summary>
internal sealed unsafe partial class CpuLosses
{
    public void ElementLossForward(
        LossFunction loss, Scalars scalars, long? divisor, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight,
        Tensor result) =>
        LossLoops.Of(loss).Forward(Pool, OperandsOf(scalars, x, targets, weight, positiveWeight), x.Count, divisor, result);

    public void ElementLossBackward(
        LossFunction loss, Scalars scalars, long? divisor, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight,
        Tensor dLoss, Tensor dX,
        bool accumulate) =>
        LossLoops.Of(loss).Backward(
            Pool, OperandsOf(scalars, x, targets, weight, positiveWeight), divisor, dLoss, dX, accumulate);

    private static LossOperands OperandsOf(Scalars scalars, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight) =>
        new(scalars, Floats(x), Floats(targets), Floats(weight), Floats(positiveWeight), x.Shape.Rank == 0 ? 1 : x.Shape[-1]);

    /// <summary>The loops of one loss, which the JIT compiles for it; found by the loss's row.</summary>
    private abstract class LossLoops
    {
        private static readonly LossLoops[] All = [.. FunctionTable.Losses.Select(row => row.Accept(default(Compiled)))];

        public static LossLoops Of(LossFunction loss) => All[loss.Id - 1];

        public abstract void Forward(WorkerPool pool, in LossOperands operands, long count, long? divisor, Tensor result);

        public abstract void Backward(
            WorkerPool pool, in LossOperands operands, long? divisor, Tensor dLoss, Tensor dX, bool accumulate);

        private readonly struct Compiled : ILossVisitor<LossLoops>
        {
            public LossLoops Visit<TFunction>(LossFunction loss)
                where TFunction : struct, ILossFunction => new LossLoops<TFunction>();
        }
    }

    private sealed class LossLoops<TFunction> : LossLoops
        where TFunction : struct, ILossFunction
    {
        public override void Forward(WorkerPool pool, in LossOperands operands, long count, long? divisor, Tensor result)
        {
            var terms = new LossTerms<TFunction>(operands);
            if (divisor is { } number)
            {
                *Floats(result) = (float)(SumLoop.Run(pool, count, terms) / number);
            }
            else
            {
                ElementLoop.Run(pool, count, new TermMap<LossTerms<TFunction>, Assign>(terms, Floats(result)));
            }
        }

        public override void Backward(
            WorkerPool pool, in LossOperands operands, long? divisor, Tensor dLoss, Tensor dX, bool accumulate)
        {
            if (accumulate)
            {
                Backward<Accumulate>(pool, new(operands), divisor, dLoss, dX);
            }
            else
            {
                Backward<Assign>(pool, new(operands), divisor, dLoss, dX);
            }
        }

        private static void Backward<TStore>(
            WorkerPool pool, LossSlopes<TFunction> slopes, long? divisor, Tensor dLoss, Tensor dX)
            where TStore : struct, IStore
        {
            if (divisor is { } number)
            {
                float scale = *Floats(dLoss) / number;
                ElementLoop.Run(pool, dX.Count, new ScaledTermMap<LossSlopes<TFunction>, TStore>(slopes, scale, Floats(dX)));
            }
            else
            {
                ElementLoop.Run(
                    pool, dX.Count, new ProductTermMap<LossSlopes<TFunction>, TStore>(slopes, Floats(dLoss), Floats(dX)));
            }
        }
    }

    private readonly struct LossOperands(
        Scalars scalars, float* x, float* targets, float* weight, float* positiveWeight, int last)
    {
        public readonly Scalars Scalars = scalars;

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
            return operands.Weigh(
                TFunction.Value(
                    operands.Values<TLanes>(i, count), operands.Targets<TLanes>(i, count), positive, operands.Scalars), i, count);
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
            return operands.Weigh(
                TFunction.Slope(
                    operands.Values<TLanes>(i, count), operands.Targets<TLanes>(i, count), positive, operands.Scalars), i, count);
        }
    }
}
