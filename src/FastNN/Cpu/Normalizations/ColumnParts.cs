using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>How the rows of each batch are cut into parts, each of which leaves two numbers per channel.</summary>
internal readonly unsafe struct ColumnParts(ColumnGeometry geometry, float* parts, int rowsPerPart, int count)
{
    /// <summary>Rows whose sums are kept in registers.</summary>
    public const int Leaf = 16;

    public int Batches => geometry.Batches;

    public int Channels => geometry.Channels;

    public int Rows => geometry.Rows;

    /// <summary>Parts per batch.</summary>
    public int Count => count;

    public void Run<TBody>(WorkerPool pool, TBody body)
        where TBody : struct, IRowBody => RowLoop.Run(
        pool, geometry.Batches * count, (long)rowsPerPart * geometry.Channels, body);

    /// <summary>The two rows of numbers of a part.</summary>
    public float* Of(nint task) => parts + (2 * task * geometry.Channels);

    /// <summary>The rows of a part, and the first of them among all.</summary>
    public int RowsOf(nint task, out nint first, out nint batch)
    {
        (batch, nint part) = Math.DivRem(task, count);
        first = (batch * geometry.Rows) + (part * rowsPerPart);
        return RowsIn((int)part);
    }

    public int RowsIn(int part) => Math.Min(rowsPerPart, geometry.Rows - (part * rowsPerPart));
}

/// <summary>
/// The mean of each column of a part, and the sum of squares about it (Chan et al., 1983): leaves of 16 rows by two passes in the
/// first-level cache, then joined, so that x is read from memory once and nothing cancels.
/// </summary>
internal readonly unsafe struct ColumnMoments(float* x, ColumnParts parts) : IRowBody
{
    [MethodImpl(KernelCode.Loop)]
    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        int channels = parts.Channels;
        for (nint task = start; task < end; task++)
        {
            int rows = parts.RowsOf(task, out nint first, out _);
            float* mean = parts.Of(task), squares = mean + channels;
            for (int row = 0; row < rows; row += ColumnParts.Leaf)
            {
                int count = Math.Min(ColumnParts.Leaf, rows - row);
                float* leaf = x + ((first + row) * channels);
                for (int column = 0; column < channels; column += TLanes.Count)
                {
                    int lanes = Math.Min(TLanes.Count, channels - column);
                    Join<TLanes>(leaf + column, channels, row, count, lanes, mean + column, squares + column);
                }
            }
        }
    }

    /// <summary>Adds a leaf of so many rows to the mean and squares of those before it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Join<TLanes>(float* x, nint stride, int before, int rows, int lanes, float* mean, float* squares)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        TLanes even = TLanes.Broadcast(0f), odd = even;
        for (int row = 0; row < rows; row++)
        {
            TLanes next = even + TLanes.Load(x + (row * stride), lanes);
            even = odd;
            odd = next;
        }

        TLanes middle = (even + odd) * TLanes.Broadcast(1f / rows);
        even = TLanes.Broadcast(0f);
        odd = even;
        for (int row = 0; row < rows; row++)
        {
            TLanes centered = TLanes.Load(x + (row * stride), lanes) - middle;
            TLanes next = TLanes.MultiplyAdd(centered, centered, even);
            even = odd;
            odd = next;
        }

        if (before == 0)
        {
            middle.Store(mean, lanes);
            (even + odd).Store(squares, lanes);
            return;
        }

        float share = rows / (float)(before + rows);
        TLanes old = TLanes.Load(mean, lanes), difference = middle - old;
        TLanes.MultiplyAdd(difference, TLanes.Broadcast(share), old).Store(mean, lanes);
        TLanes all = TLanes.Load(squares, lanes) + (even + odd);
        TLanes.MultiplyAdd(difference * difference, TLanes.Broadcast(share * before), all).Store(squares, lanes);
    }
}

/// <summary>Whether dY passes a ReLU first. Chosen once per kernel, so the loop has no branch.</summary>
internal unsafe interface IColumnMask
{
    static abstract TLanes Load<TLanes>(float* y, float* dY, int count)
        where TLanes : struct, IVectorLanes<TLanes>;
}

/// <summary>dY as it is.</summary>
internal readonly unsafe struct Unmasked : IColumnMask
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(float* y, float* dY, int count)
        where TLanes : struct, IVectorLanes<TLanes> => TLanes.Load(dY, count);
}

/// <summary>0 where y is not above 0, in dY's place as well.</summary>
internal readonly unsafe struct Masked : IColumnMask
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(float* y, float* dY, int count)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        TLanes masked = Relu.Gradient(TLanes.Load(y, count), TLanes.Load(dY, count), default);
        masked.Store(dY, count);
        return masked;
    }
}

/// <summary>Sums of each column of a part: dY, masked where ReLU follows, and dY (x - mean) scale.</summary>
internal readonly unsafe struct ColumnGradientSums<TMask>(
    float* x, float* y, float* dY, float* mean, float* scale, ColumnParts parts) : IRowBody
    where TMask : struct, IColumnMask
{
    [MethodImpl(KernelCode.Loop)]
    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        int channels = parts.Channels;
        for (nint task = start; task < end; task++)
        {
            int rows = parts.RowsOf(task, out nint first, out nint batch);
            float* sums = parts.Of(task), products = sums + channels;
            if (rows == 0)
            {
                new Span<float>(sums, 2 * channels).Clear();
            }

            for (int row = 0; row < rows; row += ColumnParts.Leaf)
            {
                int count = Math.Min(ColumnParts.Leaf, rows - row);
                nint leaf = (first + row) * channels;
                for (int column = 0; column < channels; column += TLanes.Count)
                {
                    int lanes = Math.Min(TLanes.Count, channels - column);
                    nint statistic = (batch * channels) + column;
                    TLanes middle = TLanes.Load(mean + statistic, lanes), factor = TLanes.Load(scale + statistic, lanes);
                    Add(leaf + column, count, lanes, middle, factor, row == 0, sums + column, products + column);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add<TLanes>(
        nint at, int rows, int lanes, TLanes middle, TLanes factor, bool isFirst, float* sums, float* products)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        TLanes sum = TLanes.Broadcast(0f), sumOdd = sum, product = sum, productOdd = sum;
        for (int row = 0; row < rows; row++, at += parts.Channels)
        {
            TLanes given = TMask.Load<TLanes>(y + at, dY + at, lanes);
            TLanes next = sum + given, nextProduct = TLanes.MultiplyAdd(given, TLanes.Load(x + at, lanes) - middle, product);
            sum = sumOdd;
            sumOdd = next;
            product = productOdd;
            productOdd = nextProduct;
        }

        sum += sumOdd;
        product = (product + productOdd) * factor;
        if (!isFirst)
        {
            sum += TLanes.Load(sums, lanes);
            product += TLanes.Load(products, lanes);
        }

        sum.Store(sums, lanes);
        product.Store(products, lanes);
    }
}
