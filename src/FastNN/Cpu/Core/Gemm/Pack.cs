using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

/// <summary>
/// Packing into panels: for each k, <c>width</c> neighbors, so that a tile walks through memory without a gap.
/// A panel ends in <see cref="Slack"/> unused floats, as the last vector may be wider than what is left of the panel.
/// </summary>
internal static unsafe class Pack<TLanes>
    where TLanes : struct, IVectorLanes<TLanes>
{
    /// <summary>Floats past the end of a panel that packing may overwrite.</summary>
    public const int Slack = 16;

    /// <summary>The widest panel: two vectors of 512 bits.</summary>
    private const int MaxWidth = 32;

    /// <summary>
    /// B [rows, columns], or with <paramref name="transposed"/> one stored as [columns, rows], in panels of two vectors, one
    /// behind the other. They go in order: what packing writes past a panel the next overwrites.
    /// </summary>
    public static void Panels(float* source, nint stride, int columns, int rows, bool transposed, float* panels)
    {
        int width = 2 * TLanes.Count;
        for (int column = 0; column < columns; column += width)
        {
            int count = Math.Min(width, columns - column);
            float* panel = panels + ((nint)(column / width) * rows * width);
            if (transposed)
            {
                Transposed(source + (column * stride), stride, count, rows, panel, width);
            }
            else
            {
                Straight(source + column, stride, count, rows, panel, width);
            }
        }
    }

    /// <summary>
    /// panel[k * width + j] = source[j * stride + k]: the neighbors are rows of the source, which is transposed in blocks of
    /// four columns. The last of <paramref name="count"/> rows stands in for those missing up to the width.
    /// </summary>
    [MethodImpl(KernelCode.Loop)]
    public static void Transposed(float* source, nint stride, int count, int length, float* panel, int width)
    {
        float** rows = stackalloc float*[MaxWidth + 16];
        int groups = (width + TLanes.Count - 1) / TLanes.Count;
        for (int j = 0; j < groups * TLanes.Count; j++)
        {
            rows[j] = source + (Math.Min(j, count - 1) * stride);
        }

        // Group by group, as rows a power of two apart share few cache sets; downwards, as what a group writes past the width
        // is then overwritten by the one before it.
        nint whole = TLanes.Count >= 4 ? length & ~3 : 0;
        for (int j = (groups - 1) * TLanes.Count; j >= 0; j -= TLanes.Count)
        {
            for (nint k = 0; k < whole; k += 4)
            {
                TransposeFour(rows + j, k, panel + (k * width) + j, width);
            }
        }

        for (nint k = whole; k < length; k++)
        {
            for (int j = 0; j < width; j++)
            {
                panel[(k * width) + j] = rows[j][k];
            }
        }
    }

    /// <summary>panel[k * width + j] = source[k * stride + j] for j &lt; count, zero from there up to the width.</summary>
    [MethodImpl(KernelCode.Loop)]
    public static void Straight(float* source, nint stride, int count, int length, float* panel, int width)
    {
        int lanes = TLanes.Count;
        int whole = count - (count % lanes);
        int groups = (width + lanes - 1) / lanes * lanes;
        TLanes mask = TLanes.Mask(count - whole);
        for (nint k = 0; k < length; k++)
        {
            int j = 0;
            for (; j < whole; j += lanes)
            {
                TLanes.Store(TLanes.Load(source + j), panel + j);
            }

            if (j < count)
            {
                TLanes.Store(TLanes.LoadMasked(source + j, mask), panel + j);
                j += lanes;
            }

            for (; j < groups; j += lanes)
            {
                TLanes.Store(default(TLanes), panel + j);
            }

            source += stride;
            panel += width;
        }
    }

    /// <summary>Four columns of as many rows as there are lanes: four vectors, each a column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TransposeFour(float** rows, nint k, float* panel, nint width)
    {
        // Each 128-bit lane holds four floats of one row; a 4x4 transposition inside all lanes at once gives whole columns.
        TLanes r0 = TLanes.LoadQuads(rows, k);
        TLanes r1 = TLanes.LoadQuads(rows + 1, k);
        TLanes r2 = TLanes.LoadQuads(rows + 2, k);
        TLanes r3 = TLanes.LoadQuads(rows + 3, k);
        TLanes low01 = TLanes.ZipLow(r0, r1), high01 = TLanes.ZipHigh(r0, r1);
        TLanes low23 = TLanes.ZipLow(r2, r3), high23 = TLanes.ZipHigh(r2, r3);
        TLanes.Store(TLanes.ZipLowPairs(low01, low23), panel);
        TLanes.Store(TLanes.ZipHighPairs(low01, low23), panel + width);
        TLanes.Store(TLanes.ZipLowPairs(high01, high23), panel + (2 * width));
        TLanes.Store(TLanes.ZipHighPairs(high01, high23), panel + (3 * width));
    }
}
