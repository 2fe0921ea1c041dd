using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>What a facet of a GPU has to work with. Facets know the core and not each other.</summary>
/// <param name="core">The core of the device.</param>
internal abstract unsafe partial class CudaFacet(CudaCore core)
{
    /// <summary>Bytes of the tickets in front of the scratch memory's partial sums.</summary>
    protected const int TicketBytes = 4096;

    protected const int ScratchBytes = CudaCore.ScratchBytes;

    protected const int ElementThreads = Grid.ElementThreads;

    /// <inheritdoc cref="CudaCore.Scratch"/>
    protected nint Scratch => core.Scratch;

    protected ScratchAddresses Sums => new(Scratch, Scratch + TicketBytes);

    /// <inheritdoc cref="CudaCore.Blas"/>
    protected Blas Blas => core.Blas;

    /// <inheritdoc cref="CudaCore.Cudnn"/>
    protected Cudnn Cudnn => core.Cudnn;

    /// <inheritdoc cref="CudaCore.Launch"/>
    protected void Launch<TArguments>(string family, string kernel, Grid grid, in TArguments arguments)
        where TArguments : unmanaged => core.Launch(family, kernel, grid, arguments);

    protected void Fill(Tensor x, float value) => core.Fill(x, value);

    /// <inheritdoc cref="CudaCore.Zero"/>
    protected void Zero(nint address, long bytes) => core.Zero(address, bytes);

    protected void Copy(Tensor x, Tensor y, bool accumulate) => core.Copy(x, y, accumulate);

    protected static Grid ElementGrid(long count) => Grid.ForElements(count);

    protected static Grid SumGrid(long count) => Grid.ForSum(count);

    protected static int Blocks(long count, int perBlock) => Grid.Blocks(count, perBlock);

    protected static nint AddressOf(Tensor? tensor) => tensor is null ? 0 : tensor.Address;

    /// <summary>The struct Scratch of kernels/sums.cuh.</summary>
    [StructLayout(LayoutKind.Sequential)]
    protected readonly record struct ScratchAddresses(nint Ticket, nint Parts);
}
