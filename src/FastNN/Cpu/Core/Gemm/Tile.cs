using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

/// <summary>A number that the JIT sees as a constant.</summary>
internal interface IConstant
{
    static abstract int Value { get; }
}

/// <summary>How a tile reaches A.</summary>
internal interface IAccess
{
    /// <summary>A pointer per row, moved along by the offsets of the runs.</summary>
    static abstract bool RowPointers { get; }

    /// <summary>R rows at constant displacements from one pointer, <see cref="Spacing"/> floats each.</summary>
    static abstract bool Packed { get; }

    /// <summary>Floats from row to row where A is packed.</summary>
    static virtual int Spacing => 1;

    /// <summary>Whether K comes in runs of neighbors at offsets; else in segments, each with a pointer and a step.</summary>
    static virtual bool Runs => false;

    /// <summary>Fewer neighbors than the tile has rows: the last one stands in for those that are missing.</summary>
    static abstract bool PanelTail { get; }
}

internal readonly struct Zero : IConstant
{
    public static int Value => 0;
}

internal readonly struct Three : IConstant
{
    public static int Value => 3;
}

internal readonly struct One : IConstant
{
    public static int Value => 1;
}

internal readonly struct Two : IConstant
{
    public static int Value => 2;
}

internal readonly struct Four : IConstant
{
    public static int Value => 4;
}

internal readonly struct Six : IConstant
{
    public static int Value => 6;
}

internal readonly struct Eight : IConstant
{
    public static int Value => 8;
}

internal readonly struct Twelve : IConstant
{
    public static int Value => 12;
}

internal readonly struct Thirteen : IConstant
{
    public static int Value => 13;
}

internal readonly struct RowAccess : IAccess
{
    public static bool RowPointers => true;

    public static bool Packed => false;

    public static bool PanelTail => false;

    public static bool Runs => true;
}

/// <summary>Rows that lie at equal distances and overlap, as neighboring pixels of an image of few channels do.</summary>
internal readonly struct SpacedAccess<TSpacing> : IAccess
    where TSpacing : struct, IConstant
{
    public static bool RowPointers => false;

    public static bool Packed => true;

    public static bool PanelTail => false;

    public static int Spacing => TSpacing.Value;

    public static bool Runs => true;
}

internal readonly struct PackedAccess : IAccess
{
    public static bool RowPointers => false;

    public static bool Packed => true;

    public static bool PanelTail => false;
}

internal readonly struct TailAccess : IAccess
{
    public static bool RowPointers => false;

    public static bool Packed => false;

    public static bool PanelTail => true;
}

/// <content>The two entries, and the choice of the tile's size.</content>
internal static unsafe partial class Tile<TLanes>
{
    /// <summary>The most rows that one call takes.</summary>
    public static int MaxRows => TLanes.TileRows;

    /// <summary>The most columns that one call takes: two vectors.</summary>
    public static int MaxCols => 2 * TLanes.Count;

    /// <summary>
    /// ROWS: C[r, n] (=|+=) sum over s &lt; runs, k &lt; runLength of
    /// A[r][runOffsets[s] + k] * B[(s * runLength + k) * bStride + n].
    /// Nothing outside rows x cols of C is written, and no column of B or of the bias past cols is read.
    /// Of <paramref name="a"/>'s <see cref="MaxRows"/> row pointers, those from <paramref name="rows"/> on repeat a valid one.
    /// </summary>
    public static void Rows(
        float** a, nint* runOffsets, int runs, int runLength, float* b, nint bStride,
        float* c, nint cStride, int rows, int cols, in Epilogue epilogue) =>
        Choose<RowAccess>(a, 1, runOffsets, runs, runLength, null, b, bStride, c, cStride, rows, cols, epilogue);

    /// <summary>
    /// As <see cref="Rows"/> of one row more than a whole tile, where there are registers for it: 26 sums, 2 of B, 1 of A.
    /// The 49 pixels of the last layers of many networks are three whole tiles and this one; a tile for one row alone takes a
    /// third of a whole one's time.
    /// </summary>
    public static void RowsAndOne(
        float** a, nint* runOffsets, int runs, int runLength, float* b, nint bStride,
        float* c, nint cStride, int cols, in Epilogue epilogue) =>
        Choose<Thirteen, RowAccess>(a, 1, runOffsets, runs, runLength, null, b, bStride, c, cStride, 13, cols, epilogue);

    /// <summary>Whether <see cref="RowsAndOne"/> is to be used.</summary>
    public static bool TakesOneMore => TLanes.TileRows == 12;

    /// <summary>
    /// Distances between rows that <see cref="Spaced"/> takes: pixels of one and of three channels, at strides 1 and 2.
    /// </summary>
    public static bool HasSpacing(nint spacing) => spacing is 1 or 3 or 6;

    /// <summary>
    /// As <see cref="Rows"/> of a whole tile whose rows are so many floats apart: with one pointer for all of them a run of a few
    /// terms costs little besides its multiply-adds.
    /// </summary>
    public static void Spaced(
        float* a, nint spacing, nint* runOffsets, int runs, int runLength, float* b, nint bStride,
        float* c, nint cStride, int cols, in Epilogue epilogue)
    {
        switch (spacing)
        {
            case 1:
                Whole<SpacedAccess<One>>(a, runOffsets, runs, runLength, b, bStride, c, cStride, cols, epilogue);
                break;
            case 3:
                Whole<SpacedAccess<Three>>(a, runOffsets, runs, runLength, b, bStride, c, cStride, cols, epilogue);
                break;
            default:
                Whole<SpacedAccess<Six>>(a, runOffsets, runs, runLength, b, bStride, c, cStride, cols, epilogue);
                break;
        }
    }

    private static void Whole<TAccess>(
        float* a, nint* runOffsets, int runs, int runLength, float* b, nint bStride, float* c, nint cStride, int cols,
        in Epilogue epilogue)
        where TAccess : struct, IAccess
    {
        if (TLanes.TileRows == 12)
        {
            Choose<Twelve, TAccess>(&a, 1, runOffsets, runs, runLength, null, b, bStride, c, cStride, 12, cols, epilogue);
        }
        else
        {
            Choose<Six, TAccess>(&a, 1, runOffsets, runs, runLength, null, b, bStride, c, cStride, 6, cols, epilogue);
        }
    }

    /// <summary>
    /// PANEL: C[m, n] (=|+=) sum over s &lt; segments, k &lt; segmentLength of a[s][k * aStep + m] * b[s][k * bStep + n].
    /// Nothing outside rows x cols of C is written; no element of A from <paramref name="rows"/> on and no column of B or of
    /// the bias past cols is read.
    /// </summary>
    public static void Panel(
        float** a, nint aStep, float** b, nint bStep, int segments, int segmentLength,
        float* c, nint cStride, int rows, int cols, in Epilogue epilogue)
    {
        if (rows == TLanes.TileRows)
        {
            Choose<PackedAccess>(a, aStep, null, segments, segmentLength, b, null, bStep, c, cStride, rows, cols, epilogue);
        }
        else
        {
            Choose<TailAccess>(a, aStep, null, segments, segmentLength, b, null, bStep, c, cStride, rows, cols, epilogue);
        }
    }

    /// <summary>As <see cref="Panel"/>, where A is packed: <see cref="MaxRows"/> elements may be read at each step.</summary>
    public static void Packed(
        float** a, nint aStep, float** b, nint bStep, int segments, int segmentLength,
        float* c, nint cStride, int rows, int cols, in Epilogue epilogue) =>
        Choose<PackedAccess>(a, aStep, null, segments, segmentLength, b, null, bStep, c, cStride, rows, cols, epilogue);

    private static void Choose<TAccess>(
        float** a, nint aStep, nint* offsets, int segments, int length, float** bs, float* b, nint bStep,
        float* c, nint cStride, int rows, int cols, in Epilogue epilogue)
        where TAccess : struct, IAccess
    {
        if (TLanes.TileRows == 12 && rows > 8)
        {
            Choose<Twelve, TAccess>(a, aStep, offsets, segments, length, bs, b, bStep, c, cStride, rows, cols, epilogue);
        }
        else if (TLanes.TileRows == 12 && rows > 4)
        {
            Choose<Eight, TAccess>(a, aStep, offsets, segments, length, bs, b, bStep, c, cStride, rows, cols, epilogue);
        }
        else if (rows > 4)
        {
            Choose<Six, TAccess>(a, aStep, offsets, segments, length, bs, b, bStep, c, cStride, rows, cols, epilogue);
        }
        else
        {
            Choose<Four, TAccess>(a, aStep, offsets, segments, length, bs, b, bStep, c, cStride, rows, cols, epilogue);
        }
    }

    private static void Choose<TRows, TAccess>(
        float** a, nint aStep, nint* offsets, int segments, int length, float** bs, float* b, nint bStep,
        float* c, nint cStride, int rows, int cols, in Epilogue epilogue)
        where TRows : struct, IConstant
        where TAccess : struct, IAccess
    {
        int lanes = TLanes.Count;
        if (cols == 2 * lanes)
        {
            Multiply<TRows, Two, Zero, TAccess>(
                a, aStep, offsets, segments, length, bs, b, bStep, c, cStride, rows, cols, epilogue);
        }
        else if (cols > lanes)
        {
            Multiply<TRows, Two, One, TAccess>(
                a, aStep, offsets, segments, length, bs, b, bStep, c, cStride, rows, cols, epilogue);
        }
        else if (cols == lanes)
        {
            Multiply<TRows, One, Zero, TAccess>(
                a, aStep, offsets, segments, length, bs, b, bStep, c, cStride, rows, cols, epilogue);
        }
        else
        {
            Multiply<TRows, One, One, TAccess>(
                a, aStep, offsets, segments, length, bs, b, bStep, c, cStride, rows, cols, epilogue);
        }
    }

    /// <summary>Rows of a tile that are always there: with fewer the choice falls on a smaller one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Least<TRows>()
        where TRows : struct, IConstant => TRows.Value > 8 ? 9 : TRows.Value > 4 ? 5 : 1;

    /// <summary>Over the rows just stored: in registers a third kind of rectifier would cost the other two their speed.</summary>
    [MethodImpl(KernelCode.Loop)]
    public static void LeakyRows(float* c, nint cStride, int rows, int cols, float slope)
    {
        TLanes factor = TLanes.Broadcast(slope);
        for (; rows > 0; rows--, c += cStride)
        {
            for (int j = 0; j < cols; j += TLanes.Count)
            {
                TLanes mask = TLanes.Mask(Math.Min(TLanes.Count, cols - j));
                TLanes.StoreMasked(Leaky(TLanes.LoadMasked(c + j, mask), factor), c + j, mask);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<TVectors, TMask>(float* source, TLanes mask, out TLanes first, out TLanes second)
        where TVectors : struct, IConstant
        where TMask : struct, IConstant
    {
        if (TVectors.Value == 1)
        {
            first = TMask.Value != 0 ? TLanes.LoadMasked(source, mask) : TLanes.Load(source);
            second = first;
        }
        else
        {
            first = TLanes.Load(source);
            second = TMask.Value != 0 ? TLanes.LoadMasked(source + TLanes.Count, mask) : TLanes.Load(source + TLanes.Count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePair<TVectors, TMask>(float* target, TLanes mask, TLanes first, TLanes second)
        where TVectors : struct, IConstant
        where TMask : struct, IConstant
    {
        if (TVectors.Value > 1)
        {
            TLanes.Store(first, target);
            StoreLast<TMask>(second, target + TLanes.Count, mask);
        }
        else
        {
            StoreLast<TMask>(first, target, mask);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Last<TMask>(float* source, TLanes mask)
        where TMask : struct, IConstant => TMask.Value != 0 ? TLanes.LoadMasked(source, mask) : TLanes.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreLast<TMask>(TLanes value, float* target, TLanes mask)
        where TMask : struct, IConstant
    {
        if (TMask.Value != 0)
        {
            TLanes.StoreMasked(value, target, mask);
        }
        else
        {
            TLanes.Store(value, target);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchTile<TVectors>(float* c, nint cStride, int rows)
        where TVectors : struct, IConstant
    {
        for (int r = 0; r < rows; r++)
        {
            TLanes.Prefetch(c);
            if (TVectors.Value > 1)
            {
                TLanes.Prefetch(c + TLanes.Count);
            }

            c += cStride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Rectify(TLanes x, Rectifier rectifier, TLanes parameter) =>
        rectifier == Rectifier.Leaky ? Leaky(x, parameter)
        : rectifier == Rectifier.Bounded ? TLanes.AtMost(TLanes.Positive(x), parameter)
        : TLanes.Positive(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Leaky(TLanes x, TLanes slope) => TLanes.MultiplyAdd(slope, TLanes.Negative(x), TLanes.Positive(x));
}
