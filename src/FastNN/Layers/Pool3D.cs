using FastNN.Layers;

namespace FastNN;

/// <summary>
/// The maximum of each window of a volume. [N, D, H, W, C] becomes [N, OD, OH, OW, C]. PyTorch's MaxPool3d.
/// </summary>
/// <param name="kernel">Planes, rows and columns of the window: <c>2</c> or <c>(1, 2, 2)</c>.</param>
public sealed class MaxPool3D(Size3D kernel) : Layer
{
    /// <summary>Planes, rows and columns between windows; default the window's size.</summary>
    public Size3D? Stride { get; init; }

    /// <summary>How the six faces are extended; default valid. Padding never wins.</summary>
    public Padding3D Padding { get; init; } = Padding3D.Valid;

    /// <summary>Round the output size up, as PyTorch's ceil_mode; default false.</summary>
    public bool CeilMode { get; init; }

    /// <summary>Planes, rows and columns from one element of the window to the next; default 1.</summary>
    public Size3D Dilation { get; init; } = 1;

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.MaxPool3D(kernel, Stride, Padding, Dilation, CeilMode);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description) =>
        description.SetVolumePool(kernel, Stride, Padding, CeilMode).Set("dilation", Dilation);

    internal static MaxPool3D Create(LayerDescription description) => new(description.Volume("kernel"))
    {
        Name = description.Name,
        Stride = description.Has("stride") ? description.Volume("stride") : null,
        Padding = description.Faces(),
        CeilMode = description.Boolean("ceilMode", false),
        Dilation = description.Volume("dilation"),
    };
}

/// <summary>
/// The mean of each window of a volume. [N, D, H, W, C] becomes [N, OD, OH, OW, C]. PyTorch's AvgPool3d.
/// </summary>
/// <param name="kernel">Planes, rows and columns of the window: <c>2</c> or <c>(1, 2, 2)</c>.</param>
public sealed class AvgPool3D(Size3D kernel) : Layer
{
    /// <summary>Planes, rows and columns between windows; default the window's size.</summary>
    public Size3D? Stride { get; init; }

    /// <summary>How the six faces are extended; default valid.</summary>
    public Padding3D Padding { get; init; } = Padding3D.Valid;

    /// <summary>Round the output size up, as PyTorch's ceil_mode; default false.</summary>
    public bool CeilMode { get; init; }

    /// <summary>Whether padding counts as zeros; default true (PyTorch).</summary>
    public bool CountIncludePad { get; init; } = true;

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.AvgPool3D(kernel, Stride, Padding, CeilMode, CountIncludePad);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description) =>
        description.SetVolumePool(kernel, Stride, Padding, CeilMode).Set("countIncludePad", CountIncludePad);

    internal static AvgPool3D Create(LayerDescription description) => new(description.Volume("kernel"))
    {
        Name = description.Name,
        Stride = description.Has("stride") ? description.Volume("stride") : null,
        Padding = description.Faces(),
        CeilMode = description.Boolean("ceilMode", false),
        CountIncludePad = description.Boolean("countIncludePad", true),
    };
}
