using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IIndexing
{
    /// <summary>
    /// y (=|+=) x [..., rows, columns] on one side of a diagonal, with it, and 0 elsewhere. x and y, of one type, may be one
    /// tensor when not accumulating.
    /// </summary>
    /// <param name="rows">The last extent but one.</param>
    /// <param name="columns">The last extent.</param>
    /// <param name="diagonal">Its column in row 0; negative: it begins so many rows further down.</param>
    /// <param name="upper">What lies right of it stays, else what lies left of it.</param>
    /// <param name="accumulate">Float32 only.</param>
    void Trilu(Tensor x, Tensor y, int rows, int columns, int diagonal, bool upper, bool accumulate);
}
