using System.Runtime.InteropServices;
using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Losses of single elements.</summary>
internal sealed unsafe partial class CudaLosses
{
    public void ElementLossForward(
        LossFunction loss, Scalars scalars, long? divisor, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight,
        Tensor result)
    {
        LossArguments arguments =
            ArgumentsOf(scalars, divisor, x, targets, weight, positiveWeight) with { Loss = result.Address };
        if (divisor is null)
        {
            Launch("elementloss", loss.EachKernel, ElementGrid(x.Count), arguments);
        }
        else
        {
            Launch("elementloss", loss.SumKernel, SumGrid(x.Count), arguments);
        }
    }

    public void ElementLossBackward(
        LossFunction loss, Scalars scalars, long? divisor, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight,
        Tensor dLoss, Tensor dX,
        bool accumulate)
    {
        LossArguments arguments = ArgumentsOf(scalars, divisor, x, targets, weight, positiveWeight) with
        {
            DLoss = dLoss.Address,
            DX = dX.Address,
            Accumulate = accumulate ? 1 : 0,
        };
        Launch("elementloss", loss.BackwardKernel, ElementGrid(x.Count), arguments);
    }

    private LossArguments ArgumentsOf(
        Scalars scalars, long? divisor, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight) => new()
        {
            X = x.Address,
            Targets = targets.Address,
            Weight = AddressOf(weight),
            PositiveWeight = AddressOf(positiveWeight),
            Scratch = Sums,
            Count = x.Count,
            Divisor = divisor ?? 1,
            Scalars = scalars,
            Columns = x.Shape.Rank == 0 ? 1 : x.Shape[-1],
            PerElement = divisor is null ? 1 : 0,
        };

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct LossArguments(
        nint X, nint Targets, nint Weight, nint PositiveWeight, nint Loss, nint DLoss, nint DX, ScratchAddresses Scratch,
        long Count, double Divisor, Scalars Scalars, int Columns, int PerElement, int Accumulate);
}
