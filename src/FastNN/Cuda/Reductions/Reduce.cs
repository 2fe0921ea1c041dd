using System.Runtime.InteropServices;
using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Reductions over any axes: which of the ways in kernels/reduce.cu, by how terms and outputs lie.</summary>
internal sealed unsafe partial class CudaReductions
{
    private const int StripColumns = 32, StripThreads = 256, SpreadRowsPerThread = 64;

    /// <summary>Operands of outputs that a block of a gradient has in shared memory: STAGED of kernels/reduce.cu.</summary>
    private const int StagedOperands = (Grid.ElementsPerBlock / 2) + 2;

    /// <summary>The most blocks along a grid's second axis.</summary>
    private const int MaxGridY = 65535;

    public void Fold(FoldFunction fold, Tensor x, Tensor? center, Tensor y, ReduceGeometry geometry, float scale, bool root)
    {
        int outputs = Tensor.Index(geometry.Outputs);
        if (outputs == 0)
        {
            return;
        }

        IReadOnlyList<string> kernels = fold.Kernels;
        StridedAxes axes = geometry.Axes;
        int inner = axes.Inner;
        var arguments = new FoldArguments(
            x.Address, AddressOf(center), y.Address, Sums, geometry.OuterKept, geometry.OuterReduced, geometry.Terms, outputs,
            inner, 0, 1, scale, root ? 1 : 0, 0, 0);
        if (outputs == 1 && axes.Rank <= 1)
        {
            Launch("reduce", kernels[0], SumGrid(geometry.Terms), arguments);
        }
        else if (IsOfShortColumns(geometry, outputs / inner))
        {
            // Behind an outer place's floats as much room as lets the next one's columns follow its own, bank by bank.
            int slab = (int)geometry.Terms * inner, pitch = slab + ((Banks - ((slab - inner) % Banks)) % Banks);
            int slabs = SlabTile / pitch;
            Launch(
                "reduce", kernels[2],
                new Grid(Blocks(outputs / inner, slabs), StripThreads, Shared: SlabTile * sizeof(float)),
                arguments with { Columns = slabs, Width = pitch });
        }
        else if (!geometry.IsInnerReduced && geometry.Terms > 0 && outputs / inner <= MaxGridY)
        {
            FoldStrips(kernels[3], arguments, outputs / inner);
        }
        else if (axes.Rank == 2 && inner is > 0 and <= ShortRow)
        {
            int perTile = RowsPerTile(inner, SlabThreads);
            var grid = new Grid(Blocks(outputs, perTile), SlabThreads, Shared: ((perTile * inner) + 3) * sizeof(float));
            Launch("reduce", kernels[2], grid, arguments with { Columns = perTile });
        }
        else
        {
            // A run is a row where there is one; else terms and outputs are found by their axes.
            StridedAxes reduced = geometry.OuterReduced, kept = geometry.OuterKept;
            bool row = geometry.IsInnerReduced && reduced.Rank == 0;
            if (geometry.IsInnerReduced)
            {
                reduced.Append(inner, 1, 0);
            }
            else
            {
                kept.Append(inner, 1, 1);
            }

            int threads = geometry.Terms <= 256 ? 32 : 256;
            Launch(
                "reduce", kernels[1], new Grid(outputs, threads),
                arguments with { Kept = kept, Reduced = reduced, Inner = row ? 1 : 0 });
        }
    }

    /// <summary>Whether columns lie between an outer axis and an inner one, and a block would have few terms of one outer
    /// place.</summary>
    private static bool IsOfShortColumns(ReduceGeometry geometry, int outer) =>
        !geometry.IsInnerReduced && geometry.Terms > 0 && outer > 1 && geometry.Terms * geometry.Axes.Inner < ColumnTile
        && geometry.OuterKept.Rank == 1 && geometry.OuterReduced.Rank == 1;

    public void Spread(
        SlopeFunction slope, Tensor x, Tensor y, Tensor saved, Tensor more, Tensor dY, Tensor dX, ReduceGeometry geometry,
        float scale, bool accumulate)
    {
        IReadOnlyList<string> kernels = slope.Kernels;
        StridedAxes axes = geometry.Axes;
        int inner = axes.Inner;
        var arguments = new SpreadArguments(
            x.Address, y.Address, saved.Address, more.Address, dY.Address, dX.Address, axes, default, default, default, dX.Count,
            inner, 0, scale, accumulate ? 1 : 0, 0, 0, 0, 0, 0, 0);
        if (dX.Count == 0)
        {
            return;
        }

        // Behind a place's operands are its first ones again, where a warp's lanes may be in its next row.
        int pitch = inner <= Banks ? inner : inner + Banks;
        if (!geometry.IsInnerReduced && pitch <= StagedOperands && geometry.OuterKept.Rank <= 1
            && geometry.OuterReduced.Rank == 1)
        {
            SpreadRuns(kernels[2], arguments with { Pitch = pitch }, geometry);
            return;
        }

        if (!geometry.IsInnerReduced && inner >= 32 && geometry.Terms > 1)
        {
            // Lanes are moved to where a row's sectors begin.
            bool shifts = inner % 8 != 0 || (dX.Address & 31) != 0;
            int width = ElementThreads - (shifts ? MostShift : 0);
            int blocks = Blocks(inner, width), bands = Blocks(geometry.Terms, SpreadRowsPerThread);
            var grid = new Grid(checked(blocks * bands), ElementThreads, Tensor.Index(geometry.Outputs / inner));
            if (grid.Y <= MaxGridY)
            {
                Launch(
                    "reduce", kernels[2], grid,
                    arguments with
                    {
                        Axes = geometry.OuterKept,
                        Rows = geometry.OuterReduced,
                        RowCount = Tensor.Index(geometry.Terms),
                        Width = width,
                    });
                return;
            }
        }

        bool fours = geometry.IsInnerReduced && inner % 4 == 0 && IsAligned(x.Address, dX.Address);
        bool isRows = geometry.IsInnerReduced && axes.Rank <= 2 && inner > 1;
        Launch(
            "reduce", kernels[fours ? 0 : 1], ElementGrid(dX.Count), arguments with { IsRows = isRows ? 1 : 0 });
    }

    /// <summary>
    /// Blocks of many rows of one outer place, so that it costs little to read its operands for them, or of several outer places
    /// with few.
    /// </summary>
    private void SpreadRuns(string kernel, in SpreadArguments arguments, ReduceGeometry geometry)
    {
        int inner = arguments.Inner, rows = Tensor.Index(geometry.Terms), outer = Tensor.Index(geometry.Outputs / inner);
        int places = (int)Math.Clamp(
            Grid.ElementsPerBlock / ((long)rows * inner), 1, Math.Min(outer, StagedOperands / arguments.Pitch));
        places = places > 8 ? places & ~7 : places;

        // Bands begin with sectors where outer places do.
        int band = Math.Max(SpreadRowsPerThread, (Grid.ElementsPerBlock / inner) & ~7);
        band = places > 1 ? rows : Math.Min(rows, (Blocks(rows, Blocks(rows, band)) + 7) & ~7);
        Launch(
            "reduce", kernel, new Grid(checked(Blocks(outer, places) * Blocks(rows, band)), ElementThreads),
            arguments with
            {
                ByInner = new Divisor(inner),
                ByRows = new Divisor(rows),
                RowCount = rows,
                Outer = outer,
                Places = places,
                Band = band,
            });
    }

    private void FoldStrips(string kernel, FoldArguments arguments, int outer)
    {
        // As many threads as take whole sectors of 32 bytes and a whole number of rows, if so many are possible.
        int inner = arguments.Inner;
        long unit = (long)inner * (8 / CommonPowerOfTwo(inner, 8));
        bool runs = unit <= 1024;
        bool shifts = !runs && inner % 8 != 0 && arguments.Reduced.Rank == 1;
        int threads = runs ? (int)unit * Math.Max(1, StripThreads / (int)unit)
            : shifts ? ShiftedAcross * ShiftedDown : StripThreads;
        int columns = runs ? inner : shifts ? ShiftedAcross : StripColumns;
        int width = shifts ? ShiftedWidth : 0;
        int lanes = threads / columns, chunks = Blocks(inner, shifts ? width : columns);
        int parts = Math.Min(
            Blocks(arguments.Terms, lanes * RowsPerThread), Math.Min(MaxRowParts, ScratchParts / arguments.Outputs));
        parts = (long)chunks * outer > MaxChunks ? 1 : Math.Max(1, parts);

        int folds = threads * (shifts ? ShiftedSpans : 1);
        var grid = new Grid(checked(chunks * parts), threads, outer, Shared: folds * sizeof(double));
        Launch("reduce", kernel, grid, arguments with { Columns = columns, Parts = parts, Width = width });
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct FoldArguments(
        nint X, nint Center, nint Y, ScratchAddresses Scratch, StridedAxes Kept, StridedAxes Reduced, long Terms, int Outputs,
        int Inner, int Columns,
        int Parts, float Scale, int Root, int Width, int Unused);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct SpreadArguments(
        nint X, nint Y, nint Saved, nint More, nint DY, nint DX, StridedAxes Axes, StridedAxes Rows, Divisor ByInner,
        Divisor ByRows, long Count, int Inner, int RowCount, float Scale, int Accumulate, int Width, int IsRows, int Outer,
        int Places, int Band, int Pitch);
}
