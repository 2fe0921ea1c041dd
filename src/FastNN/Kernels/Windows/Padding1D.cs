namespace FastNN;

/// <summary>How a one-dimensional convolution or pooling extends its input at both ends.</summary>
public readonly record struct Padding1D
{
    private Padding1D(bool same, int left, int right)
    {
        IsSame = same;
        Left = left;
        Right = right;
    }

    /// <summary>No padding: windows lie wholly inside the input.</summary>
    public static Padding1D Valid => default;

    /// <summary>
    /// The rule of TensorFlow and Keras: ceil(length / stride) positions, the larger half of an odd padding behind. For stride 1
    /// it is also PyTorch's <c>padding='same'</c>.
    /// </summary>
    public static Padding1D Same => new(true, 0, 0);

    /// <summary>True for <see cref="Same"/>: the amounts then follow from the input's length.</summary>
    public bool IsSame { get; }

    /// <summary>Positions added in front (0 for <see cref="Same"/>).</summary>
    public int Left { get; }

    /// <summary>Positions added behind (0 for <see cref="Same"/>).</summary>
    public int Right { get; }

    /// <summary>Two separate amounts.</summary>
    /// <param name="left">Positions in front.</param>
    /// <param name="right">Positions behind.</param>
    /// <returns>The padding.</returns>
    public static Padding1D Explicit(int left, int right) => new(false, left, right);

    /// <summary>So many positions at both ends: <c>Padding = 1</c>.</summary>
    /// <param name="both">Positions in front and behind.</param>
    public static implicit operator Padding1D(int both) => FromInt32(both);

    /// <summary>So many positions at both ends.</summary>
    /// <param name="both">Positions in front and behind.</param>
    /// <returns>The padding.</returns>
    public static Padding1D FromInt32(int both) => Explicit(both, both);

    /// <inheritdoc/>
    public override string ToString() => IsSame ? "same" : this == Valid ? "valid" : $"left {Left}, right {Right}";
}
