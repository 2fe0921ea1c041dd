using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

/// <summary>How the logarithm of a probability comes from one input of the loss alone.</summary>
internal interface IScore
{
    static abstract TLanes Logarithm<TLanes>(TLanes x)
        where TLanes : struct, IVectorLanes<TLanes>;

    static abstract TLanes Slope<TLanes>(TLanes x)
        where TLanes : struct, IVectorLanes<TLanes>;
}

/// <summary>The input is that logarithm.</summary>
internal readonly struct LogProbabilityScore : IScore
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Logarithm<TLanes>(TLanes x)
        where TLanes : struct, IVectorLanes<TLanes> => x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Slope<TLanes>(TLanes x)
        where TLanes : struct, IVectorLanes<TLanes> => TLanes.Broadcast(1f);
}

/// <summary>The input is the probability, clipped to [1e-7, 1 - 1e-7]; outside it the slope is 0.</summary>
internal readonly struct ProbabilityScore : IScore
{
    private const float Least = 1e-7f, Most = 1 - 1e-7f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Logarithm<TLanes>(TLanes x)
        where TLanes : struct, IVectorLanes<TLanes> =>
        TLanes.Log(TLanes.Min(TLanes.Broadcast(Most), TLanes.Max(TLanes.Broadcast(Least), x)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Slope<TLanes>(TLanes x)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        TLanes zero = TLanes.Broadcast(0f);
        TLanes slope = TLanes.IfGreater(TLanes.Broadcast(Least), x, zero, TLanes.Broadcast(1f) / x);
        return TLanes.IfGreater(x, TLanes.Broadcast(Most), zero, slope);
    }
}

/// <summary>The losses of rows of probabilities or their logarithms: -sum(q log p).</summary>
internal readonly unsafe struct DirectLossRows<TScore>(CrossEntropyRows rows) : IRowBody
    where TScore : struct, IScore
{
    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        CrossEntropyRows r = rows;
        for (nint row = start; row < end; row++)
        {
            r.Losses[row] = r.Indices == null
                ? RowPieces.Sum<TLanes, Terms>(
                    new(new(r.Targets + (row * r.Classes), r.Weights, 1, 0), r.X + (row * r.Classes)), r.Classes)
                : OneClass(r, row);
        }
    }

    private static float OneClass(in CrossEntropyRows r, nint row)
    {
        int index = r.Indices[row];
        if (!r.Counts(row))
        {
            return 0;
        }

        if (!r.IsInRange(index))
        {
            return float.NaN;
        }

        return -r.WeightOf(index) * Lanes1.Sum(TScore.Logarithm(new Lanes1(r.X[(row * r.Classes) + index])));
    }

    private readonly struct Terms(SmoothTargets targets, float* x) : ITermBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes> =>
            -(targets.Invoke<TLanes>(i, count) * TScore.Logarithm(TLanes.Load(x + i, count)));
    }
}

/// <summary>dX (=|+=) -dLoss q d(log p)/dx.</summary>
internal readonly unsafe struct DirectGradientRows<TScore, TStore>(CrossEntropyRows rows, RowScale dLoss, float* dX) : IRowBody
    where TScore : struct, IScore
    where TStore : struct, IStore
{
    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        CrossEntropyRows r = rows;
        for (nint row = start; row < end; row++)
        {
            float* x = r.X + (row * r.Classes);
            float* gradient = dX + (row * r.Classes);
            if (r.Indices == null)
            {
                var targets = new SmoothTargets(r.Targets + (row * r.Classes), r.Weights, 1, 0);
                RowPieces.Map<TLanes, Slopes>(new(targets, x, gradient, -dLoss[row]), r.Classes);
                continue;
            }

            RowPieces.Map<TLanes, ZeroMap<TStore>>(new(gradient), r.Classes);
            int index = r.Indices[row];
            if (r.Counts(row) && r.IsInRange(index))
            {
                gradient[index] -= dLoss[row] * r.WeightOf(index) * Lanes1.Sum(TScore.Slope(new Lanes1(x[index])));
            }
        }
    }

    private readonly struct Slopes(SmoothTargets targets, float* x, float* gradient, float scale) : IElementBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes> =>
            TStore.Store(
                gradient + i,
                targets.Invoke<TLanes>(i, count) * TScore.Slope(TLanes.Load(x + i, count)) * TLanes.Broadcast(scale),
                count);
    }
}
