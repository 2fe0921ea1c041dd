using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Reductions over any axes: 4 bytes read per term forward; backward 8 or 12 bytes per element, outputs staying in the cache.</summary>
internal sealed unsafe partial class CpuReductions
{
    public void Fold(FoldKind kind, Tensor x, Tensor? center, Tensor y, ReduceGeometry geometry, float scale, bool root)
    {
        var operands = new FoldOperands(geometry, Floats(x), Floats(center), Floats(y), scale, root);
        switch (kind)
        {
            case FoldKind.Sum:
                FoldLoop<SumFold>.Run(Pool, operands);
                break;
            case FoldKind.Largest:
                FoldLoop<LargestFold>.Run(Pool, operands);
                break;
            case FoldKind.Smallest:
                FoldLoop<SmallestFold>.Run(Pool, operands);
                break;
            case FoldKind.Anchor:
                FoldLoop<AnchorFold>.Run(Pool, operands);
                break;
            case FoldKind.Equal:
                FoldLoop<EqualFold>.Run(Pool, operands);
                break;
            case FoldKind.CenteredSquares:
                FoldLoop<CenteredSquaresFold>.Run(Pool, operands);
                break;
            case FoldKind.LogOfExponentials:
                FoldLoop<LogOfExponentialsFold>.Run(Pool, operands);
                break;
            case FoldKind.Magnitudes:
                FoldLoop<MagnitudesFold>.Run(Pool, operands);
                break;
            case FoldKind.Squares:
                FoldLoop<SquaresFold>.Run(Pool, operands);
                break;
            case FoldKind.Product:
                FoldLoop<ProductFold>.Run(Pool, operands);
                break;
            case FoldKind.NonZeroProduct:
                FoldLoop<NonZeroProductFold>.Run(Pool, operands);
                break;
            case FoldKind.Zeros:
                FoldLoop<ZerosFold>.Run(Pool, operands);
                break;
            default:
                throw new NotSupportedException($"Fold: expected a fold, got {kind}.");
        }
    }

    public void Spread(
        SlopeKind kind, Tensor x, Tensor y, Tensor saved, Tensor more, Tensor dY, Tensor dX, ReduceGeometry geometry, float scale, bool accumulate)
    {
        if (dX.Count == 0)
        {
            return;
        }

        var operands = new SpreadOperands(geometry.Axes, Floats(x), Floats(y), Floats(saved), Floats(more), Floats(dY), Floats(dX), scale);
        switch (kind)
        {
            case SlopeKind.Scaled:
                SpreadRows<ScaledSlope>(operands, accumulate);
                break;
            case SlopeKind.Extreme:
                SpreadRows<ExtremeSlope>(operands, accumulate);
                break;
            case SlopeKind.Centered:
                SpreadRows<CenteredSlope>(operands, accumulate);
                break;
            case SlopeKind.CenteredOverResult:
                SpreadRows<CenteredOverResultSlope>(operands, accumulate);
                break;
            case SlopeKind.Exponential:
                SpreadRows<ExponentialSlope>(operands, accumulate);
                break;
            case SlopeKind.Sign:
                SpreadRows<SignSlope>(operands, accumulate);
                break;
            case SlopeKind.OverResult:
                SpreadRows<OverResultSlope>(operands, accumulate);
                break;
            case SlopeKind.Product:
                SpreadRows<ProductSlope>(operands, accumulate);
                break;
            default:
                throw new NotSupportedException($"Spread: expected a slope, got {kind}.");
        }
    }

    private void SpreadRows<TSlope>(in SpreadOperands operands, bool accumulate)
        where TSlope : struct, ISlope
    {
        StridedAxes axes = operands.Axes;
        if (axes.Rank <= 1)
        {
            // One run, which may be cut anywhere.
            if (accumulate)
            {
                ElementLoop.Run(Pool, axes.Inner, new SpreadBody<TSlope, Accumulate>(operands, 0, 0));
            }
            else
            {
                ElementLoop.Run(Pool, axes.Inner, new SpreadBody<TSlope, Assign>(operands, 0, 0));
            }
        }
        else if (accumulate)
        {
            RowLoop.Run(Pool, axes.Outer, axes.Inner, new SpreadRowsBody<TSlope, Accumulate>(operands));
        }
        else
        {
            RowLoop.Run(Pool, axes.Outer, axes.Inner, new SpreadRowsBody<TSlope, Assign>(operands));
        }
    }
}
