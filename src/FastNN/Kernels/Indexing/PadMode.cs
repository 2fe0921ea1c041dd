namespace FastNN;

/// <summary>What lies outside a tensor that is padded.</summary>
public enum PadMode
{
    /// <summary>One number.</summary>
    Constant,

    /// <summary>The elements mirrored at the border, which is not repeated: c b | a b c | b a.</summary>
    Reflect,

    /// <summary>The border's element: a a | a b c | c c.</summary>
    Replicate,

    /// <summary>The elements of the other end: b c | a b c | a b.</summary>
    Circular,
}
