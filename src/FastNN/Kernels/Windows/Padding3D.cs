namespace FastNN;

/// <summary>How a three-dimensional convolution or pooling extends its input at its six faces.</summary>
public readonly record struct Padding3D
{
    private Padding3D(bool same, (int Before, int After) depth, (int Before, int After) height, (int Before, int After) width)
    {
        IsSame = same;
        (Front, Back) = depth;
        (Top, Bottom) = height;
        (Left, Right) = width;
    }

    /// <summary>No padding: windows lie wholly inside the input.</summary>
    public static Padding3D Valid => default;

    /// <summary>
    /// The rule of TensorFlow and Keras: ceil(input / stride) positions along each axis, the larger half of an odd padding
    /// behind. For stride 1 it is also PyTorch's <c>padding='same'</c>.
    /// </summary>
    public static Padding3D Same => new(true, default, default, default);

    /// <summary>True for <see cref="Same"/>: the amounts then follow from the input's size.</summary>
    public bool IsSame { get; }

    /// <summary>Planes added in front (0 for <see cref="Same"/>).</summary>
    public int Front { get; }

    /// <summary>Planes added behind (0 for <see cref="Same"/>).</summary>
    public int Back { get; }

    /// <summary>Rows added above (0 for <see cref="Same"/>).</summary>
    public int Top { get; }

    /// <summary>Rows added below (0 for <see cref="Same"/>).</summary>
    public int Bottom { get; }

    /// <summary>Columns added at the left (0 for <see cref="Same"/>).</summary>
    public int Left { get; }

    /// <summary>Columns added at the right (0 for <see cref="Same"/>).</summary>
    public int Right { get; }

    /// <summary>The same number of planes in front and behind, of rows above and below and of columns left and right.</summary>
    /// <param name="depth">Planes.</param>
    /// <param name="vertical">Rows.</param>
    /// <param name="horizontal">Columns.</param>
    /// <returns>The padding.</returns>
    public static Padding3D Symmetric(int depth, int vertical, int horizontal) =>
        new(false, (depth, depth), (vertical, vertical), (horizontal, horizontal));

    /// <summary>Six separate amounts.</summary>
    /// <param name="front">Planes in front.</param>
    /// <param name="back">Planes behind.</param>
    /// <param name="top">Rows above.</param>
    /// <param name="bottom">Rows below.</param>
    /// <param name="left">Columns at the left.</param>
    /// <param name="right">Columns at the right.</param>
    /// <returns>The padding.</returns>
    public static Padding3D Explicit(int front, int back, int top, int bottom, int left, int right) =>
        new(false, (front, back), (top, bottom), (left, right));

    /// <summary>So much on all six faces: <c>Padding = 1</c>.</summary>
    /// <param name="all">Planes, rows and columns, before and behind.</param>
    public static implicit operator Padding3D(int all) => FromInt32(all);

    /// <summary>Planes, rows and columns, each before and behind: <c>Padding = (0, 1, 1)</c>.</summary>
    /// <param name="amounts">Planes, rows and columns.</param>
    public static implicit operator Padding3D((int Depth, int Vertical, int Horizontal) amounts) => FromValueTuple(amounts);

    /// <summary>So much on all six faces.</summary>
    /// <param name="all">Planes, rows and columns, before and behind.</param>
    /// <returns>The padding.</returns>
    public static Padding3D FromInt32(int all) => Symmetric(all, all, all);

    /// <summary>Planes, rows and columns, each before and behind.</summary>
    /// <param name="amounts">Planes, rows and columns.</param>
    /// <returns>The padding.</returns>
    public static Padding3D FromValueTuple((int Depth, int Vertical, int Horizontal) amounts) =>
        Symmetric(amounts.Depth, amounts.Vertical, amounts.Horizontal);

    /// <inheritdoc/>
    public override string ToString() => IsSame ? "same"
        : this == Valid ? "valid"
        : $"front {Front}, back {Back}, top {Top}, bottom {Bottom}, left {Left}, right {Right}";
}
