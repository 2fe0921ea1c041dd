namespace FastNN;

/// <summary>The maximum of each window. [N, H, W, C] becomes [N, OH, OW, C].</summary>
/// <param name="kernel">Rows and columns of the window.</param>
public sealed class MaxPool2D((int Rows, int Columns) kernel) : Layer
{
    /// <summary>A pooling with a square window.</summary>
    /// <param name="kernel">Rows and columns of the window.</param>
    public MaxPool2D(int kernel)
        : this((kernel, kernel))
    {
    }

    /// <summary>Rows and columns between windows; default the window's size.</summary>
    public (int Rows, int Columns)? Stride { get; init; }

    /// <summary>How the borders are extended; default valid. Padding never wins.</summary>
    public Padding2D Padding { get; init; } = Padding2D.Valid;

    /// <summary>Round the output size up, as PyTorch's ceil_mode; default false.</summary>
    public bool CeilMode { get; init; }

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.MaxPool2D(kernel, Stride, Padding, null, CeilMode);
}

/// <summary>The mean of each window. [N, H, W, C] becomes [N, OH, OW, C].</summary>
/// <param name="kernel">Rows and columns of the window.</param>
public sealed class AvgPool2D((int Rows, int Columns) kernel) : Layer
{
    /// <summary>A pooling with a square window.</summary>
    /// <param name="kernel">Rows and columns of the window.</param>
    public AvgPool2D(int kernel)
        : this((kernel, kernel))
    {
    }

    /// <summary>Rows and columns between windows; default the window's size.</summary>
    public (int Rows, int Columns)? Stride { get; init; }

    /// <summary>How the borders are extended; default valid.</summary>
    public Padding2D Padding { get; init; } = Padding2D.Valid;

    /// <summary>Round the output size up, as PyTorch's ceil_mode; default false.</summary>
    public bool CeilMode { get; init; }

    /// <summary>Whether padding counts as zeros; default true (PyTorch).</summary>
    public bool CountIncludePad { get; init; } = true;

    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.AvgPool2D(kernel, Stride, Padding, CeilMode, CountIncludePad);
}

/// <summary>The mean of each channel over the image. [N, H, W, C] becomes [N, C].</summary>
/// <param name="keepAxes">Keep the two axes with extent 1; default false.</param>
public sealed class GlobalAvgPool2D(bool keepAxes = false) : Layer
{
    /// <inheritdoc/>
    protected override Value Forward(Value x) => x.GlobalAvgPool2D(keepAxes);
}
