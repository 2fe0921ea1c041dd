using FastNN.Graphs;
using FastNN.Kernels;

namespace FastNN;

/// <summary>
/// Pooling into a given number of bins, as PyTorch's adaptive pooling: output i of O takes the inputs floor(i I / O) up to, not
/// including, ceil((i + 1) I / O), so that bins may overlap and differ by one.
/// </summary>
public static class AdaptivePoolingOperators
{
    /// <summary>The mean of each bin of a sequence.</summary>
    /// <param name="x">[N, L, C], of numbers but for N and C.</param>
    /// <param name="size">Bins.</param>
    /// <returns>[N, size, C].</returns>
    /// <exception cref="ShapeException">x is not a batch of sequences, or the size is not positive.</exception>
    public static Value AdaptiveAvgPool1D(this Value x, int size) => Mean("AdaptiveAvgPool1D", x, size);

    /// <summary>The mean of each bin of an image.</summary>
    /// <param name="x">[N, H, W, C], of numbers but for N and C.</param>
    /// <param name="size">Rows and columns of bins.</param>
    /// <returns>[N, rows, columns, C].</returns>
    /// <exception cref="ShapeException">x is not a batch of images, or a size is not positive.</exception>
    public static Value AdaptiveAvgPool2D(this Value x, Size2D size) => Mean("AdaptiveAvgPool2D", x, size.Rows, size.Columns);

    /// <summary>The mean of each bin of a volume.</summary>
    /// <param name="x">[N, D, H, W, C], of numbers but for N and C.</param>
    /// <param name="size">Planes, rows and columns of bins.</param>
    /// <returns>[N, planes, rows, columns, C].</returns>
    /// <exception cref="ShapeException">x is not a batch of volumes, or a size is not positive.</exception>
    public static Value AdaptiveAvgPool3D(this Value x, Size3D size) =>
        Mean("AdaptiveAvgPool3D", x, size.Planes, size.Rows, size.Columns);

    /// <summary>The maximum of each bin of a sequence.</summary>
    /// <param name="x">[N, L, C], of numbers but for N and C.</param>
    /// <param name="size">Bins.</param>
    /// <returns>[N, size, C].</returns>
    /// <exception cref="ShapeException">x is not a batch of sequences, or the size is not positive.</exception>
    public static Value AdaptiveMaxPool1D(this Value x, int size) => Maximum("AdaptiveMaxPool1D", x, size);

    /// <summary>The maximum of each bin of an image.</summary>
    /// <param name="x">[N, H, W, C], of numbers but for N and C.</param>
    /// <param name="size">Rows and columns of bins.</param>
    /// <returns>[N, rows, columns, C].</returns>
    /// <exception cref="ShapeException">x is not a batch of images, or a size is not positive.</exception>
    public static Value AdaptiveMaxPool2D(this Value x, Size2D size) => Maximum("AdaptiveMaxPool2D", x, size.Rows, size.Columns);

    /// <summary>The maximum of each bin of a volume.</summary>
    /// <param name="x">[N, D, H, W, C], of numbers but for N and C.</param>
    /// <param name="size">Planes, rows and columns of bins.</param>
    /// <returns>[N, planes, rows, columns, C].</returns>
    /// <exception cref="ShapeException">x is not a batch of volumes, or a size is not positive.</exception>
    public static Value AdaptiveMaxPool3D(this Value x, Size3D size) =>
        Maximum("AdaptiveMaxPool3D", x, size.Planes, size.Rows, size.Columns);

    /// <summary>As <see cref="AdaptiveMaxPool1D"/>, with the position of each maximum along L.</summary>
    /// <param name="x">[N, L, C], of numbers but for N and C.</param>
    /// <param name="size">Bins.</param>
    /// <returns>[N, size, C], and Int32 positions of the same shape, which have no gradient.</returns>
    /// <exception cref="ShapeException">x is not a batch of sequences, or the size is not positive.</exception>
    public static (Value Y, Value Indices) AdaptiveMaxPool1DWithIndices(this Value x, int size) =>
        Max("AdaptiveMaxPool1DWithIndices", x, size);

    /// <summary>As <see cref="AdaptiveMaxPool2D"/>, with the position h W + w of each maximum.</summary>
    /// <param name="x">[N, H, W, C], of numbers but for N and C.</param>
    /// <param name="size">Rows and columns of bins.</param>
    /// <returns>[N, rows, columns, C], and Int32 positions of the same shape, which have no gradient.</returns>
    /// <exception cref="ShapeException">x is not a batch of images, or a size is not positive.</exception>
    public static (Value Y, Value Indices) AdaptiveMaxPool2DWithIndices(this Value x, Size2D size) =>
        Max("AdaptiveMaxPool2DWithIndices", x, size.Rows, size.Columns);

    /// <summary>As <see cref="AdaptiveMaxPool3D"/>, with the position (d H + h) W + w of each maximum.</summary>
    /// <param name="x">[N, D, H, W, C], of numbers but for N and C.</param>
    /// <param name="size">Planes, rows and columns of bins.</param>
    /// <returns>[N, planes, rows, columns, C], and Int32 positions of the same shape, which have no gradient.</returns>
    /// <exception cref="ShapeException">x is not a batch of volumes, or a size is not positive.</exception>
    public static (Value Y, Value Indices) AdaptiveMaxPool3DWithIndices(this Value x, Size3D size) =>
        Max("AdaptiveMaxPool3DWithIndices", x, size.Planes, size.Rows, size.Columns);

    private static Value Mean(string name, Value x, params int[] sizes)
    {
        int[] extents = Extents(name, x, sizes);
        return Window(extents, sizes) is not { } window
            ? WindowRecorder.Sum(name, x, Bins(extents, sizes, mean: true))
            : x.Graph.Compose(() => sizes.Length == 1 ? x.AvgPool1D(window.Columns) : x.AvgPool2D(window), name);
    }

    private static Value Maximum(string name, Value x, params int[] sizes)
    {
        int[] extents = Extents(name, x, sizes);
        return Window(extents, sizes) is not { } window || window.Rows * (long)window.Columns > ushort.MaxValue
            ? WindowRecorder.Max(name, x, Bins(extents, sizes, mean: false)).Y
            : x.Graph.Compose(() => sizes.Length == 1 ? x.MaxPool1D(window.Columns) : x.MaxPool2D(window), name);
    }

    private static (Value Y, Value Indices) Max(string name, Value x, params int[] sizes) =>
        WindowRecorder.Max(name, x, Bins(Extents(name, x, sizes), sizes, mean: false));

    private static Bands[] Bins(int[] extents, int[] sizes, bool mean) =>
        [.. extents.Zip(sizes, (extent, size) => Bands.Bins(extent, size, mean))];

    /// <summary>Plain windows, where bins tile a sequence or an image.</summary>
    private static Size2D? Window(int[] extents, int[] sizes) =>
        sizes.Length > 2 || extents.Zip(sizes).Any(axis => axis.First % axis.Second != 0) ? null
        : (sizes.Length == 1 ? 1 : extents[0] / sizes[0], extents[^1] / sizes[^1]);

    private static int[] Extents(string name, Value x, int[] sizes)
    {
        int[] extents = WindowRecorder.Extents(name, x, sizes.Length);
        if (!Array.TrueForAll(sizes, size => size > 0))
        {
            throw new ShapeException(
                $"{name}: expected positive sizes for the output of {x.Shape}, got {string.Join(" x ", sizes)}.");
        }

        WindowRecorder.RequireCount(name, x, sizes);
        return extents;
    }
}
