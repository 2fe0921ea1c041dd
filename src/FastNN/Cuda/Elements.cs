using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Grids of the loops in kernels/elements.cuh and sums.cuh. They depend on the shape alone.</summary>
internal sealed unsafe partial class CudaDevice
{
    /// <summary>Bytes of the tickets in front of the scratch memory's partial sums.</summary>
    private const int TicketBytes = 4096;

    private const int ElementThreads = 256;
    private const int ElementsPerBlock = 1024;

    /// <summary>A block of a sum takes four chunks of 1024 elements before there is another, and more of them above 4 M elements.</summary>
    private const int ChunksPerSum = 4, MaxSumBlocks = 1024;

    private ScratchAddresses Sums => new(Scratch, Scratch + TicketBytes);

    private static Grid ElementGrid(long count) => new(Blocks(count, ElementsPerBlock), ElementThreads);

    private static Grid SumGrid(long count) =>
        new(Math.Clamp(Blocks(count, ChunksPerSum * ElementsPerBlock), 1, MaxSumBlocks), ElementThreads);

    private static int Blocks(long count, int perBlock) => checked((int)((count + perBlock - 1) / perBlock));

    private static nint AddressOf(Tensor? tensor) => tensor is null ? 0 : tensor.Address;

    /// <summary>The struct Scratch of kernels/sums.cuh.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ScratchAddresses(nint Ticket, nint Parts);
}
