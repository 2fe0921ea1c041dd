using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Connectionist temporal classification: one launch each way, a block per example.</summary>
internal sealed unsafe partial class CudaLosses
{
    /// <summary>The most threads that share an example's states.</summary>
    private const int CtcThreads = 256;

    public void CtcForward(in CtcOptions options, in CtcInputs inputs, in CtcScores scores, Tensor loss)
    {
        CtcArguments arguments = ArgumentsOf(options, inputs, scores) with { Loss = loss.Address };
        Launch("ctc", "ctc_forward", CtcGrid(arguments), arguments);
    }

    public void CtcBackward(
        in CtcOptions options, in CtcInputs inputs, in CtcScores scores, Tensor dLoss, Tensor dX, bool accumulate, Tensor rows,
        Tensor links)
    {
        CtcArguments arguments = ArgumentsOf(options, inputs, scores) with
        {
            DLoss = dLoss.Address,
            DX = dX.Address,
            Rows = rows.Address,
            Links = links.Address,
            Accumulate = accumulate ? 1 : 0,
        };
        Launch("ctc", "ctc_backward", CtcGrid(arguments), arguments);
    }

    private static Grid CtcGrid(CtcArguments arguments) =>
        new(arguments.Batch, Math.Min(CtcThreads, ((2 * arguments.Longest) + 1 + 31) / 32 * 32));

    private CtcArguments ArgumentsOf(in CtcOptions options, in CtcInputs inputs, in CtcScores scores) => new()
    {
        X = inputs.X.Address,
        Targets = inputs.Targets.Address,
        InputLengths = inputs.InputLengths.Address,
        TargetLengths = inputs.TargetLengths.Address,
        Alpha = scores.Alpha.Address,
        Likelihood = scores.Likelihood.Address,
        Scratch = Sums,
        Steps = inputs.X.Shape[0],
        Batch = inputs.X.Shape[1],
        Classes = inputs.X.Shape[2],
        Longest = inputs.Targets.Shape[1],
        Kept = scores.Alpha.Shape[1],
        Blank = options.Blank,
        Reduction = (int)options.Reduction,
        ZeroInfinity = options.ZeroInfinity ? 1 : 0,
    };

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct CtcArguments(
        nint X, nint Targets, nint InputLengths, nint TargetLengths, nint Alpha, nint Likelihood, nint Loss, nint DLoss, nint DX,
        nint Rows, nint Links, ScratchAddresses Scratch, int Steps, int Batch, int Classes, int Longest, int Kept, int Blank,
        int Reduction, int ZeroInfinity, int Accumulate, int Unused);
}
