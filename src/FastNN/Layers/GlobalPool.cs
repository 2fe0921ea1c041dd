using FastNN.Layers;

namespace FastNN;

/// <summary>The mean of each channel over the sequence. [N, L, C] becomes [N, C].</summary>
/// <param name="keepAxes">Keep the axis with extent 1; default false.</param>
public sealed class GlobalAvgPool1D(bool keepAxes = false) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.GlobalAvgPool1D(keepAxes);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("keepAxes", keepAxes);
    }

    internal static GlobalAvgPool1D Create(LayerDescription description) =>
        new(description.Boolean("keepAxes", false)) { Name = description.Name };
}

/// <summary>The mean of each channel over the volume. [N, D, H, W, C] becomes [N, C].</summary>
/// <param name="keepAxes">Keep the three axes with extent 1; default false.</param>
public sealed class GlobalAvgPool3D(bool keepAxes = false) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.GlobalAvgPool3D(keepAxes);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("keepAxes", keepAxes);
    }

    internal static GlobalAvgPool3D Create(LayerDescription description) =>
        new(description.Boolean("keepAxes", false)) { Name = description.Name };
}

/// <summary>The maximum of each channel over the sequence. [N, L, C] becomes [N, C].</summary>
/// <param name="keepAxes">Keep the axis with extent 1; default false.</param>
public sealed class GlobalMaxPool1D(bool keepAxes = false) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.GlobalMaxPool1D(keepAxes);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("keepAxes", keepAxes);
    }

    internal static GlobalMaxPool1D Create(LayerDescription description) =>
        new(description.Boolean("keepAxes", false)) { Name = description.Name };
}

/// <summary>The maximum of each channel over the image. [N, H, W, C] becomes [N, C].</summary>
/// <param name="keepAxes">Keep the two axes with extent 1; default false.</param>
public sealed class GlobalMaxPool2D(bool keepAxes = false) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.GlobalMaxPool2D(keepAxes);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("keepAxes", keepAxes);
    }

    internal static GlobalMaxPool2D Create(LayerDescription description) =>
        new(description.Boolean("keepAxes", false)) { Name = description.Name };
}

/// <summary>The maximum of each channel over the volume. [N, D, H, W, C] becomes [N, C].</summary>
/// <param name="keepAxes">Keep the three axes with extent 1; default false.</param>
public sealed class GlobalMaxPool3D(bool keepAxes = false) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.GlobalMaxPool3D(keepAxes);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("keepAxes", keepAxes);
    }

    internal static GlobalMaxPool3D Create(LayerDescription description) =>
        new(description.Boolean("keepAxes", false)) { Name = description.Name };
}
