using FastNN.Tensors;

namespace FastNN.Kernels;

internal partial interface IIndexing
{
    /// <summary>
    /// The table's elements that the indices name become the picked ones; of those with one place the last counts. Others stay.
    /// An index out of range is an error on the CPU and passed over by a GPU.
    /// </summary>
    /// <param name="name">The operator's, for the error.</param>
    /// <param name="picked">Null: all are the constant.</param>
    /// <param name="constant">Its bits, in the low bytes.</param>
    /// <exception cref="InvalidDatasetException">An index is out of range (CPU).</exception>
    void Scatter(string name, Tensor index, Tensor? picked, ulong constant, Tensor table, IndexedAxes axes);

    /// <summary>
    /// Float32: the picked elements are added to those of the table that the indices name, each in the order of the indices.
    /// </summary>
    /// <inheritdoc cref="Scatter" path="/exception"/>
    void ScatterAdd(string name, Tensor index, Tensor picked, Tensor table, IndexedAxes axes);

    /// <summary>
    /// The gradient of <see cref="Scatter"/>: from the last index to the first, the table's element becomes (=|+=) the picked one
    /// and is then 0, so that of those with one place the last alone gets a gradient and the table keeps what scattering did not
    /// replace.
    /// </summary>
    /// <param name="picked">Null: elements are set to 0 only.</param>
    void Take(Tensor index, Tensor table, Tensor? picked, IndexedAxes axes, bool accumulate);
}
