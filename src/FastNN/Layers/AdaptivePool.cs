using FastNN.Layers;

namespace FastNN;

/// <summary>
/// The mean of each of a given number of bins of a sequence, as PyTorch's AdaptiveAvgPool1d. [N, L, C] becomes
/// [N, size, C].
/// </summary>
/// <param name="size">Bins.</param>
public sealed class AdaptiveAvgPool1D(int size) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.AdaptiveAvgPool1D(size);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("size", size);
    }

    internal static AdaptiveAvgPool1D Create(LayerDescription description) =>
        new(description.Int32("size")) { Name = description.Name };
}

/// <summary>
/// The mean of each of a given number of bins of an image, as PyTorch's AdaptiveAvgPool2d. [N, H, W, C] becomes
/// [N, rows, columns, C].
/// </summary>
/// <param name="size">Rows and columns of bins.</param>
public sealed class AdaptiveAvgPool2D(Size2D size) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.AdaptiveAvgPool2D(size);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("size", size);
    }

    internal static AdaptiveAvgPool2D Create(LayerDescription description) =>
        new(description.Size("size")) { Name = description.Name };
}

/// <summary>
/// The mean of each of a given number of bins of a volume, as PyTorch's AdaptiveAvgPool3d. [N, D, H, W, C] becomes
/// [N, planes, rows, columns, C].
/// </summary>
/// <param name="size">Planes, rows and columns of bins.</param>
public sealed class AdaptiveAvgPool3D(Size3D size) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.AdaptiveAvgPool3D(size);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("size", size);
    }

    internal static AdaptiveAvgPool3D Create(LayerDescription description) =>
        new(description.Volume("size")) { Name = description.Name };
}

/// <summary>
/// The maximum of each of a given number of bins of a sequence, as PyTorch's AdaptiveMaxPool1d. [N, L, C] becomes
/// [N, size, C].
/// </summary>
/// <param name="size">Bins.</param>
public sealed class AdaptiveMaxPool1D(int size) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.AdaptiveMaxPool1D(size);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("size", size);
    }

    internal static AdaptiveMaxPool1D Create(LayerDescription description) =>
        new(description.Int32("size")) { Name = description.Name };
}

/// <summary>
/// The maximum of each of a given number of bins of an image, as PyTorch's AdaptiveMaxPool2d. [N, H, W, C] becomes
/// [N, rows, columns, C].
/// </summary>
/// <param name="size">Rows and columns of bins.</param>
public sealed class AdaptiveMaxPool2D(Size2D size) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.AdaptiveMaxPool2D(size);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("size", size);
    }

    internal static AdaptiveMaxPool2D Create(LayerDescription description) =>
        new(description.Size("size")) { Name = description.Name };
}

/// <summary>
/// The maximum of each of a given number of bins of a volume, as PyTorch's AdaptiveMaxPool3d. [N, D, H, W, C] becomes
/// [N, planes, rows, columns, C].
/// </summary>
/// <param name="size">Planes, rows and columns of bins.</param>
public sealed class AdaptiveMaxPool3D(Size3D size) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.AdaptiveMaxPool3D(size);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("size", size);
    }

    internal static AdaptiveMaxPool3D Create(LayerDescription description) =>
        new(description.Volume("size")) { Name = description.Name };
}
