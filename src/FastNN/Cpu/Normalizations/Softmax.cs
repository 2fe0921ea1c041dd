using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Softmax along the middle axis of [outer, axis, inner]. With inner = 1 a row is contiguous and its maximum and sum are taken
/// across lanes; otherwise lanes lie across inner and no reduction across lanes is needed. A row of up to one vector never
/// leaves the registers but for its result.
/// </summary>
internal sealed unsafe partial class CpuNormalizations
{
    public void SoftmaxForward(Tensor x, Tensor y, int outer, int axis, int inner, bool logarithm)
    {
        if (inner == 1 && logarithm)
        {
            RowLoop.Run(Pool, outer, axis, new SoftmaxRows<Yes>(Floats(x), Floats(y), axis));
        }
        else if (inner == 1)
        {
            RowLoop.Run(Pool, outer, axis, new SoftmaxRows<No>(Floats(x), Floats(y), axis));
        }
        else if (logarithm)
        {
            RowLoop.Run(Pool, outer, (long)axis * inner, new SoftmaxColumns<Yes>(Floats(x), Floats(y), axis, inner));
        }
        else
        {
            RowLoop.Run(Pool, outer, (long)axis * inner, new SoftmaxColumns<No>(Floats(x), Floats(y), axis, inner));
        }
    }

    public void SoftmaxBackward(Tensor y, Tensor dY, Tensor dX, int outer, int axis, int inner, bool logarithm, bool accumulate)
    {
        switch (logarithm, accumulate)
        {
            case (false, false):
                SoftmaxBackward<No, Assign>(y, dY, dX, outer, axis, inner);
                break;
            case (false, true):
                SoftmaxBackward<No, Accumulate>(y, dY, dX, outer, axis, inner);
                break;
            case (true, false):
                SoftmaxBackward<Yes, Assign>(y, dY, dX, outer, axis, inner);
                break;
            default:
                SoftmaxBackward<Yes, Accumulate>(y, dY, dX, outer, axis, inner);
                break;
        }
    }

    private void SoftmaxBackward<TLogarithm, TStore>(Tensor y, Tensor dY, Tensor dX, int outer, int axis, int inner)
        where TLogarithm : struct, IFlag
        where TStore : struct, IStore
    {
        if (inner == 1)
        {
            RowLoop.Run(Pool, outer, axis, new SoftmaxRowGradients<TLogarithm, TStore>(Floats(y), Floats(dY), Floats(dX), axis));
        }
        else
        {
            RowLoop.Run(
                Pool, outer, (long)axis * inner,
                new SoftmaxColumnGradients<TLogarithm, TStore>(Floats(y), Floats(dY), Floats(dX), axis, inner));
        }
    }
}
