using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Rotations by positions, a thread per pair of a position, or blocks of neighboring rows.</summary>
internal sealed unsafe partial class CudaAttention
{
    private const int RotaryThreads = 256;

    /// <summary>Of kernels/rotary.cu: elements of a thread, angles of a block, and the widest row, whose angles it has.</summary>
    private const int RotaryItems = 16, MostAngles = (RotaryItems / 8 * RotaryThreads) - MostShift, WidestRow = 2048 - MostShift;

    /// <summary>Rows of a position from which its angles cost little beside them.</summary>
    private const int RotaryRows = 10;

    public void Rotate(
        RotaryGeometry geometry, Tensor x, Tensor table, Tensor? positions, bool backwards, Tensor y, bool accumulate)
    {
        int sharing = positions is not null && geometry.PerExample > 0 ? geometry.PerExample : geometry.Outer;
        if (x.Count > 0 && NeedsTiles(geometry, sharing))
        {
            RotateTiles(geometry, sharing, x, table, positions, backwards, y, accumulate);
            return;
        }

        long pairs = x.Count / 2 / Math.Max(1, geometry.Inner);
        Launch(
            "rotary", "rotary_rotate", new Grid(Blocks(pairs, RotaryThreads), RotaryThreads),
            new RotaryArguments(
                x.Address, table.Address, AddressOf(positions), y.Address, pairs, geometry.Time, geometry.Inner,
                geometry.Width / 2, geometry.Rotated, geometry.Interleaved ? 1 : 0, geometry.Offset, geometry.PerExample,
                geometry.Positions, accumulate ? 1 : 0, backwards ? -1 : 1));
    }

    /// <summary>Whether pairs begin within sectors, or angles that several outer indices share count beside a position's
    /// rows.</summary>
    private static bool NeedsTiles(RotaryGeometry geometry, int sharing) =>
        geometry.Width <= WidestRow
        && (geometry.Width % 16 != 0 || (geometry.Inner < RotaryRows / 2 && sharing > 1));

    private void RotateTiles(
        RotaryGeometry geometry, int sharing, Tensor x, Tensor table, Tensor? positions, bool backwards, Tensor y,
        bool accumulate)
    {
        (int width, int inner) = (geometry.Width, geometry.Inner);
        int together = 1;
        while (together < 8 && together < sharing && together * inner < RotaryRows && width <= RunOf(2 * together))
        {
            together *= 2;
        }

        int most = RunOf(together) / width;
        int places = Math.Min(most / inner, Math.Max(1, MostAngles / width)), perPosition = places > 0 ? 1 : Blocks(inner, most);
        int rows = places > 0 ? places * inner : Blocks(inner, perPosition);
        int runs = places > 0 ? Blocks(geometry.Time, places) : checked(geometry.Time * perPosition);
        int slices = checked(geometry.Outer / sharing * Blocks(sharing, together));
        Launch(
            "rotary", "rotary_rotate_tiles", new Grid(checked(slices * runs), RotaryThreads),
            new RotaryTileArguments(
                x.Address, table.Address, AddressOf(positions), y.Address, geometry.Time, inner, geometry.Rotated,
                geometry.Interleaved ? 1 : 0, geometry.Offset, geometry.Positions, sharing, together, runs, rows, perPosition,
                accumulate ? 1 : 0, backwards ? -1 : 1, 0, new Divisor(width), new Divisor(inner)));
    }

    /// <summary>Neighbors that a block has of each of so many outer indices.</summary>
    private static int RunOf(int together) => (RotaryItems / together * RotaryThreads) - MostShift;

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct RotaryArguments(
        nint X, nint Table, nint Positions, nint Y, long Pairs, int Time, int Inner, int Half, int Rotated, int Interleaved,
        int Offset, int PerExample, int Count, int Accumulate, float Sign);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct RotaryTileArguments(
        nint X, nint Table, nint Positions, nint Y, int Time, int Inner, int Rotated, int Interleaved, int Offset, int Count,
        int Sharing, int Together, int Runs, int Rows, int PerPosition, int Accumulate, float Sign, int Unused, Divisor ByWidth,
        Divisor ByInner);
}
