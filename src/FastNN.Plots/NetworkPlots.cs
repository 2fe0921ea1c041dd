using System.Globalization;
using System.Numerics.Tensors;
using FastNN.Formats;
using ScottPlot;

namespace FastNN.Plots;

/// <summary>Figures of what is inside a network.</summary>
public static class NetworkPlots
{
    private const int MostTiles = 1024;
    private const int MostHeads = 64;

    /// <summary>
    /// A convolution's filters, one tile each: in color for three input channels, else blue below zero and red above.
    /// </summary>
    /// <param name="weights">The filters, [H, W, C, filters] flattened, as a Conv2D's "weight" has them.</param>
    /// <param name="shape">[H, W, C, filters].</param>
    /// <param name="channel">The input channel to show; null (default) for all: as colors where there are three, else their
    /// mean.</param>
    /// <returns>The figure.</returns>
    /// <exception cref="ShapeException">The shape has other than four axes, or the number of weights is not that of the
    /// shape.</exception>
    /// <exception cref="ArgumentException">A weight is not finite, or there are more than 1,024 filters.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such channel.</exception>
    public static Figure Filters(ReadOnlySpan<float> weights, Shape shape, int? channel = null)
    {
        Require(weights, shape, 4, "[H, W, C, filters]", nameof(Filters));
        (int height, int width, int channels, int filters) = (shape[0], shape[1], shape[2], shape[3]);
        if (channel is { } given && (uint)given >= (uint)channels)
        {
            throw new ArgumentOutOfRangeException(
                nameof(channel), $"NetworkPlots.Filters: expected a channel from 0 to {channels - 1}, got {given}.");
        }

        RequireTiles(filters, nameof(Filters));
        Figure figure = Tiles(filters, width, height, out Func<int, CoordinateRect> place);
        figure.Plot.Title($"{filters} filters of {height}x{width}x{channels}");
        if (channel is null && channels == 3)
        {
            AddColored(figure.Plot, weights, shape, place);
            return figure;
        }

        var maps = new double[filters][,];
        for (int filter = 0; filter < filters; filter++)
        {
            maps[filter] = new double[height, width];
            for (int y = 0; y < height; y++)
            {
                for (int x = 0; x < width; x++)
                {
                    maps[filter][y, x] = Mean(
                        weights.Slice(((((y * width) + x) * channels) * filters), channels * filters), filter, filters, channel);
                }
            }
        }

        AddMaps(figure.Plot, maps, place, PlotStyle.Signed, symmetric: true);
        return figure;
    }

    /// <summary>What a layer makes of one image: a tile for each channel, all on one scale.</summary>
    /// <param name="activations">The layer's output for one example, [H, W, C] flattened.</param>
    /// <param name="shape">[H, W, C].</param>
    /// <returns>The figure.</returns>
    /// <exception cref="ShapeException">The shape has other than three axes, or the number of values is not that of the
    /// shape.</exception>
    /// <exception cref="ArgumentException">A value is not finite, or there are more than 1,024 channels.</exception>
    public static Figure FeatureMaps(ReadOnlySpan<float> activations, Shape shape)
    {
        Require(activations, shape, 3, "[H, W, C]", nameof(FeatureMaps));
        (int height, int width, int channels) = (shape[0], shape[1], shape[2]);
        RequireTiles(channels, nameof(FeatureMaps));
        var maps = new double[channels][,];
        for (int channel = 0; channel < channels; channel++)
        {
            maps[channel] = new double[height, width];
            for (int i = 0; i < height * width; i++)
            {
                maps[channel][i / width, i % width] = activations[(i * channels) + channel];
            }
        }

        Figure figure = Tiles(channels, width, height, out Func<int, CoordinateRect> place);
        figure.Plot.Title($"{channels} feature maps of {height}x{width}");
        AddMaps(figure.Plot, maps, place, new ScottPlot.Colormaps.Viridis(), symmetric: false);
        return figure;
    }

    /// <summary>What each position attends to: a panel for each head, a row for each query, a column for each key.</summary>
    /// <param name="weights">Attention weights from 0 to 1, [heads, queries, keys] or [queries, keys] flattened.</param>
    /// <param name="shape">Their shape.</param>
    /// <param name="queries">A label for each row, such as tokens; null (default) for numbers.</param>
    /// <param name="keys">A label for each column; null (default) for those of the rows where there are as many.</param>
    /// <returns>The figure.</returns>
    /// <exception cref="ShapeException">The shape has other than two or three axes, or does not fit the number of weights or of
    /// labels.</exception>
    /// <exception cref="ArgumentException">A weight is not from 0 to 1, or there are more than 64 heads.</exception>
    public static Figure Attention(
        ReadOnlySpan<float> weights, Shape shape, IReadOnlyList<string>? queries = null, IReadOnlyList<string>? keys = null)
    {
        Shape heads = shape.Rank == 2 ? shape.Prepend(1) : shape;
        Require(weights, heads, 3, "[queries, keys] or [heads, queries, keys]", nameof(Attention));
        (int count, int rows, int columns) = (heads[0], heads[1], heads[2]);
        queries ??= Numbers(rows);
        keys ??= queries.Count == columns ? queries : Numbers(columns);
        if (queries.Count != rows || keys.Count != columns)
        {
            throw new ShapeException(
                $"NetworkPlots.Attention: expected {rows} labels of queries and {columns} of keys, got {queries.Count} and {keys.Count}.");
        }

        // Sums of rounded shares may be a little above 1.
        if (weights.IndexOfAnyExceptInRange(0f, 1.0001f) is >= 0 and var other)
        {
            throw new ArgumentException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"NetworkPlots.Attention: expected weights from 0 to 1, got {weights[other]} at position {other}."),
                nameof(weights));
        }

        if (count > MostHeads)
        {
            throw new ArgumentException(
                $"NetworkPlots.Attention: expected at most {MostHeads} heads, got {count}.", nameof(shape));
        }

        int across = (int)Math.Ceiling(Math.Sqrt(count));
        var figure = new Figure(count, across)
        {
            Width = count == 1 ? 680 : Math.Min(1600, 400 * across),
            Height = count == 1 ? 640 : Math.Min(1600, 380 * ((count + across - 1) / across)),
        };
        for (int head = 0; head < count; head++)
        {
            var map = new double[rows, columns];
            for (int i = 0; i < rows * columns; i++)
            {
                map[i / columns, i % columns] = weights[(head * rows * columns) + i];
            }

            Plot plot = figure.Panels[head];
            ScottPlot.Plottables.Heatmap heatmap = plot.Add.Heatmap(map);
            heatmap.Colormap = PlotStyle.Blues;
            heatmap.ManualRange = new ScottPlot.Range(0, Math.Max(1e-6, TensorPrimitives.Max(weights)));
            plot.HideGrid();
            PlotStyle.Labels(plot.Axes.Bottom, keys, pixels: (figure.Width / across) - 160);
            PlotStyle.Labels(plot.Axes.Left, queries);
            plot.Axes.SetLimits(-0.5, columns - 0.5, -0.5, rows - 0.5);
            PlotStyle.Titles(plot, count == 1 ? "Attention" : $"Head {head}", "key", "query");
            if (head % across == across - 1 || head == count - 1)
            {
                PlotStyle.ColorBar(plot, heatmap);
            }
        }

        return figure;
    }

    /// <summary>A histogram of the values of each parameter of a model that has any.</summary>
    /// <param name="model">A built model; its present values are shown.</param>
    /// <param name="bins">Bars of each histogram, 2 to 1,000; default 40.</param>
    /// <returns>The figure, a panel for each parameter.</returns>
    /// <exception cref="ArgumentException">The model has no parameters, or more than 200.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The number of bins is out of range.</exception>
    public static Figure Weights(Layer model, int bins = 40)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (bins is < 2 or > 1000)
        {
            throw new ArgumentOutOfRangeException(
                nameof(bins), $"NetworkPlots.Weights: expected 2 to 1,000 bins, got {bins}.");
        }

        IReadOnlyList<NamedParameter> parameters = model.NamedParameters;
        if (parameters.Count is 0 or > 200)
        {
            throw new ArgumentException(
                $"NetworkPlots.Weights: expected a built model with 1 to 200 parameters, got {parameters.Count}.", nameof(model));
        }

        int across = Math.Min(3, parameters.Count);
        var figure = new Figure(parameters.Count, across) { Width = Math.Max(500, 380 * across) };
        for (int i = 0; i < parameters.Count; i++)
        {
            var values = new float[parameters[i].Parameter.Count];
            parameters[i].Parameter.Read(values);
            Histogram(figure.Panels[i], parameters[i].Name, values, bins);
        }

        return figure;
    }

    private static void Histogram(Plot plot, string name, float[] values, int bins)
    {
        float[] finite = [.. values.Where(float.IsFinite)];
        double low = finite.Length > 0 ? finite.Min() : 0, high = finite.Length > 0 ? finite.Max() : 0;
        if (high <= low)
        {
            (low, high) = (low - 0.5, high + 0.5);
        }

        var counts = new int[bins];
        foreach (float value in finite)
        {
            counts[Math.Min(bins - 1, (int)((value - low) / (high - low) * bins))]++;
        }

        double width = (high - low) / bins;
        plot.Add.Bars((List<Bar>)[.. counts.Select((count, bin) => new Bar
        {
            Position = low + ((bin + 0.5) * width),
            Size = width,
            Value = count,
            FillColor = PlotStyle.ColorOf(0),
            LineWidth = 0,
        })]);
        plot.Axes.Margins(bottom: 0);
        string missing = finite.Length < values.Length ? $", {values.Length - finite.Length} not finite" : "";
        plot.Title(string.Create(CultureInfo.InvariantCulture, $"{name} ({values.Length:N0}{missing})"), 13);
    }

    private static Figure Tiles(int count, int width, int height, out Func<int, CoordinateRect> place)
    {
        int columns = (int)Math.Ceiling(Math.Sqrt((double)count * height / width)), rows = (count + columns - 1) / columns;
        double gapX = Math.Max(1, width / 10.0), gapY = Math.Max(1, height / 10.0);
        place = tile =>
        {
            double left = tile % columns * (width + gapX), top = -(tile / columns * (height + gapY));
            return new CoordinateRect(left, left + width, top - height, top);
        };
        double across = columns * (width + gapX), down = rows * (height + gapY);
        var figure = new Figure
        {
            Width = 760,
            Height = (int)Math.Clamp((620 * down / across) + 60, 200, 1600),
        };
        PlotStyle.NoTicks(figure.Plot);
        figure.Plot.Axes.SetLimits(-gapX, across, -down, gapY);
        figure.Plot.Axes.SquareUnits();
        return figure;
    }

    private static void AddMaps(
        Plot plot, double[][,] maps, Func<int, CoordinateRect> place, IColormap colors, bool symmetric)
    {
        double low = maps.Min(map => map.Cast<double>().Min()), high = maps.Max(map => map.Cast<double>().Max());
        if (symmetric)
        {
            high = Math.Max(Math.Abs(low), Math.Abs(high));
            low = -high;
        }

        if (high <= low)
        {
            high = low + 1;
        }

        ScottPlot.Plottables.Heatmap? last = null;
        for (int i = 0; i < maps.Length; i++)
        {
            last = plot.Add.Heatmap(maps[i]);
            (last.Colormap, last.ManualRange, last.Rectangle) = (colors, new ScottPlot.Range(low, high), place(i));
        }

        PlotStyle.ColorBar(plot, last!);
    }

    private static void AddColored(Plot plot, ReadOnlySpan<float> weights, Shape shape, Func<int, CoordinateRect> place)
    {
        (int pixels, int filters) = (shape[0] * shape[1], shape[3]);
        float low = float.PositiveInfinity, high = float.NegativeInfinity;
        foreach (float weight in weights)
        {
            (low, high) = (Math.Min(low, weight), Math.Max(high, weight));
        }

        var grid = new ImageGrid { Padding = 0, Low = low, High = high > low ? high : low + 1, Scale = 8 };
        for (int filter = 0; filter < filters; filter++)
        {
            var tile = new float[pixels * 3];
            for (int i = 0; i < tile.Length; i++)
            {
                tile[i] = weights[(i * filters) + filter];
            }

            plot.Add.ImageRect(new Image(grid.Encode(tile, new Shape(1, shape[0], shape[1], 3))), place(filter));
        }
    }

    private static double Mean(ReadOnlySpan<float> weights, int filter, int filters, int? channel)
    {
        if (channel is { } one)
        {
            return weights[(one * filters) + filter];
        }

        double sum = 0;
        for (int i = filter; i < weights.Length; i += filters)
        {
            sum += weights[i];
        }

        return sum / (weights.Length / filters);
    }

    private static string[] Numbers(int count) =>
        [.. Enumerable.Range(0, count).Select(i => i.ToString(CultureInfo.InvariantCulture))];

    private static void Require(ReadOnlySpan<float> values, Shape shape, int rank, string axes, string name)
    {
        if (shape.Rank != rank || shape.IsSymbolic || shape.Count == 0 || shape.Count != values.Length)
        {
            throw new ShapeException(string.Create(
                CultureInfo.InvariantCulture,
                $"NetworkPlots.{name}: expected values of shape {axes}, got {values.Length} values and shape {shape}."));
        }

        PlotStyle.RequireFinite(values, $"NetworkPlots.{name}");
    }

    private static void RequireTiles(int count, string name)
    {
        if (count > MostTiles)
        {
            throw new ArgumentException($"NetworkPlots.{name}: expected at most {MostTiles} tiles, got {count}.");
        }
    }
}
