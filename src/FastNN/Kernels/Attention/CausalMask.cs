namespace FastNN;

/// <summary>Which keys a query sees by their places alone, as PyTorch's torch.nn.attention.bias names them.</summary>
public enum CausalMask
{
    /// <summary>All.</summary>
    None,

    /// <summary>Query i sees keys 0 to i (PyTorch's is_causal).</summary>
    UpperLeft,

    /// <summary>
    /// The last query sees the last key, the one before it all but that, and so on: queries that follow keys and values kept from
    /// before.
    /// </summary>
    LowerRight,
}
