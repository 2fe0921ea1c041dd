using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>What follows a normalization in the same pass. Chosen once per kernel, so the loop has no branch.</summary>
internal unsafe interface IColumnFinish
{
    static abstract TLanes Invoke<TLanes>(TLanes normalized, float* residual, int count)
        where TLanes : struct, IVectorLanes<TLanes>;
}

/// <summary>Nothing.</summary>
internal readonly unsafe struct Plain : IColumnFinish
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Invoke<TLanes>(TLanes normalized, float* residual, int count)
        where TLanes : struct, IVectorLanes<TLanes> => normalized;
}

/// <summary>ReLU.</summary>
internal readonly unsafe struct Clipped : IColumnFinish
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Invoke<TLanes>(TLanes normalized, float* residual, int count)
        where TLanes : struct, IVectorLanes<TLanes> => Relu.Value(normalized, default);
}

/// <summary>A residual is added.</summary>
internal readonly unsafe struct Added : IColumnFinish
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Invoke<TLanes>(TLanes normalized, float* residual, int count)
        where TLanes : struct, IVectorLanes<TLanes> => normalized + TLanes.Load(residual, count);
}

/// <summary>A residual is added, then ReLU.</summary>
internal readonly unsafe struct AddedAndClipped : IColumnFinish
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Invoke<TLanes>(TLanes normalized, float* residual, int count)
        where TLanes : struct, IVectorLanes<TLanes> => Relu.Value(normalized + TLanes.Load(residual, count), default);
}

/// <summary>y = (x - mean) scale weight + bias, and what follows: rows of channels, statistics of a row's batch.</summary>
internal readonly unsafe struct NormalizedColumns<TFinish>(
    ColumnGeometry geometry, float* x, float* mean, float* scale, float* weight, float* bias, float* residual, float* y)
    : IRowBody
    where TFinish : struct, IColumnFinish
{
    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        int channels = geometry.Channels;
        for (nint row = start; row < end; row++)
        {
            nint statistics = geometry.Batches == 1 ? 0 : row / geometry.Rows * channels;
            ElementLoop.Range<TLanes, Row>(
                new(
                    x + (row * channels), mean + statistics, scale + statistics, weight, bias, residual + (row * channels),
                    y + (row * channels)), 0, channels);
        }
    }

    private readonly struct Row(
        float* x, float* mean, float* scale, float* weight, float* bias, float* residual, float* y) : IElementBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes normalized = (TLanes.Load(x + i, count) - TLanes.Load(mean + i, count)) * TLanes.Load(scale + i, count);
            if (weight != null)
            {
                TLanes factor = TLanes.Load(weight + i, count);
                normalized = bias == null
                    ? normalized * factor
                    : TLanes.MultiplyAdd(normalized, factor, TLanes.Load(bias + i, count));
            }

            TFinish.Invoke(normalized, residual + i, count).Store(y + i, count);
        }
    }
}

/// <summary>
/// dX (=|+=) scale (dY weight - sum - (x - mean) scale product), sums [2, batches, channels] of the groups; scale dY weight
/// without sums.
/// </summary>
internal readonly unsafe struct ColumnGradients<TStore>(
    ColumnGeometry geometry, float* x, float* dY, float* mean, float* scale, float* weight, float* sums, float* dX) : IRowBody
    where TStore : struct, IStore
{
    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        int channels = geometry.Channels;
        nint all = (nint)geometry.Batches * channels;
        for (nint row = start; row < end; row++)
        {
            nint statistics = geometry.Batches == 1 ? 0 : row / geometry.Rows * channels, at = row * channels;
            if (sums == null)
            {
                ElementLoop.Range<TLanes, Scaled>(new(dY + at, scale + statistics, weight, dX + at), 0, channels);
            }
            else
            {
                ElementLoop.Range<TLanes, Row>(
                    new(
                        x + at, dY + at, mean + statistics, scale + statistics, weight, sums + statistics,
                        sums + all + statistics, dX + at), 0, channels);
            }
        }
    }

    private readonly struct Scaled(float* dY, float* scale, float* weight, float* dX) : IElementBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes given = TLanes.Load(dY + i, count);
            given = weight == null ? given : given * TLanes.Load(weight + i, count);
            TStore.Store(dX + i, given * TLanes.Load(scale + i, count), count);
        }
    }

    private readonly struct Row(
        float* x, float* dY, float* mean, float* scale, float* weight, float* sum, float* product, float* dX) : IElementBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes given = TLanes.Load(dY + i, count), factor = TLanes.Load(scale + i, count);
            given = weight == null ? given : given * TLanes.Load(weight + i, count);
            TLanes normalized = (TLanes.Load(x + i, count) - TLanes.Load(mean + i, count)) * factor;
            given -= TLanes.MultiplyAdd(normalized, TLanes.Load(product + i, count), TLanes.Load(sum + i, count));
            TStore.Store(dX + i, factor * given, count);
        }
    }
}
