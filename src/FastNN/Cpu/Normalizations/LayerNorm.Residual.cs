using System.Runtime.CompilerServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// A sum in front of the normalization of its rows, in a pass of its own: plans for the CPU leave both apart, as a pass costs no
/// launch there.
/// </summary>
internal sealed unsafe partial class CpuNormalizations
{
    public void ResidualNormForward(in RowNormalization rows, in AddedRows added, Tensor? bias, Tensor y)
    {
        RowGeometry geometry = rows.Geometry;
        if (rows.X.Count == 0)
        {
            return;
        }

        RowLoop.Run(
            Pool, geometry.Rows, geometry.Length,
            new SummedRows(
                added, (nint)(added.Residual.Count / geometry.Length), (nint)(added.Product.Count / geometry.Length),
                Floats(rows.X), geometry.Length));
        LayerNormForward(rows, bias, y);
    }

    public void ResidualNormBackward(
        in RowNormalization rows, Tensor? dY, Tensor? dSum, in NormalizationGradients gradients, in AddedGradients added,
        Tensor? workspace)
    {
        (Tensor? dX, Tensor? dResidual) = (gradients.X, added.Residual);
        if (dX is null)
        {
            Complete(rows, dY, dSum, gradients with { X = dResidual, AccumulateX = added.AccumulateResidual }, workspace);
            return;
        }

        Complete(rows, dY, dSum, gradients, workspace);
        if (dResidual is not null)
        {
            Copy(dX, dResidual, added.AccumulateResidual);
        }

        int length = rows.Geometry.Length;
        PartSums.Add(
            Pool, Floats(dX), rows.Geometry.Rows, length, length, added.ProductBias, added.AccumulateProductBias);
    }

    /// <summary>All that arrives at a sum, in the place of one of its terms' gradients.</summary>
    private void Complete(
        in RowNormalization rows, Tensor? dY, Tensor? dSum, in NormalizationGradients gradients, Tensor? workspace)
    {
        bool isThere = dSum is not null && dSum.Address == gradients.X?.Address;
        NormalizationGradients own = gradients with { AccumulateX = gradients.AccumulateX || isThere };
        if (dY is not null)
        {
            LayerNormBackward(rows, dY, own, workspace);
        }
        else
        {
            AddNothing(own.X, own.AccumulateX);
            AddNothing(own.Weight, own.AccumulateWeight);
            AddNothing(own.Bias, own.AccumulateBias);
        }

        if (dSum is not null && !isThere && own.X is not null)
        {
            Copy(dSum, own.X, accumulate: true);
        }
    }

    private void AddNothing(Tensor? gradient, bool accumulate)
    {
        if (gradient is not null && !accumulate)
        {
            Fill(gradient, 0);
        }
    }
}

/// <summary>Rows of sum = (x + bias) + residual, whose rows repeat; x may be rows of a table.</summary>
internal readonly unsafe struct SummedRows(in AddedRows added, nint residualRows, nint tableRows, float* sum, int length)
    : IRowBody
{
    private readonly float* _x = (float*)added.Product.Address;
    private readonly float* _bias = added.ProductBias is null ? null : (float*)added.ProductBias.Address;
    private readonly float* _residual = (float*)added.Residual.Address;
    private readonly nint _indices = added.Indices is null ? 0 : added.Indices.Address;
    private readonly bool _wide = added.Indices?.Type == DType.Int64;

    public void Invoke<TLanes>(nint start, nint end)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        for (nint row = start; row < end; row++)
        {
            long from = _indices == 0 ? row : _wide ? ((long*)_indices)[row] : ((int*)_indices)[row];
            float* to = sum + (row * length);
            if (from >= 0 && from < tableRows)
            {
                ElementLoop.Range<TLanes, SummedMap>(
                    new(_x + (from * length), _bias, _residual + (row % residualRows * length), to), 0, length);
            }
            else
            {
                new Span<float>(to, length).Fill(float.NaN);
            }
        }
    }
}

/// <summary>sum = (x + bias) + residual.</summary>
internal readonly unsafe struct SummedMap(float* x, float* bias, float* residual, float* sum) : IElementBody
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invoke<TLanes>(nint i, int count)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        TLanes product = TLanes.Load(x + i, count);
        product = bias == null ? product : product + TLanes.Load(bias + i, count);
        (product + TLanes.Load(residual + i, count)).Store(sum + i, count);
    }
}
