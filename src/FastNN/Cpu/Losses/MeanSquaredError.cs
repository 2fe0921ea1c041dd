using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Mean squared error: 8 bytes read per element forward, 12 moved backward.</summary>
internal sealed unsafe partial class CpuLosses
{
    public void MeanSquaredErrorForward(Reduction reduction, Tensor x, Tensor targets, Tensor loss) =>
        ReduceLoss(reduction, x.Count, new LossTerms<SquaredError>(new(Floats(x), Floats(targets), null, null, 1)), loss);

    public void MeanSquaredErrorBackward(Reduction reduction, Tensor x, Tensor targets, Tensor dLoss, Tensor dX, bool accumulate) =>
        SpreadLoss(reduction, x.Count, new LossSlopes<SquaredError>(new(Floats(x), Floats(targets), null, null, 1)), dLoss, dX, accumulate);

    /// <summary>loss = the terms, or their sum or mean.</summary>
    private void ReduceLoss<TTerms>(Reduction reduction, long count, TTerms terms, Tensor loss)
        where TTerms : struct, ITermBody
    {
        if (reduction == Reduction.None)
        {
            ElementLoop.Run(Pool, count, new TermMap<TTerms, Assign>(terms, Floats(loss)));
        }
        else
        {
            double sum = SumLoop.Run(Pool, count, terms);
            *Floats(loss) = (float)(reduction == Reduction.Mean ? sum / count : sum);
        }
    }

    /// <summary>dX (=|+=) dLoss times the slopes, divided by the count for the mean.</summary>
    private void SpreadLoss<TTerms>(Reduction reduction, long count, TTerms slopes, Tensor dLoss, Tensor dX, bool accumulate)
        where TTerms : struct, ITermBody
    {
        if (accumulate)
        {
            SpreadLoss<TTerms, Accumulate>(reduction, count, slopes, dLoss, dX);
        }
        else
        {
            SpreadLoss<TTerms, Assign>(reduction, count, slopes, dLoss, dX);
        }
    }

    private void SpreadLoss<TTerms, TStore>(Reduction reduction, long count, TTerms slopes, Tensor dLoss, Tensor dX)
        where TTerms : struct, ITermBody
        where TStore : struct, IStore
    {
        if (reduction == Reduction.None)
        {
            ElementLoop.Run(Pool, count, new ProductTermMap<TTerms, TStore>(slopes, Floats(dLoss), Floats(dX)));
        }
        else
        {
            float scale = reduction == Reduction.Mean ? *Floats(dLoss) / count : *Floats(dLoss);
            ElementLoop.Run(Pool, count, new ScaledTermMap<TTerms, TStore>(slopes, scale, Floats(dX)));
        }
    }
}
