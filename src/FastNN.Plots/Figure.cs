using System.Globalization;
using System.Text;
using FastNN.Formats;
using ScottPlot;
using ScottPlot.MultiplotLayouts;
using SkiaSharp;

namespace FastNN.Plots;

/// <summary>
/// One picture of one or more plots, to be saved as PNG or SVG. <see cref="Panels"/> are ScottPlot's own plots, for changes that
/// no option here has. Not safe for concurrent use.
/// </summary>
public sealed class Figure : IDisposable
{
    private const int MostPixels = 16_384;

    private readonly Multiplot _plots = new();
    private readonly List<Plot> _panels = [];

    internal Figure(int panels = 1, int columns = 1)
    {
        int rows = (panels + columns - 1) / columns;
        while (_plots.Subplots.Count > 0)
        {
            _plots.Subplots.RemoveAt(0);
        }

        for (int i = 0; i < panels; i++)
        {
            var plot = new Plot();
            PlotStyle.Apply(plot);
            _plots.Subplots.Add(plot);
            _panels.Add(plot);
        }

        _plots.Layout = new Grid(rows, columns);
        (Width, Height) = panels == 1 ? (800, 600) : (Math.Min(400 * columns, 1600), Math.Min(300 * rows, 2400));
    }

    /// <summary>The plots, row by row.</summary>
    public IReadOnlyList<Plot> Panels => _panels;

    /// <summary>Pixels across where none are given.</summary>
    public int Width { get; internal init; }

    /// <summary>Pixels down where none are given.</summary>
    public int Height { get; internal init; }

    internal Plot Plot => _panels[0];

    /// <summary>Saves the figure; the file appears whole or not at all.</summary>
    /// <param name="path">A name that ends in .png or .svg.</param>
    /// <param name="width">Pixels, 16 to 16,384; null (default) for <see cref="Width"/>.</param>
    /// <param name="height">Pixels, likewise; null (default) for <see cref="Height"/>.</param>
    /// <exception cref="ArgumentException">The name has another ending.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size is out of range.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path, int? width = null, int? height = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        byte[] file = Path.GetExtension(path).ToUpperInvariant() switch
        {
            ".PNG" => ToPng(width, height),
            ".SVG" => ToSvg(width, height),
            _ => throw new ArgumentException(
                $"Figure: expected a file name that ends in .png or .svg, got {path}.", nameof(path)),
        };
        AtomicFile.Write(path, stream => stream.Write(file));
    }

    /// <summary>The bytes of a PNG file.</summary>
    /// <inheritdoc cref="Save"/>
    /// <returns>The file.</returns>
    public byte[] ToPng(int? width = null, int? height = null)
    {
        (int across, int down) = Size(width, height);
        using SKSurface surface = SKSurface.Create(new SKImageInfo(across, down))
            ?? throw new InvalidOperationException($"Figure: cannot make an image of {across}x{down} pixels.");
        Render(surface.Canvas, across, down);
        using SKImage image = surface.Snapshot();
        using SKData data = image.Encode(SKEncodedImageFormat.Png, quality: 100);
        return data.ToArray();
    }

    /// <summary>The bytes of an SVG file.</summary>
    /// <inheritdoc cref="Save"/>
    /// <returns>The file.</returns>
    public byte[] ToSvg(int? width = null, int? height = null)
    {
        (int across, int down) = Size(width, height);
        using var stream = new MemoryStream();
        using (SKCanvas canvas = SKSvgCanvas.Create(new SKRect(0, 0, across, down), stream))
        {
            Render(canvas, across, down);
        }

        // Browsers would blur the cells of a heat map into each other.
        string text = Encoding.UTF8.GetString(stream.GetBuffer().AsSpan(0, (int)stream.Length));
        return Encoding.UTF8.GetBytes(
            text.Replace("<image ", "<image style=\"image-rendering:pixelated\" ", StringComparison.Ordinal));
    }

    /// <summary>Frees the plots.</summary>
    public void Dispose()
    {
        foreach (Plot plot in _panels)
        {
            plot.Dispose();
        }
    }

    private void Render(SKCanvas canvas, int width, int height)
    {
        canvas.Clear(SKColors.White);
        _plots.Render(canvas, new PixelRect(0, width, height, 0));
    }

    private (int Width, int Height) Size(int? width, int? height) =>
        (Require(width ?? Width, nameof(width)), Require(height ?? Height, nameof(height)));

    private static int Require(int pixels, string name) => pixels is >= 16 and <= MostPixels
        ? pixels
        : throw new ArgumentOutOfRangeException(
            name, string.Create(
                CultureInfo.InvariantCulture, $"Figure: expected a {name} of 16 to {MostPixels} pixels, got {pixels}."));
}
