namespace FastNN.Cuda;

/// <summary>
/// How rows are cut: short ones into tiles, see kernels/rows.cuh; sums over many rows into strips of columns and parts of rows.
/// </summary>
internal abstract unsafe partial class CudaFacet
{
    /// <summary>
    /// Floats of one operand that a block keeps in shared memory: 24 KiB, so that two fit into the 48 that need no asking for.
    /// </summary>
    protected const int TileFloats = 6144;

    /// <summary>The longest row that one thread walks through.</summary>
    protected const int ShortRow = 96;

    /// <summary>The elements by which lanes are moved at most, so that a warp begins with a sector.</summary>
    protected const int MostShift = 7;

    protected const int RowItems = 8, SlabThreads = 128;

    /// <summary>
    /// How sums of rows are cut: rows per thread before there is another block, blocks at most, strips at most.
    /// </summary>
    protected const int RowsPerThread = 16, MaxRowParts = 128, MaxChunks = TicketBytes / sizeof(uint);

    /// <summary>
    /// Of strips whose rows begin within sectors (ShiftedStrip of kernels/rows.cuh): threads across and down, columns of a
    /// thread, and those of a block.
    /// </summary>
    protected const int ShiftedAcross = 96, ShiftedDown = 8, ShiftedSpans = 2,
        ShiftedWidth = (ShiftedAcross * ShiftedSpans) - MostShift;

    /// <summary>Doubles that the scratch memory holds behind the tickets.</summary>
    protected const int ScratchParts = (ScratchBytes - TicketBytes) / sizeof(double);

    /// <summary>
    /// How many rows of this length a tile takes, some at most; a multiple of eight if it can be, so that tiles are aligned.
    /// </summary>
    protected static int RowsPerTile(int length, int most)
    {
        int rows = Math.Clamp(TileFloats / length, 1, most);
        return rows > 8 ? rows & ~7 : rows;
    }

    /// <summary>The greatest common divisor of a number and a power of two.</summary>
    protected static int CommonPowerOfTwo(int x, int powerOfTwo) => Math.Min(x & -x, powerOfTwo);
}
