using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>Blocks of scores: products of a tile of queries with a block of keys, and what becomes of a row of them.</summary>
internal static unsafe class AttentionScores<TLanes>
    where TLanes : struct, IVectorLanes<TLanes>
{
    /// <summary>Queries of a tile.</summary>
    public static int Rows => Tile<TLanes>.MaxRows;

    private static int Columns => Tile<TLanes>.MaxCols;

    /// <summary>Floats that a packed block of rows takes.</summary>
    public static nint PanelFloats(int width) =>
        (nint)((AttentionBlock.Keys + Columns - 1) / Columns * PanelStride(width));

    private static nint PanelStride(int width) => ((nint)width * Columns) + Pack<TLanes>.Slack;

    /// <summary>Rows of keys or values as panels of columns, for products with their transposition.</summary>
    public static void PackRows(float* rows, nint stride, int count, int width, float* panels)
    {
        for (int first = 0; first < count; first += Columns, panels += PanelStride(width))
        {
            Pack<TLanes>.Transposed(
                rows + (first * stride), stride, Math.Min(Columns, count - first), width, panels, Columns);
        }
    }

    /// <summary>
    /// scores [rows, columns] = queries (rows of them) times the packed rows, <see cref="AttentionBlock.Keys"/> apart.
    /// </summary>
    public static void Multiply(
        float* queries, nint stride, int rows, int width, float* panels, int columns, float* scores)
    {
        nint zero = 0;
        float** pointers = stackalloc float*[16];
        for (int row = 0; row < Rows; row++)
        {
            pointers[row] = queries + (Math.Min(row, rows - 1) * stride);
        }

        for (int column = 0; column < columns; column += Columns, panels += PanelStride(width))
        {
            Tile<TLanes>.Rows(
                pointers, &zero, 1, width, panels, Columns, scores + column, AttentionBlock.Keys, rows,
                Math.Min(Columns, columns - column), Epilogue.Store);
        }
    }

    /// <summary>result [rows, width] (=|+=) weights [rows, terms] times rows of values or keys.</summary>
    public static void MultiplyRows(
        float* weights, int rows, int terms, float* values, nint stride, int width, float* result, nint resultStride,
        in Epilogue epilogue)
    {
        nint zero = 0;
        float** pointers = stackalloc float*[16];
        for (int row = 0; row < Rows; row++)
        {
            pointers[row] = weights + (Math.Min(row, rows - 1) * AttentionBlock.Keys);
        }

        for (int column = 0; column < width; column += Columns)
        {
            Tile<TLanes>.Rows(
                pointers, &zero, 1, terms, values + column, stride, result + column, resultStride, rows,
                Math.Min(Columns, width - column), epilogue);
        }
    }

    /// <summary>result [rows, width] += weights^T [rows, terms] times so many rows of queries or upstream gradients.</summary>
    public static void MultiplyTransposed(
        float* weights, int rows, int terms, float* queries, nint stride, int width, float* result, nint resultStride)
    {
        for (int column = 0; column < width; column += Columns)
        {
            float* b = queries + column;
            Tile<TLanes>.Panel(
                &weights, AttentionBlock.Keys, &b, stride, 1, terms, result + column, resultStride, rows,
                Math.Min(Columns, width - column), Epilogue.Add);
        }
    }

    /// <summary>row = scale row + mask, -infinity where the mask forbids it; the largest of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Mask(float* row, int count, float scale, MaskKind kind, byte* mask, long maskStride)
    {
        if (kind == MaskKind.Allowed)
        {
            for (nint i = 0; i < count; i++)
            {
                row[i] = mask[i * (nint)maskStride] != 0 ? row[i] : float.NegativeInfinity;
            }
        }

        // A mask that repeats along the keys moves all scores of the row alike.
        float constant = kind == MaskKind.Added && maskStride == 0 ? *(float*)mask : 0;
        float* added = kind == MaskKind.Added && maskStride != 0 ? (float*)mask : null;
        TLanes factor = TLanes.Broadcast(scale), shift = TLanes.Broadcast(constant);
        TLanes largest = TLanes.Broadcast(float.NegativeInfinity);
        for (nint i = 0; i < count; i += TLanes.Count)
        {
            int lanes = (int)Math.Min(TLanes.Count, count - i);
            TLanes score = TLanes.MultiplyAdd(
                TLanes.Load(row + i, lanes), factor, added == null ? shift : TLanes.Load(added + i, lanes));
            score.Store(row + i, lanes);
            largest = TLanes.Max(TLanes.KeepFirst(score, lanes, float.NegativeInfinity), largest);
        }

        return TLanes.Largest(largest);
    }

    /// <summary>row = exp(row - shift), and 0 from count to width; the sum of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Exponentials(float* row, int count, int width, float shift)
    {
        TLanes least = TLanes.Broadcast(shift), sum = default(TLanes);
        for (nint i = 0; i < count; i += TLanes.Count)
        {
            int lanes = (int)Math.Min(TLanes.Count, count - i);
            TLanes weight = TLanes.KeepFirst(Elementary.Exp(TLanes.Load(row + i, lanes) - least), lanes, 0);
            weight.Store(row + i, lanes);
            sum += weight;
        }

        if (count < width)
        {
            new Span<float>(row + count, width - count).Clear();
        }

        return TLanes.Sum(sum);
    }

    /// <summary>row *= factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(float* row, int count, float factor)
    {
        TLanes each = TLanes.Broadcast(factor);
        for (nint i = 0; i < count; i += TLanes.Count)
        {
            int lanes = (int)Math.Min(TLanes.Count, count - i);
            (TLanes.Load(row + i, lanes) * each).Store(row + i, lanes);
        }
    }

    /// <summary>gradients = weights (gradients - product) scale, and 0 from count to width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gradients(float* gradients, float* weights, int count, int width, float product, float scale)
    {
        TLanes shift = TLanes.Broadcast(product), factor = TLanes.Broadcast(scale);
        for (nint i = 0; i < count; i += TLanes.Count)
        {
            int lanes = (int)Math.Min(TLanes.Count, count - i);
            TLanes gradient = TLanes.Load(weights + i, lanes) * (TLanes.Load(gradients + i, lanes) - shift) * factor;
            gradient.Store(gradients + i, lanes);
        }

        if (count < width)
        {
            new Span<float>(gradients + count, width - count).Clear();
        }
    }
}
