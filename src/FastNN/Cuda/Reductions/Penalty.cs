using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>L1 and L2 penalties.</summary>
internal sealed unsafe partial class CudaReductions
{
    public void PenaltyForward(Tensor x, float l1, float l2, Tensor y) => Launch(
        "penalty", "penalty_forward", SumGrid(x.Count),
        new PenaltyArguments(x.Address, y.Address, 0, 0, Sums, x.Count, l1, l2, 0));

    public void PenaltyBackward(Tensor x, float l1, float l2, Tensor dY, Tensor dX, bool accumulate)
    {
        if (x.Count > 0)
        {
            var arguments = new PenaltyArguments(x.Address, 0, dY.Address, dX.Address, Sums, x.Count, l1, l2, accumulate ? 1 : 0);
            Launch("penalty", "penalty_backward", ElementGrid(x.Count), arguments);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct PenaltyArguments(
        nint X, nint Y, nint DY, nint DX, ScratchAddresses Scratch, long Count, float L1, float L2, int Accumulate);
}
