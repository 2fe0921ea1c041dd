namespace FastNN;

/// <summary>How a convolution or a pooling extends its input at the four borders.</summary>
public readonly record struct Padding2D
{
    private Padding2D(bool same, int top, int bottom, int left, int right)
    {
        IsSame = same;
        Top = top;
        Bottom = bottom;
        Left = left;
        Right = right;
    }

    /// <summary>No padding: windows lie wholly inside the input.</summary>
    public static Padding2D Valid => default;

    /// <summary>
    /// The rule of TensorFlow and Keras: the output has ceil(input / stride) positions, and where the padding is odd the
    /// extra row or column goes to the bottom or right. For stride 1 it is also PyTorch's <c>padding='same'</c>.
    /// </summary>
    public static Padding2D Same => new(true, 0, 0, 0, 0);

    /// <summary>True for <see cref="Same"/>: the four amounts then follow from the input's size.</summary>
    public bool IsSame { get; }

    /// <summary>Rows added above (0 for <see cref="Same"/>).</summary>
    public int Top { get; }

    /// <summary>Rows added below (0 for <see cref="Same"/>).</summary>
    public int Bottom { get; }

    /// <summary>Columns added at the left (0 for <see cref="Same"/>).</summary>
    public int Left { get; }

    /// <summary>Columns added at the right (0 for <see cref="Same"/>).</summary>
    public int Right { get; }

    /// <summary>The same number of rows above and below and of columns left and right.</summary>
    public static Padding2D Symmetric(int vertical, int horizontal) => new(false, vertical, vertical, horizontal, horizontal);

    /// <summary>Four separate amounts.</summary>
    public static Padding2D Explicit(int top, int bottom, int left, int right) => new(false, top, bottom, left, right);

    /// <summary>So many rows and columns on all four sides: <c>Padding = 1</c>.</summary>
    /// <param name="all">Rows above and below, columns left and right.</param>
    public static implicit operator Padding2D(int all) => FromInt32(all);

    /// <summary>Rows above and below, columns left and right: <c>Padding = (1, 0)</c>.</summary>
    /// <param name="amounts">Rows above and below, columns left and right.</param>
    public static implicit operator Padding2D((int Vertical, int Horizontal) amounts) => FromValueTuple(amounts);

    /// <summary>So many rows and columns on all four sides.</summary>
    /// <param name="all">Rows above and below, columns left and right.</param>
    /// <returns>The padding.</returns>
    public static Padding2D FromInt32(int all) => Symmetric(all, all);

    /// <summary>Rows above and below, columns left and right.</summary>
    /// <param name="amounts">Rows above and below, columns left and right.</param>
    /// <returns>The padding.</returns>
    public static Padding2D FromValueTuple((int Vertical, int Horizontal) amounts) =>
        Symmetric(amounts.Vertical, amounts.Horizontal);

    /// <inheritdoc/>
    public override string ToString() => IsSame ? "same"
        : this == Valid ? "valid"
        : $"top {Top}, bottom {Bottom}, left {Left}, right {Right}";
}
