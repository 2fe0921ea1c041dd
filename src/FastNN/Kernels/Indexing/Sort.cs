using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>How rows are sorted.</summary>
/// <param name="Rows">Their number.</param>
/// <param name="Terms">Elements of each.</param>
/// <param name="Kept">Of these so many are given, the first in order.</param>
/// <param name="Descending">The largest first.</param>
internal readonly record struct SortGeometry(int Rows, int Terms, int Kept, bool Descending)
{
    /// <summary>Rows up to this length are sorted without a workspace.</summary>
    public const int ShortTerms = 2048;

    /// <summary>Keys of a long row in the workspace: whole sectors, up to seven in front where x begins within one.</summary>
    public long Stride => (Terms + 14L) / 8 * 8;

    /// <summary>Two keys of 8 bytes per element of long rows.</summary>
    public long WorkspaceBytes => Terms <= ShortTerms ? 0 : 2L * sizeof(ulong) * Rows * Stride;
}

/// <summary>
/// A float and its place as one integer, so that all keys of a row differ and their order is stable whatever the algorithm: NaN
/// is above all, 0 and -0 are equal.
/// </summary>
internal static class SortKey
{
    public static ulong Of(float value, int index, bool descending)
    {
        uint bits = value == 0 ? 0 : float.IsNaN(value) ? int.MaxValue : BitConverter.SingleToUInt32Bits(value);
        uint order = (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
        return ((ulong)(descending ? ~order : order) << 32) | (uint)index;
    }
}

internal partial interface IIndexing
{
    /// <summary>
    /// Each row of x in order, equal elements in the order of their places; NaN as PyTorch's: above all others.
    /// </summary>
    /// <param name="x">[rows, terms].</param>
    /// <param name="values">[rows, kept].</param>
    /// <param name="indices">[rows, kept] of Int32: where the values stood in their row.</param>
    /// <param name="workspace">Of the size that the geometry names; null where that is 0.</param>
    void Sort(Tensor x, Tensor values, Tensor indices, Tensor? workspace, in SortGeometry geometry);

    /// <summary>dX (=|+=) dY at the places where the values stood, 0 elsewhere.</summary>
    void SortBackward(Tensor indices, Tensor dY, Tensor dX, in SortGeometry geometry, bool accumulate);
}
