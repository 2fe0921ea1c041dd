using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>A copy between places of two tensors: where both begin, and how both lie along the axes.</summary>
/// <param name="From">Elements in front of the first that is read.</param>
/// <param name="To">Elements in front of the first that is written.</param>
/// <param name="Axes">First: the source's strides. Second: the destination's, which fall from axis to axis and are
/// positive.</param>
internal sealed record StridedCopy(long From, long To, StridedAxes Axes)
{
    /// <summary>The copy with the axes in any order.</summary>
    /// <param name="from">Elements in front of the first that is read.</param>
    /// <param name="to">Elements in front of the first that is written.</param>
    /// <param name="axes">Extents with strides; those of the destination are positive.</param>
    public static StridedCopy Of(long from, long to, params ReadOnlySpan<(int Extent, long From, long To)> axes)
    {
        (int Extent, long From, long To)[] sorted = [.. axes];
        Array.Sort(sorted, (a, b) => b.To.CompareTo(a.To));
        StridedAxes joined = default;
        foreach ((int extent, long fromStride, long toStride) in sorted)
        {
            joined.Append(extent, fromStride, toStride);
        }

        return new StridedCopy(from, to, joined);
    }
}

internal partial interface IIndexing
{
    /// <summary>
    /// to (=|+=) from at the places of the copy, each of which is written once; both have one type, Float32 where it adds. Other
    /// elements of the destination stay as they are.
    /// </summary>
    void Rearrange(Tensor from, Tensor to, StridedCopy copy, bool accumulate);
}
