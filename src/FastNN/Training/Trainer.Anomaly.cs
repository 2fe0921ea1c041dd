namespace FastNN;

/// <content>
/// What a step that gives numbers which are not finite leaves behind, for those who look for their origin afterwards: steps that
/// succeed cost nothing more.
/// </content>
public sealed partial class Trainer
{
    /// <summary>The last step that failed; null where none did.</summary>
    internal FailedStep? Failed { get; private set; }

    /// <summary>Waits for the loss of the step that was begun on a batch.</summary>
    /// <param name="x">The batch's inputs.</param>
    /// <param name="targets">The bytes of its targets.</param>
    /// <param name="classIndices">Whether these are class indices.</param>
    /// <param name="adds">Whether the step only adds up gradients.</param>
    private float EndStep(ReadOnlySpan<float> x, ReadOnlySpan<byte> targets, bool classIndices, bool adds)
    {
        try
        {
            return adds ? _step!.EndAccumulating(Loss.Name) : _step!.EndStep(Loss.Name);
        }
        catch (NonFiniteLossException)
        {
            Failed = new FailedStep(x.ToArray(), targets.ToArray(), classIndices, _seed, _step!.RandomStep);
            throw;
        }
    }

    /// <summary>What a step was made on.</summary>
    /// <param name="X">The batch's inputs.</param>
    /// <param name="Targets">The bytes of its targets.</param>
    /// <param name="ClassIndices">Whether these are class indices.</param>
    /// <param name="Seed">Keys what dropout draws.</param>
    /// <param name="RandomStep">What it drew from.</param>
    internal sealed record FailedStep(float[] X, byte[] Targets, bool ClassIndices, ulong Seed, long RandomStep);
}
