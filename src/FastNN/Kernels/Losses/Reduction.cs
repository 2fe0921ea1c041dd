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
