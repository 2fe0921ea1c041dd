using FastNN.Layers;

namespace FastNN;

/// <summary>The maximum of each window of a sequence. [N, L, C] becomes [N, OL, C]. PyTorch's MaxPool1d.</summary>
/// <param name="kernel">The window's length.</param>
public sealed class MaxPool1D(int kernel) : Layer
{
    /// <summary>Positions between windows; default the window's length.</summary>
    public int? Stride { get; init; }

    /// <summary>Positions added on both sides; default 0. Padding never wins.</summary>
    public int Padding { get; init; }

    /// <summary>Round the output size up, as PyTorch's ceil_mode; default false.</summary>
    public bool CeilMode { get; init; }

    /// <summary>Positions from one element of the window to the next; default 1.</summary>
    public int Dilation { get; init; } = 1;

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.MaxPool1D(kernel, Stride, Padding, Dilation, CeilMode);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description) =>
        description.SetRowPool(kernel, Stride, Padding, CeilMode).Set("dilation", Dilation);

    internal static MaxPool1D Create(LayerDescription description) => new(description.Int32("kernel"))
    {
        Name = description.Name,
        Stride = description.Has("stride") ? description.Int32("stride") : null,
        Padding = description.Int32("padding", 0),
        CeilMode = description.Boolean("ceilMode", false),
        Dilation = description.Int32("dilation", 1),
    };
}

/// <summary>The mean of each window of a sequence. [N, L, C] becomes [N, OL, C]. PyTorch's AvgPool1d.</summary>
/// <param name="kernel">The window's length.</param>
public sealed class AvgPool1D(int kernel) : Layer
{
    /// <summary>Positions between windows; default the window's length.</summary>
    public int? Stride { get; init; }

    /// <summary>Positions added on both sides; default 0.</summary>
    public int Padding { get; init; }

    /// <summary>Round the output size up, as PyTorch's ceil_mode; default false.</summary>
    public bool CeilMode { get; init; }

    /// <summary>Whether padding counts as zeros; default true (PyTorch).</summary>
    public bool CountIncludePad { get; init; } = true;

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.AvgPool1D(kernel, Stride, Padding, CeilMode, CountIncludePad);

    /// <inheritdoc/>
    protected internal override void Describe(LayerDescription description) =>
        description.SetRowPool(kernel, Stride, Padding, CeilMode).Set("countIncludePad", CountIncludePad);

    internal static AvgPool1D Create(LayerDescription description) => new(description.Int32("kernel"))
    {
        Name = description.Name,
        Stride = description.Has("stride") ? description.Int32("stride") : null,
        Padding = description.Int32("padding", 0),
        CeilMode = description.Boolean("ceilMode", false),
        CountIncludePad = description.Boolean("countIncludePad", true),
    };
}
