using System.Runtime.InteropServices;

namespace FastNN.Kernels;

/// <summary>Where the rows of the heads lie in a tensor, in elements.</summary>
/// <param name="Offset">The first row's beginning.</param>
/// <param name="Batch">From one example to the next.</param>
/// <param name="Head">From one head to the next.</param>
/// <param name="Row">From one row to the next; the elements of a row are neighbors.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct HeadLayout(long Offset, long Batch, long Head, long Row);

/// <summary>What a mask says of a score.</summary>
internal enum MaskKind
{
    None,

    /// <summary>Bytes: 0 forbids the key.</summary>
    Allowed,

    /// <summary>Floats: added to the scaled score.</summary>
    Added,
}

/// <summary>Elements of a mask from one example, head, query and key to the next; 0 where it repeats.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct MaskLayout(long Batch, long Head, long Query, long Key);

/// <summary>
/// Scaled dot-product attention of [Batch, Heads, Queries, Width] over [Batch, KeyHeads, Keys, Width]. KeyHeads divides Heads:
/// neighboring heads share a head of keys and values.
/// </summary>
/// <param name="Scale">What products of queries and keys are multiplied with.</param>
/// <param name="Causal">Which keys a query sees by their places alone.</param>
internal sealed record AttentionGeometry(
    int Batch, int Heads, int KeyHeads, int Queries, int Keys, int Width, int ValueWidth, float Scale, CausalMask Causal,
    HeadLayout Query, HeadLayout Key, HeadLayout Value, HeadLayout Output, MaskKind MaskKind, MaskLayout Mask)
{
    /// <summary>Heads that share a head of keys and values.</summary>
    public int Group => Heads / KeyHeads;

    /// <summary>The keys that the last query may see, less the number of queries; int.MaxValue where all see all.</summary>
    /// <param name="keys">Keys that are valid.</param>
    public int Shift(int keys) => Causal switch
    {
        CausalMask.UpperLeft => 0,
        CausalMask.LowerRight => keys - Queries,
        _ => int.MaxValue / 2,
    };

    /// <summary>Multiplications of a product of scores.</summary>
    public double Work => (double)Batch * Heads * Queries * Keys * Math.Max(1, Width + ValueWidth);
}
