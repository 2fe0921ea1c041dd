using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>
/// How indices, a table and what is picked from it lie: an index says where along one axis of the table an element is. It does
/// so for an element alone, or for many of them where it repeats (stride 0), as rows that are picked whole.
/// </summary>
/// <param name="Picked">All axes of what is picked, in its order. First: the index; second: the table, 0 along the axis; third:
/// the picked tensor.</param>
/// <param name="Lines">Those axes without the indexed one, along each of which the elements are independent.</param>
/// <param name="Terms">Indices of a line.</param>
/// <param name="IndexStep">Elements from one to the next.</param>
/// <param name="PickedStep">Likewise of what is picked.</param>
/// <param name="TableStep">From one place of the table's axis to the next.</param>
/// <param name="Extent">The table's: indices are 0 to Extent - 1.</param>
internal sealed record IndexedAxes(
    StridedAxes Picked, StridedAxes Lines, int Terms, long IndexStep, long PickedStep, long TableStep, int Extent)
{
    /// <param name="axes">In order, the indexed one with its table stride. Of the picked tensor they are contiguous.</param>
    /// <param name="at">Which is indexed.</param>
    /// <param name="extent">The table's extent along it.</param>
    public static IndexedAxes Of(ReadOnlySpan<(int Extent, long Index, long Table, long Picked)> axes, int at, int extent)
    {
        StridedAxes picked = default, lines = default;
        for (int i = 0; i < axes.Length; i++)
        {
            (int length, long index, long table, long place) = axes[i];
            picked.Append(length, index, i == at ? 0 : table, place);
            if (i != at)
            {
                lines.Append(length, index, table, place);
            }
        }

        return new IndexedAxes(picked, lines, axes[at].Extent, axes[at].Index, axes[at].Picked, axes[at].Table, extent);
    }
}

internal partial interface IIndexing
{
    /// <summary>
    /// picked (=|+=) the table's elements that the indices, Int32 or Int64, name. One out of range is an error on the CPU; a GPU,
    /// which cannot tell, gives NaN, or 0 for bytes and -1 for wider integers, and touches no memory outside.
    /// </summary>
    /// <param name="name">The operator's, for the error.</param>
    /// <param name="accumulate">Float32 only.</param>
    /// <exception cref="InvalidDatasetException">An index is out of range (CPU).</exception>
    void Gather(string name, Tensor index, Tensor table, Tensor picked, IndexedAxes axes, bool accumulate);
}
