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
    [MethodImpl(KernelCode.Loop)]
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
        nint whole = count - (count % TLanes.Count);
        for (nint i = 0; i < whole; i += TLanes.Count)
        {
            largest = TLanes.Max(Masked(row + i, factor, added == null ? null : added + i, shift, TLanes.Count), largest);
        }

        if (whole < count)
        {
            int rest = (int)(count - whole);
            TLanes last = Masked(row + whole, factor, added == null ? null : added + whole, shift, rest);
            largest = TLanes.Max(TLanes.KeepFirst(last, rest, float.NegativeInfinity), largest);
        }

        return TLanes.Largest(largest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Masked(float* scores, TLanes factor, float* added, TLanes shift, int lanes)
    {
        TLanes score = TLanes.MultiplyAdd(
            TLanes.Load(scores, lanes), factor, added == null ? shift : TLanes.Load(added, lanes));
        score.Store(scores, lanes);
        return score;
    }

    /// <summary>row = exp(row - shift), and 0 from count to width; the sum of them.</summary>
    public static float Exponentials(float* row, int count, int width, float shift)
    {
        ClearRest(row, count, width);
        return (float)SumLoop.Range<TLanes, KeptExponentialTerms>(new(row, row, shift), 0, count);
    }

    /// <summary>row *= factor.</summary>
    [MethodImpl(KernelCode.Loop)]
    public static void Scale(float* row, int count, float factor)
    {
        TLanes each = TLanes.Broadcast(factor);
        for (nint i = 0; i < count; i += TLanes.Count)
        {
            int lanes = (int)Math.Min(TLanes.Count, count - i);
            (TLanes.Load(row + i, lanes) * each).Store(row + i, lanes);
        }
    }

    /// <summary>weights = exp(factor weights - shift), and 0 from count to width.</summary>
    public static void Weights(float* weights, int count, int width, float factor, float shift)
    {
        ClearRest(weights, count, width);
        ElementLoop.Range<TLanes, WeightBody>(new(weights, factor, shift), 0, count);
    }

    /// <summary>
    /// The same, and with these weights gradients = weights (gradients - product) scale, also 0 from count to width.
    /// </summary>
    public static void Gradients(
        float* weights, float* gradients, int count, int width, float factor, float shift, float product, float scale)
    {
        ClearRest(weights, count, width);
        ClearRest(gradients, count, width);
        ElementLoop.Range<TLanes, GradientBody>(
            new(new WeightBody(weights, factor, shift), gradients, product, scale), 0, count);
    }

    private static void ClearRest(float* row, int count, int width)
    {
        if (count < width)
        {
            new Span<float>(row + count, width - count).Clear();
        }
    }

    private readonly struct WeightBody(float* weights, float factor, float shift) : IElementBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<T>(nint i, int count)
            where T : struct, IVectorLanes<T> => _ = Weigh<T>(i, count);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T Weigh<T>(nint i, int count)
            where T : struct, IVectorLanes<T>
        {
            T weight = Elementary.Exp((T.Load(weights + i, count) * T.Broadcast(factor)) - T.Broadcast(shift));
            weight.Store(weights + i, count);
            return weight;
        }
    }

    private readonly struct GradientBody(WeightBody weights, float* gradients, float product, float scale) : IElementBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<T>(nint i, int count)
            where T : struct, IVectorLanes<T>
        {
            T weight = weights.Weigh<T>(i, count);
            T gradient = weight * (T.Load(gradients + i, count) - T.Broadcast(product)) * T.Broadcast(scale);
            gradient.Store(gradients + i, count);
        }
    }
}
