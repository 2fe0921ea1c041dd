using FastNN.Layers;

namespace FastNN;

/// <summary>
/// The p-norm of each window of a sequence: (sum of x^p)^(1/p), as PyTorch's LPPool1d. [N, L, C] keeps its axes.
/// </summary>
/// <param name="norm">p, positive.</param>
/// <param name="kernel">The window's length.</param>
public sealed class LpPool1D(float norm, int kernel) : Layer
{
    /// <summary>From one window to the next; default the window's size.</summary>
    public int? Stride { get; init; }

    /// <summary>Round the output size up, as PyTorch's ceil_mode; default false.</summary>
    public bool CeilMode { get; init; }

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.LpPool1D(norm, kernel, Stride, CeilMode);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("norm", norm).Set("ceilMode", CeilMode);
        description.Set("kernel", kernel);
        if (Stride is { } stride)
        {
            description.Set("stride", stride);
        }
    }

    internal static LpPool1D Create(LayerDescription description) => new(
        description.Single("norm"), description.Int32("kernel"))
    {
        Name = description.Name,
        Stride = description.Has("stride") ? description.Int32("stride") : null,
        CeilMode = description.Boolean("ceilMode", false),
    };
}

/// <summary>
/// The p-norm of each window of an image: (sum of x^p)^(1/p), as PyTorch's LPPool2d. [N, H, W, C] keeps its axes.
/// </summary>
/// <param name="norm">p, positive.</param>
/// <param name="kernel">Rows and columns of the window.</param>
public sealed class LpPool2D(float norm, Size2D kernel) : Layer
{
    /// <summary>From one window to the next; default the window's size.</summary>
    public Size2D? Stride { get; init; }

    /// <summary>Round the output size up, as PyTorch's ceil_mode; default false.</summary>
    public bool CeilMode { get; init; }

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.LpPool2D(norm, kernel, Stride, CeilMode);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("norm", norm).Set("ceilMode", CeilMode);
        description.Set("kernel", kernel);
        if (Stride is { } stride)
        {
            description.Set("stride", stride);
        }
    }

    internal static LpPool2D Create(LayerDescription description) => new(description.Single("norm"), description.Size("kernel"))
    {
        Name = description.Name,
        Stride = description.Has("stride") ? description.Size("stride") : null,
        CeilMode = description.Boolean("ceilMode", false),
    };
}

/// <summary>
/// The p-norm of each window of a volume: (sum of x^p)^(1/p), as PyTorch's LPPool3d. [N, D, H, W, C] keeps its axes.
/// </summary>
/// <param name="norm">p, positive.</param>
/// <param name="kernel">Planes, rows and columns of the window.</param>
public sealed class LpPool3D(float norm, Size3D kernel) : Layer
{
    /// <summary>From one window to the next; default the window's size.</summary>
    public Size3D? Stride { get; init; }

    /// <summary>Round the output size up, as PyTorch's ceil_mode; default false.</summary>
    public bool CeilMode { get; init; }

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.LpPool3D(norm, kernel, Stride, CeilMode);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("norm", norm).Set("ceilMode", CeilMode);
        description.Set("kernel", kernel);
        if (Stride is { } stride)
        {
            description.Set("stride", stride);
        }
    }

    internal static LpPool3D Create(LayerDescription description) => new(
        description.Single("norm"), description.Volume("kernel"))
    {
        Name = description.Name,
        Stride = description.Has("stride") ? description.Volume("stride") : null,
        CeilMode = description.Boolean("ceilMode", false),
    };
}
