using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>Options of connectionist temporal classification.</summary>
/// <param name="Blank">The class between labels.</param>
/// <param name="Reduction">Mean divides each example's loss by its target's length (at least 1) and takes the mean of
/// these.</param>
/// <param name="ZeroInfinity">Examples whose targets do not fit into their inputs count nothing instead of infinity.</param>
internal readonly record struct CtcOptions(int Blank, Reduction Reduction, bool ZeroInfinity);

/// <summary>
/// Its inputs: x [T, N, C], targets Int32 [N, S], lengths of inputs and of targets Int32 [N] each. Targets are 0 to C - 1 and not
/// the blank up to their length; lengths are 0 to T and 0 to S.
/// </summary>
internal readonly record struct CtcInputs(Tensor X, Tensor Targets, Tensor InputLengths, Tensor TargetLengths);

/// <summary>What forward leaves for backward.</summary>
/// <param name="Alpha">[N, R, 2 S + 3]: forward scores of R steps, T of them where there is a backward pass, else 2.</param>
/// <param name="Likelihood">[N]: the logarithms of the targets' probabilities.</param>
/// <param name="Rows">[N, 2, 2 S + 3]: the device's own.</param>
internal readonly record struct CtcScores(Tensor Alpha, Tensor Likelihood, Tensor Rows);

internal partial interface ILosses
{
    /// <summary>
    /// loss ([] or [N]) = the negative logarithm of the probability of all alignments of the targets with x, which is
    /// log-probabilities. An example with a length or target that is out of range has the loss NaN and the gradient 0.
    /// </summary>
    void CtcForward(in CtcOptions options, in CtcInputs inputs, in CtcScores scores, Tensor loss);

    /// <summary>dX (=|+=) dLoss ([] or [N]) times the gradient of x.</summary>
    /// <param name="rows">Scratch, Float32 [N, 3, 2 S + 3].</param>
    /// <param name="links">Scratch, Int32 [N, S].</param>
    void CtcBackward(
        in CtcOptions options, in CtcInputs inputs, in CtcScores scores, Tensor dLoss, Tensor dX, bool accumulate, Tensor rows,
        Tensor links);
}
