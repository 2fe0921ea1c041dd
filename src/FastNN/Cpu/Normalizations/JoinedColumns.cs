using System.Runtime.CompilerServices;
using FastNN.Functions;

namespace FastNN.Cpu;

/// <summary>
/// For each batch: the parts' moments joined into those of its channels, the channels' into those of their groups, and the scale
/// of each. The biased variance stays behind the mean in the first part.
/// </summary>
internal readonly unsafe struct JoinedMoments(ColumnParts parts, int perGroup, float eps, float* mean, float* scale) : IRowBody
{
    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        int channels = parts.Channels;
        for (nint batch = start; batch < end; batch++)
        {
            float* joined = parts.Of(batch * parts.Count);
            ElementLoop.Range<TLanes, Joined>(new(parts, joined, channels), 0, channels);
            for (int first = 0; perGroup > 1 && first < channels; first += perGroup)
            {
                JoinGroup(joined + first, channels);
            }

            nint to = batch * channels;
            new Span<float>(joined, channels).CopyTo(new Span<float>(mean + to, channels));
            ElementLoop.Range<TLanes, UnaryMap<ScaleOfSquares, Assign>>(
                new(joined + channels, scale + to, new(1f / ((float)parts.Rows * perGroup), eps)), 0, channels);
            ElementLoop.Range<TLanes, BinaryScalarMap<ValueOfPair<Functions.Multiply>, Assign>>(
                new(joined + channels, 1f / ((float)parts.Rows * perGroup), joined + channels, default), 0, channels);
        }
    }

    /// <summary>All channels of a group get its mean and its sum of squares.</summary>
    private void JoinGroup(float* group, int channels)
    {
        double middle = 0, squares = 0;
        for (int i = 0; i < perGroup; i++)
        {
            middle += group[i];
        }

        middle /= perGroup;
        for (int i = 0; i < perGroup; i++)
        {
            double difference = group[i] - middle;
            squares += group[channels + i] + (parts.Rows * difference * difference);
        }

        for (int i = 0; i < perGroup; i++)
        {
            group[i] = (float)middle;
            group[channels + i] = (float)squares;
        }
    }

    /// <summary>Means by their difference from the first, so that nothing cancels. In place of the first part.</summary>
    private readonly struct Joined(ColumnParts parts, float* first, int channels) : IElementBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes origin = TLanes.Load(first + i, count), shift = TLanes.Broadcast(0f), squares = shift;
            for (int part = 0; part < parts.Count; part++)
            {
                TLanes difference = TLanes.Load(first + (2 * (nint)part * channels) + i, count) - origin;
                shift = TLanes.MultiplyAdd(difference, TLanes.Broadcast(parts.RowsIn(part) / (float)parts.Rows), shift);
            }

            TLanes middle = origin + shift;
            for (int part = 0; part < parts.Count; part++)
            {
                float* at = first + (2 * (nint)part * channels) + i;
                TLanes difference = TLanes.Load(at, count) - middle;
                squares += TLanes.MultiplyAdd(
                    difference * difference, TLanes.Broadcast(parts.RowsIn(part)), TLanes.Load(at + channels, count));
            }

            middle.Store(first + i, count);
            squares.Store(first + channels + i, count);
        }
    }

    /// <summary>1 / sqrt(squares / n + eps).</summary>
    private readonly struct ScaleOfSquares(float inverse, float eps) : IUnaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TLanes Invoke<TLanes>(TLanes squares)
            where TLanes : struct, ILanes<TLanes> => TLanes.Broadcast(1f)
            / TLanes.Sqrt((squares * TLanes.Broadcast(inverse)) + TLanes.Broadcast(eps));
    }
}

/// <summary>
/// For each batch: the parts' sums joined, and from them each group's, times the weight and by the number of terms, unless
/// statistics are given. sums [4, batches, channels].
/// </summary>
internal readonly unsafe struct JoinedSums(ColumnParts parts, int perGroup, float* weight, float* sums, bool isGiven) : IRowBody
{
    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        int channels = parts.Channels;
        nint all = (nint)parts.Batches * channels;
        for (nint batch = start; batch < end; batch++)
        {
            float* from = parts.Of(batch * parts.Count), to = sums + (batch * channels);
            for (int kind = 0; kind < 2; kind++)
            {
                ElementLoop.Range<TLanes, Sum>(
                    new(from + (kind * channels), to + (kind * all), parts.Count, channels), 0, channels);
                if (!isGiven)
                {
                    Weight(to + (kind * all), to + ((kind + 2) * all));
                }
            }
        }
    }

    private void Weight(float* from, float* to)
    {
        double inverse = 1.0 / ((double)parts.Rows * perGroup);
        for (int first = 0; first < parts.Channels; first += perGroup)
        {
            double sum = 0;
            for (int i = first; i < first + perGroup; i++)
            {
                sum += from[i] * (weight == null ? 1.0 : weight[i]);
            }

            for (int i = first; i < first + perGroup; i++)
            {
                to[i] = (float)(sum * inverse);
            }
        }
    }

    private readonly struct Sum(float* from, float* to, int parts, int channels) : IElementBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            TLanes sum = TLanes.Broadcast(0f);
            for (nint part = 0; part < parts; part++)
            {
                sum += TLanes.Load(from + (2 * part * channels) + i, count);
            }

            sum.Store(to + i, count);
        }
    }
}
