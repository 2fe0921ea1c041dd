using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Rows: read from memory once, then from the first-level cache; 8 bytes moved per element forward, 12 or 16 backward. Sums over
/// rows for the parameters are cut by the shape and added in order.
/// </summary>
internal sealed unsafe partial class CpuNormalizations
{
    public void LayerNormForward(in RowNormalization rows, Tensor? bias, Tensor y)
    {
        float* x = Floats(rows.X), mean = Floats(rows.Mean), scale = Floats(rows.Scale), weight = Floats(rows.Weight);
        RowGeometry geometry = rows.Geometry;
        if (mean != null)
        {
            RowLoop.Run(
                Pool, geometry.Rows, geometry.Length,
                new NormalizedRows<Yes>(x, mean, scale, weight, Floats(bias), Floats(y), geometry.Length, rows.Eps));
        }
        else
        {
            RowLoop.Run(
                Pool, geometry.Rows, geometry.Length,
                new NormalizedRows<No>(x, mean, scale, weight, Floats(bias), Floats(y), geometry.Length, rows.Eps));
        }
    }

    public void LayerNormBackward(
        in RowNormalization rows, Tensor dY, in NormalizationGradients gradients, Tensor? workspace)
    {
        switch (rows.Mean is not null, gradients.AccumulateX)
        {
            case (true, false):
                LayerNormBackward<Yes, Assign>(rows, dY, gradients, workspace);
                break;
            case (true, true):
                LayerNormBackward<Yes, Accumulate>(rows, dY, gradients, workspace);
                break;
            case (false, false):
                LayerNormBackward<No, Assign>(rows, dY, gradients, workspace);
                break;
            default:
                LayerNormBackward<No, Accumulate>(rows, dY, gradients, workspace);
                break;
        }
    }

    private void LayerNormBackward<TCentered, TStore>(
        in RowNormalization rows, Tensor dY, in NormalizationGradients gradients, Tensor? workspace)
        where TCentered : struct, IFlag
        where TStore : struct, IStore
    {
        RowGeometry geometry = rows.Geometry;
        float* parts = gradients.Weight is null && gradients.Bias is null ? null : Floats(workspace);
        RowLoop.Run(
            Pool, geometry.Parts, (long)geometry.RowsPerPart * geometry.Length,
            new RowGradients<TCentered, TStore>(rows, Floats(dY), Floats(gradients.X), parts));
        if (parts == null)
        {
            return;
        }

        int length = geometry.Length;
        PartSums.Add(Pool, parts, geometry.Parts, 2L * length, length, gradients.Weight, gradients.AccumulateWeight);
        PartSums.Add(Pool, parts + length, geometry.Parts, 2L * length, length, gradients.Bias, gradients.AccumulateBias);
    }
}

/// <summary>Rows of y, and their statistics.</summary>
internal readonly unsafe struct NormalizedRows<TCentered>(
    float* x, float* mean, float* scale, float* weight, float* bias, float* y, int length, float eps) : IRowBody
    where TCentered : struct, IFlag
{
    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        for (nint row = start; row < end; row++)
        {
            Row<TLanes>(row);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Row<TLanes>(nint row)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        float* from = x + (row * length);
        float middle = 0;
        if (TCentered.Value)
        {
            middle = (float)(SumLoop.Range<TLanes, ElementTerms>(new(from), 0, length) / length);
            mean[row] = middle;
        }

        double squares = SumLoop.Range<TLanes, CenteredSquareTerms>(new(from, middle), 0, length);
        float factor = 1 / MathF.Sqrt((float)(squares / length) + eps);
        scale[row] = factor;
        ElementLoop.Range<TLanes, NormalizedMap>(new(from, weight, bias, y + (row * length), middle, factor), 0, length);
    }
}

/// <summary>(x - center)^2.</summary>
internal readonly unsafe struct CenteredSquareTerms(float* x, float center) : ITermBody
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        TLanes centered = TLanes.Load(x + i, count) - TLanes.Broadcast(center);
        return centered * centered;
    }
}

/// <summary>y = (x - mean) scale weight + bias along a row of one mean and scale.</summary>
internal readonly unsafe struct NormalizedMap(float* x, float* weight, float* bias, float* y, float mean, float scale)
    : IElementBody
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        TLanes normalized = (TLanes.Load(x + i, count) - TLanes.Broadcast(mean)) * TLanes.Broadcast(scale);
        if (weight != null)
        {
            TLanes factor = TLanes.Load(weight + i, count);
            normalized = bias == null
                ? normalized * factor
                : TLanes.MultiplyAdd(normalized, factor, TLanes.Load(bias + i, count));
        }

        normalized.Store(y + i, count);
    }
}

/// <summary>Parts of rows: their dX, and their sums for the parameters where <paramref name="parts"/> is not null.</summary>
internal readonly unsafe struct RowGradients<TCentered, TStore>(in RowNormalization rows, float* dY, float* dX, float* parts)
    : IRowBody
    where TCentered : struct, IFlag
    where TStore : struct, IStore
{
    private readonly float* _x = (float*)rows.X.Address;
    private readonly float* _mean = rows.Mean is null ? null : (float*)rows.Mean.Address;
    private readonly float* _scale = (float*)rows.Scale.Address;
    private readonly float* _weight = rows.Weight is null ? null : (float*)rows.Weight.Address;
    private readonly RowGeometry _geometry = rows.Geometry;
    private readonly float* _dY = dY;
    private readonly float* _dX = dX;
    private readonly float* _parts = parts;

    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        nint length = _geometry.Length;
        for (nint part = start; part < end; part++)
        {
            float* sums = _parts == null ? null : _parts + (2 * part * length);
            if (sums != null)
            {
                new Span<float>(sums, checked((int)length)).Clear();
                new Span<float>(sums + length, (int)length).Clear();
            }

            nint last = Math.Min((part + 1) * _geometry.RowsPerPart, _geometry.Rows);
            for (nint row = part * _geometry.RowsPerPart; row < last; row++)
            {
                Row<TLanes>(row, sums);
            }
        }
    }

    private void Row<TLanes>(nint row, float* sums)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        nint length = _geometry.Length;
        float* x = _x + (row * length), given = _dY + (row * length);
        float middle = TCentered.Value ? _mean[row] : 0, factor = _scale[row];
        if (sums != null)
        {
            ElementLoop.Range<TLanes, ParameterSums>(new(x, given, sums, sums + length, middle, factor), 0, length);
        }

        if (_dX == null)
        {
            return;
        }

        float sum = 0;
        if (TCentered.Value)
        {
            sum = (float)((_weight == null
                ? SumLoop.Range<TLanes, ElementTerms>(new(given), 0, length)
                : SumLoop.Range<TLanes, ProductTerms>(new(given, _weight), 0, length)) / length);
        }

        float product = (float)(SumLoop.Range<TLanes, NormalizedProductTerms>(new(x, given, _weight, middle), 0, length)
            * factor / length);
        ElementLoop.Range<TLanes, RowGradientMap<TStore>>(
            new(x, given, _weight, _dX + (row * length), middle, factor, sum, product), 0, length);
    }
}

/// <summary>Two sums per column: dY (x - mean) scale, and dY.</summary>
internal readonly unsafe struct ParameterSums(float* x, float* dY, float* products, float* sums, float mean, float scale)
    : IElementBody
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        TLanes given = TLanes.Load(dY + i, count);
        TLanes normalized = (TLanes.Load(x + i, count) - TLanes.Broadcast(mean)) * TLanes.Broadcast(scale);
        TLanes.MultiplyAdd(given, normalized, TLanes.Load(products + i, count)).Store(products + i, count);
        (TLanes.Load(sums + i, count) + given).Store(sums + i, count);
    }
}

/// <summary>dY weight (x - mean).</summary>
internal readonly unsafe struct NormalizedProductTerms(float* x, float* dY, float* weight, float mean) : ITermBody
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        TLanes given = TLanes.Load(dY + i, count);
        given = weight == null ? given : given * TLanes.Load(weight + i, count);
        return given * (TLanes.Load(x + i, count) - TLanes.Broadcast(mean));
    }
}

/// <summary>dX (=|+=) scale (dY weight - sum - (x - mean) scale product).</summary>
internal readonly unsafe struct RowGradientMap<TStore>(
    float* x, float* dY, float* weight, float* dX, float mean, float scale, float sum, float product) : IElementBody
    where TStore : struct, IStore
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        TLanes given = TLanes.Load(dY + i, count);
        given = weight == null ? given : given * TLanes.Load(weight + i, count);
        TLanes factor = TLanes.Broadcast(scale);
        TLanes normalized = (TLanes.Load(x + i, count) - TLanes.Broadcast(mean)) * factor;
        given -= TLanes.MultiplyAdd(normalized, TLanes.Broadcast(product), TLanes.Broadcast(sum));
        TStore.Store(dX + i, factor * given, count);
    }
}
