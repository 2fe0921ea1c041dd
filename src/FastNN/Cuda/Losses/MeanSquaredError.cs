using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Mean squared error, and the launches of all losses of single elements (kernels/losses.cuh).</summary>
internal sealed unsafe partial class CudaLosses
{
    public void MeanSquaredErrorForward(Reduction reduction, Tensor x, Tensor targets, Tensor loss) => ReduceLoss(
        "meansquarederror", reduction == Reduction.None ? "meansquarederror_forward_each" : "meansquarederror_forward_sum",
        reduction, x, targets, null, null, loss);

    public void MeanSquaredErrorBackward(Reduction reduction, Tensor x, Tensor targets, Tensor dLoss, Tensor dX, bool accumulate) =>
        SpreadLoss("meansquarederror", "meansquarederror_backward", reduction, x, targets, null, null, dLoss, dX, accumulate);

    /// <summary>loss = the elements' losses, or their sum or mean.</summary>
    private void ReduceLoss(
        string family, string kernel, Reduction reduction, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight, Tensor loss)
    {
        bool reduced = reduction != Reduction.None;
        if (reduced || x.Count > 0)
        {
            LossArguments arguments = ArgumentsOf(reduction, x, targets, weight, positiveWeight) with { Loss = loss.Address };
            Launch(family, kernel, reduced ? SumGrid(x.Count) : ElementGrid(x.Count), arguments);
        }
    }

    /// <summary>dX (=|+=) dLoss times the slopes, divided by the count for the mean.</summary>
    private void SpreadLoss(
        string family, string kernel, Reduction reduction, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight,
        Tensor dLoss, Tensor dX, bool accumulate)
    {
        if (x.Count > 0)
        {
            LossArguments arguments = ArgumentsOf(reduction, x, targets, weight, positiveWeight) with
            {
                DLoss = dLoss.Address,
                DX = dX.Address,
                Accumulate = accumulate ? 1 : 0,
            };
            Launch(family, kernel, ElementGrid(x.Count), arguments);
        }
    }

    private LossArguments ArgumentsOf(Reduction reduction, Tensor x, Tensor targets, Tensor? weight, Tensor? positiveWeight) => new()
    {
        X = x.Address,
        Targets = targets.Address,
        Weight = AddressOf(weight),
        PositiveWeight = AddressOf(positiveWeight),
        Scratch = Sums,
        Count = x.Count,
        Divisor = reduction == Reduction.Mean ? x.Count : 1,
        Columns = x.Shape.Rank == 0 ? 1 : x.Shape[-1],
        PerElement = reduction == Reduction.None ? 1 : 0,
    };

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct LossArguments(
        nint X, nint Targets, nint Weight, nint PositiveWeight, nint Loss, nint DLoss, nint DX, ScratchAddresses Scratch,
        long Count, double Divisor, int Columns, int PerElement, int Accumulate);
}
