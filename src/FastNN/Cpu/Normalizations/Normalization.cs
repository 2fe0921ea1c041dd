using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Normalizations: 8 bytes moved per element forward, 12 or 16 backward, statistics and parameters staying in the cache.
/// </summary>
internal sealed unsafe partial class CpuNormalizations
{
    public void NormalizationScale(Tensor variance, float eps, Tensor scale) =>
        ElementLoop.Map(Pool, variance, scale, new InverseRoot(eps));

    public void NormalizationForward(in NormalizationOperands operands, Tensor? bias, Tensor y) =>
        Normalize<Assign>(operands, new(NormalizationPass.Forward, null, Floats(bias), null, 0), Floats(y), null);

    public void NormalizationProducts(in NormalizationOperands operands, Tensor dY, Tensor products, Tensor? weighted) =>
        Normalize<Assign>(
            operands, new(NormalizationPass.Products, Floats(dY), null, null, 0), Floats(products), Floats(weighted));

    public void NormalizationBackward(
        in NormalizationOperands operands, Tensor dY, Tensor? sum, Tensor? product, float inverseCount, Tensor dX,
        bool accumulate)
    {
        var pass = new PassOperands(NormalizationPass.Backward, Floats(dY), Floats(sum), Floats(product), inverseCount);
        if (accumulate)
        {
            Normalize<Accumulate>(operands, pass, Floats(dX), null);
        }
        else
        {
            Normalize<Assign>(operands, pass, Floats(dX), null);
        }
    }

    public void RunningStatistics(Tensor running, Tensor batch, float momentum, float factor, Tensor updated) =>
        ElementLoop.Map(Pool, running, batch, updated, new RunningAverage(momentum, factor), accumulate: false);

    private void Normalize<TStore>(in NormalizationOperands operands, in PassOperands pass, float* y, float* weighted)
        where TStore : struct, IStore
    {
        if (operands.X.Count == 0)
        {
            return;
        }

        StridedAxes axes = operands.Axes;
        var rows = new NormalizationRows<TStore>(
            axes, pass, Floats(operands.X), Floats(operands.Mean), Floats(operands.Scale), Floats(operands.Weight), y, weighted);
        RowLoop.Run(Pool, axes.Outer, axes.Inner, rows);
    }

    private enum NormalizationPass
    {
        Forward,
        Products,
        Backward,
    }

    /// <summary>What one pass has besides: Forward the bias in Sum's place.</summary>
    private readonly struct PassOperands(NormalizationPass pass, float* dY, float* sum, float* product, float inverseCount)
    {
        public readonly NormalizationPass Pass = pass;
        public readonly float* DY = dY;
        public readonly float* Sum = sum;
        public readonly float* Product = product;
        public readonly float InverseCount = inverseCount;
    }

    private readonly struct NormalizationRows<TStore>(
        StridedAxes axes, PassOperands pass, float* x, float* mean, float* scale, float* weight, float* y, float* weighted)
            : IRowBody
        where TStore : struct, IStore
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            int inner = axes.Rank - 1;
            bool statisticsRun = inner >= 0 && axes.Second[inner] != 0, parametersRun = inner >= 0 && axes.Third[inner] != 0;
            for (nint row = start; row < end; row++)
            {
                axes.Locate(row, out nint first, out nint second, out nint third);
                Row<TLanes>(first, second, third, statisticsRun, parametersRun);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Row<TLanes>(nint first, nint second, nint third, bool statisticsRun, bool parametersRun)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes one = TLanes.Broadcast(1f), zero = TLanes.Broadcast(0f), inverse = TLanes.Broadcast(pass.InverseCount);
            for (int i = 0; i < axes.Inner; i += TLanes.Count)
            {
                int count = Math.Min(TLanes.Count, axes.Inner - i);
                TLanes factor = Load<TLanes>(scale + second, i, count, statisticsRun),
                middle = Load<TLanes>(mean + second, i, count, statisticsRun);
                TLanes w = weight == null ? one : Load<TLanes>(weight + third, i, count, parametersRun);
                TLanes normalized = (TLanes.Load(x + first + i, count) - middle) * factor;
                if (pass.Pass == NormalizationPass.Forward)
                {
                    TLanes bias = pass.Sum == null ? zero : Load<TLanes>(pass.Sum + third, i, count, parametersRun);
                    TStore.Store(y + first + i, TLanes.MultiplyAdd(normalized, w, bias), count);
                    continue;
                }

                TLanes given = TLanes.Load(pass.DY + first + i, count);
                if (pass.Pass == NormalizationPass.Products)
                {
                    if (weighted != null)
                    {
                        given *= w;
                        given.Store(weighted + first + i, count);
                    }

                    (given * normalized).Store(y + first + i, count);
                    continue;
                }

                given *= w;
                if (pass.Sum != null)
                {
                    TLanes sum = Load<TLanes>(pass.Sum + second, i, count, statisticsRun),
                    product = Load<TLanes>(pass.Product + second, i, count, statisticsRun);
                    given -= inverse * TLanes.MultiplyAdd(normalized, product, sum);
                }

                TStore.Store(y + first + i, factor * given, count);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TLanes Load<TLanes>(float* source, nint i, int count, bool runs)
            where TLanes : struct, IVectorLanes<TLanes> => runs ? TLanes.Load(source + i, count) : TLanes.Broadcast(*source);
    }

    private readonly struct InverseRoot(float eps) : IUnaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke<TLanes>(TLanes x)
            where TLanes : struct, ILanes<TLanes> => TLanes.Broadcast(1f) / TLanes.Sqrt(x + TLanes.Broadcast(eps));
    }

    private readonly struct RunningAverage(float momentum, float factor) : IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke<TLanes>(TLanes running, TLanes batch)
            where TLanes : struct, ILanes<TLanes> =>
            TLanes.MultiplyAdd(TLanes.Broadcast(1 - momentum), running, TLanes.Broadcast(momentum * factor) * batch);
    }
}
