using FastNN.Layers;

namespace FastNN;

/// <summary>The maximum of each window. [N, H, W, C] becomes [N, OH, OW, C].</summary>
/// <param name="kernel">Rows and columns of the window: <c>2</c> or <c>(2, 1)</c>.</param>
public sealed class MaxPool2D(Size2D kernel) : Layer
{
    /// <summary>Rows and columns between windows; default the window's size.</summary>
    public Size2D? Stride { get; init; }

    /// <summary>How the borders are extended; default valid. Padding never wins.</summary>
    public Padding2D Padding { get; init; } = Padding2D.Valid;

    /// <summary>Round the output size up, as PyTorch's ceil_mode; default false.</summary>
    public bool CeilMode { get; init; }

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.MaxPool2D(kernel, Stride, Padding, null, CeilMode);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description) =>
        description.SetPool(kernel, Stride, Padding, CeilMode);

    internal static MaxPool2D Create(LayerDescription description) => new(description.Size("kernel"))
    {
        Name = description.Name,
        Stride = description.Has("stride") ? description.Size("stride") : null,
        Padding = description.Padding(),
        CeilMode = description.Boolean("ceilMode", false),
    };
}

/// <summary>The mean of each window. [N, H, W, C] becomes [N, OH, OW, C].</summary>
/// <param name="kernel">Rows and columns of the window: <c>2</c> or <c>(2, 1)</c>.</param>
public sealed class AvgPool2D(Size2D kernel) : Layer
{
    /// <summary>Rows and columns between windows; default the window's size.</summary>
    public Size2D? Stride { get; init; }

    /// <summary>How the borders are extended; default valid.</summary>
    public Padding2D Padding { get; init; } = Padding2D.Valid;

    /// <summary>Round the output size up, as PyTorch's ceil_mode; default false.</summary>
    public bool CeilMode { get; init; }

    /// <summary>Whether padding counts as zeros; default true (PyTorch).</summary>
    public bool CountIncludePad { get; init; } = true;

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.AvgPool2D(kernel, Stride, Padding, CeilMode, CountIncludePad);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description) =>
        description.SetPool(kernel, Stride, Padding, CeilMode).Set("countIncludePad", CountIncludePad);

    internal static AvgPool2D Create(LayerDescription description) => new(description.Size("kernel"))
    {
        Name = description.Name,
        Stride = description.Has("stride") ? description.Size("stride") : null,
        Padding = description.Padding(),
        CeilMode = description.Boolean("ceilMode", false),
        CountIncludePad = description.Boolean("countIncludePad", true),
    };
}

/// <summary>The mean of each channel over the image. [N, H, W, C] becomes [N, C].</summary>
/// <param name="keepAxes">Keep the two axes with extent 1; default false.</param>
public sealed class GlobalAvgPool2D(bool keepAxes = false) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.GlobalAvgPool2D(keepAxes);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        if (keepAxes)
        {
            description.Set("keepAxes", keepAxes);
        }
    }

    internal static GlobalAvgPool2D Create(LayerDescription description) =>
        new(description.Boolean("keepAxes", false)) { Name = description.Name };
}
