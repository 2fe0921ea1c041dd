namespace FastNN;

/// <summary>How the losses of a batch's elements become the loss.</summary>
public enum Reduction
{
    /// <summary>Their mean (weighted mean where classes have weights), as in PyTorch.</summary>
    Mean,

    /// <summary>Their sum.</summary>
    Sum,

    /// <summary>None: the loss keeps one number per element or example.</summary>
    None,
}

/// <summary>What all losses ask of a reduction.</summary>
internal static class Reductions
{
    /// <exception cref="ArgumentOutOfRangeException">It is not a member of the enumeration.</exception>
    public static Reduction Require(string loss, Reduction reduction) => Enum.IsDefined(reduction)
        ? reduction
        : throw new ArgumentOutOfRangeException(
            nameof(reduction), $"{loss}: expected a reduction of Mean, Sum or None, got {reduction}.");
}
