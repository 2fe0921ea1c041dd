using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>
/// One update of all parameters: they, their gradients and each state lie in flat tensors of equal length, so that one pass (one
/// launch) serves the whole network.
/// </summary>
internal partial interface IUpdates
{
    /// <summary>p and the states become what <see cref="IUpdateFunction.Step"/> makes of them and g.</summary>
    /// <param name="update">Which update.</param>
    /// <param name="scalars">
    /// Float32 [<see cref="UpdateScalars.Row"/>], in device memory, so that a captured launch can be repeated while they change.
    /// Where the last, the guard, is not finite, nothing is updated.
    /// </param>
    /// <param name="states">One tensor for each that the update has.</param>
    void Update(UpdateFunction update, Tensor scalars, Tensor parameters, Tensor gradients, ReadOnlySpan<Tensor> states);
}
