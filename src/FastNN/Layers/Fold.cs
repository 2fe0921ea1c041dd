using FastNN.Layers;

namespace FastNN;

/// <summary>
/// The windows of images beside each other, PyTorch's Unfold with channels last: [N, H, W, C] becomes [N, OH * OW, KH * KW * C].
/// See <see cref="Operators.Unfold"/>.
/// </summary>
/// <param name="kernel">Rows and columns of a window: <c>3</c> or <c>(3, 1)</c>.</param>
public sealed class Unfold(Size2D kernel) : Layer
{
    /// <summary>Rows and columns between windows; default 1.</summary>
    public Size2D Stride { get; init; } = 1;

    /// <summary>Zeros around the images; default none.</summary>
    public Padding2D Padding { get; init; } = Padding2D.Valid;

    /// <summary>Rows and columns between a window's taps; default 1.</summary>
    public Size2D Dilation { get; init; } = 1;

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.Unfold(kernel, Stride, Padding, Dilation);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("kernel", kernel).SetWindow(Stride, Padding, Dilation);
    }

    internal static Unfold Create(LayerDescription description) => new(description.Size("kernel"))
    {
        Name = description.Name,
        Stride = description.Size("stride", 1),
        Padding = description.Padding(),
        Dilation = description.Size("dilation", 1),
    };
}

/// <summary>
/// Images as sums of windows, PyTorch's Fold with channels last: [N, OH * OW, KH * KW * C] becomes [N, H, W, C]. See
/// <see cref="Operators.Fold"/>.
/// </summary>
/// <param name="output">H and W of the images.</param>
/// <param name="kernel">Rows and columns of a window: <c>3</c> or <c>(3, 1)</c>.</param>
public sealed class Fold(Size2D output, Size2D kernel) : Layer
{
    /// <summary>Rows and columns between windows; default 1.</summary>
    public Size2D Stride { get; init; } = 1;

    /// <summary>Zeros around the images, which are cut off; default none.</summary>
    public Padding2D Padding { get; init; } = Padding2D.Valid;

    /// <summary>Rows and columns between a window's taps; default 1.</summary>
    public Size2D Dilation { get; init; } = 1;

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.Fold(output, kernel, Stride, Padding, Dilation);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("output", output).Set("kernel", kernel).SetWindow(Stride, Padding, Dilation);
    }

    internal static Fold Create(LayerDescription description) => new(description.Size("output"), description.Size("kernel"))
    {
        Name = description.Name,
        Stride = description.Size("stride", 1),
        Padding = description.Padding(),
        Dilation = description.Size("dilation", 1),
    };
}
