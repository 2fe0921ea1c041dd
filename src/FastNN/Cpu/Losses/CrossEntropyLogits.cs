using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

/// <summary>The losses of rows of logits, and their softmax for backward.</summary>
internal readonly unsafe struct LogitLossRows(CrossEntropyRows rows) : IRowBody
{
    [MethodImpl(KernelCode.Loop)]
    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        CrossEntropyRows r = rows;
        for (nint row = start; row < end; row++)
        {
            float* x = r.X + (row * r.Classes);
            float sum = Softmax<TLanes>(x, r.Softmax + (row * r.Classes), r.Classes, out float largest);
            r.Losses[row] = Loss<TLanes>(r, row, x, largest, MathF.Log(sum));
        }
    }

    /// <summary>y = softmax(x); returns the sum of exp(x - largest).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Softmax<TLanes>(float* x, float* y, int classes, out float largest)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        float sum;
        if (classes <= TLanes.Count)
        {
            TLanes exponentials = SoftmaxPieces.ShortExponentials(TLanes.Load(x, classes), classes, out _, out largest, out sum);
            (exponentials * TLanes.Broadcast(1 / sum)).Store(y, classes);
            return sum;
        }

        largest = SoftmaxPieces.Largest<TLanes>(x, classes);
        sum = (float)SumLoop.Range<TLanes, KeptExponentialTerms>(new(x, y, largest), 0, classes);
        ElementLoop.Range<TLanes, BinaryScalarMap<ValueOfPair<Functions.Multiply>,
        Assign>>(new(y, 1 / sum, y, default), 0, classes);
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Loss<TLanes>(in CrossEntropyRows r, nint row, float* x, float largest, float logSum)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        if (r.Indices == null)
        {
            return Spread<TLanes>(r, x, r.Targets + (row * r.Classes), largest, logSum);
        }

        int index = r.Indices[row];
        if (!r.Counts(row))
        {
            return 0;
        }

        if (!r.IsInRange(index))
        {
            return float.NaN;
        }

        // x - largest first, as their difference is small where both are large.
        float loss = r.WeightOf(index) * (logSum - (x[index] - largest));
        return r.Spread == 0 ? loss : (r.Keep * loss) + Spread<TLanes>(r, x, null, largest, logSum);
    }

    [MethodImpl(KernelCode.Loop)]
    private static float Spread<TLanes>(in CrossEntropyRows r, float* x, float* targets, float largest, float logSum)
        where TLanes : struct, IVectorLanes<TLanes> =>
        RowPieces.Sum<TLanes, LogitTerms>(new(new(targets, r.Weights, r.Keep, r.Spread), x, largest, logSum), r.Classes);

    /// <summary>q (log sum exp(x) - x).</summary>
    private readonly struct LogitTerms(SmoothTargets targets, float* x, float largest, float logSum) : ITermBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes> =>
            targets.Invoke<TLanes>(i, count)
            * (TLanes.Broadcast(logSum) - (TLanes.Load(x + i, count) - TLanes.Broadcast(largest)));
    }
}

/// <summary>dX (=|+=) dLoss (Q softmax(x) - q).</summary>
internal readonly unsafe struct LogitGradientRows<TStore>(CrossEntropyRows rows, RowScale dLoss, float* dX) : IRowBody
    where TStore : struct, IStore
{
    [MethodImpl(KernelCode.Loop)]
    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        CrossEntropyRows r = rows;
        for (nint row = start; row < end; row++)
        {
            float* softmax = r.Softmax + (row * r.Classes);
            float* gradient = dX + (row * r.Classes);
            if (r.Indices == null)
            {
                var targets = new SmoothTargets(r.Targets + (row * r.Classes), r.Weights, r.Keep, r.Spread);
                Distribution<TLanes>(targets, 0, softmax, gradient, dLoss[row], r.Classes);
            }
            else if (r.Counts(row) && r.IsInRange(r.Indices[row]))
            {
                OneClass<TLanes>(r, r.Indices[row], softmax, gradient, dLoss[row]);
            }
            else
            {
                RowPieces.Map<TLanes, ZeroMap<TStore>>(new(gradient), r.Classes);
            }
        }
    }

    /// <summary>For a distribution q; <paramref name="more"/> is what Q has beyond its sum.</summary>
    [MethodImpl(KernelCode.Loop)]
    private static void Distribution<TLanes>(
        SmoothTargets q, float more, float* softmax, float* gradient, float scale, int classes)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        float total = more + RowPieces.Sum<TLanes, SmoothTargets>(q, classes);
        RowPieces.Map<TLanes, Slopes<SmoothTargets>>(new(q, softmax, gradient, scale, total), classes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void OneClass<TLanes>(in CrossEntropyRows r, int index, float* softmax, float* gradient, float scale)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        float share = r.Keep * r.WeightOf(index);
        if (r.Spread == 0)
        {
            // The class itself apart, from one difference of numbers of like size.
            float before = gradient[index];
            RowPieces.Map<TLanes, Slopes<NoTargets>>(new(default, softmax, gradient, scale, share), r.Classes);
            TStore.Store(&before, new Lanes1(scale * ((softmax[index] * share) - share)), 1);
            gradient[index] = before;
        }
        else
        {
            Distribution<TLanes>(new(null, r.Weights, r.Keep, r.Spread), share, softmax, gradient, scale, r.Classes);
            gradient[index] -= scale * share;
        }
    }

    private readonly struct Slopes<TTargets>(TTargets targets, float* softmax, float* gradient, float scale, float total)
        : IElementBody
        where TTargets : struct, ITermBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes slope = (TLanes.Load(softmax + i, count) * TLanes.Broadcast(total)) - targets.Invoke<TLanes>(i, count);
            TStore.Store(gradient + i, slope * TLanes.Broadcast(scale), count);
        }
    }

    private readonly struct NoTargets : ITermBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes> => TLanes.Broadcast(0f);
    }
}

/// <summary>q: a row's target probabilities, smoothed and weighted; of the smoothing alone where there are none.</summary>
internal readonly unsafe struct SmoothTargets(float* targets, float* weights, float keep, float spread) : ITermBody
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        TLanes q = TLanes.Broadcast(spread);
        if (targets != null)
        {
            q += TLanes.Load(targets + i, count) * TLanes.Broadcast(keep);
        }

        return weights == null ? q : q * TLanes.Load(weights + i, count);
    }
}

/// <summary>Loops over one row, without a call where it fits into a vector.</summary>
internal static class RowPieces
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum<TLanes, TTerms>(TTerms terms, int length)
        where TLanes : struct, IVectorLanes<TLanes>
        where TTerms : struct, ITermBody =>
        length <= TLanes.Count
            ? TLanes.Sum(TLanes.KeepFirst(terms.Invoke<TLanes>(0, length), length, 0))
            : (float)SumLoop.Range<TLanes, TTerms>(terms, 0, length);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Map<TLanes, TBody>(TBody body, int length)
        where TLanes : struct, IVectorLanes<TLanes>
        where TBody : struct, IElementBody
    {
        if (length <= TLanes.Count)
        {
            body.Invoke<TLanes>(0, length);
        }
        else
        {
            ElementLoop.Range<TLanes, TBody>(body, 0, length);
        }
    }
}
