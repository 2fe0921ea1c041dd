namespace FastNN.Cuda;

/// <summary>How many blocks of how many threads, and the bytes of dynamic shared memory of each.</summary>
internal readonly record struct Grid(int X, int Threads, int Y = 1, int Z = 1, int Shared = 0)
{
    /// <summary>Threads of a block of <see cref="ForElements"/> and <see cref="ForSum"/>.</summary>
    public const int ElementThreads = 256;

    /// <summary>Elements of a block of <see cref="ForElements"/>: PER_BLOCK of kernels/elements.cuh.</summary>
    public const int ElementsPerBlock = 1024;

    /// <summary>
    /// A block of a sum takes four chunks of 1024 elements before there is another, and more of them above 4 M elements.
    /// </summary>
    private const int ChunksPerSum = 4, MaxSumBlocks = 1024;

    /// <summary>The grid of the loops in kernels/elements.cuh; it depends on the shape alone.</summary>
    public static Grid ForElements(long count) => new(Blocks(count, ElementsPerBlock), ElementThreads);

    /// <summary>The grid of the loops in kernels/sums.cuh; it depends on the shape alone.</summary>
    public static Grid ForSum(long count) =>
        new(Math.Clamp(Blocks(count, ChunksPerSum * ElementsPerBlock), 1, MaxSumBlocks), ElementThreads);

    /// <summary>Blocks that cover so many things.</summary>
    public static int Blocks(long count, int perBlock) => checked((int)((count + perBlock - 1) / perBlock));
}
