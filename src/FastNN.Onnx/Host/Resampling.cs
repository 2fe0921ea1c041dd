using System.Globalization;

namespace FastNN.Onnx.Host;

/// <summary>Resize and Upsample, axis by axis: every output is a weighted sum of inputs along one axis, then along the
/// next.</summary>
internal static class Resampling
{
    public static OnnxValue?[] Resize(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        bool old = call.Opset < 11;
        double[]? scales = Floats(call, old ? 1 : 2), roi = old ? null : Floats(call, 1);
        long[]? sizes = old ? null : call.Longs(3);
        int[] axes = call.Ints("axes") is { } some ? Array.ConvertAll(some, axis => call.Axis(axis, x.Rank))
            : [.. Enumerable.Range(0, x.Rank)];
        if ((scales is { Length: > 0 }) == (sizes is { Length: > 0 })
            || (scales is { Length: > 0 } ? scales.Length : sizes!.Length) != axes.Length)
        {
            throw call.Error($"either {axes.Length} scales or {axes.Length} sizes",
                $"{scales?.Length ?? 0} and {sizes?.Length ?? 0}");
        }

        var settings = new Settings(
            call.Text("mode", "nearest"),
            old ? "asymmetric" : call.Text("coordinate_transformation_mode", "half_pixel"),
            old ? "floor" : call.Text("nearest_mode", "round_prefer_floor"),
            call.Float("cubic_coeff_a", -0.75f), call.Flag("exclude_outside"), call.Flag("antialias"));
        return HostCall.One(Resize(call, x, axes, scales is { Length: > 0 } ? scales : null, sizes, roi, settings));
    }

    public static OnnxValue?[] Upsample(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        double[] scales = call.Opset >= 9 ? Floats(call, 1)!
            : call.Floats("scales") is { } given ? Array.ConvertAll(given, scale => (double)scale)
            : [1, 1, call.Float("height_scale", 1), call.Float("width_scale", 1)];
        string mode = call.Text("mode", "nearest");
        return HostCall.One(Resize(call, x, [.. Enumerable.Range(0, x.Rank)], scales, null, null,
            new Settings(mode == "bilinear" ? "linear" : mode, "asymmetric", "floor", -0.75, false, false)));
    }

    private static double[]? Floats(HostCall call, int input) => call.Optional(input) is { } tensor ? Numbers.Doubles(tensor)
        : null;

    private readonly record struct Settings(string Mode, string Coordinates, string Nearest, double A, bool ExcludeOutside,
        bool Antialias);

    private static OnnxTensor Resize(
        HostCall call, OnnxTensor x, int[] axes, double[]? scales, long[]? sizes, double[]? roi, Settings settings)
    {
        if (sizes is not null)
        {
            sizes = Keep(call, x, axes, sizes, ref scales);
        }

        bool crop = settings.Coordinates == "tf_crop_and_resize";
        OnnxElementType type = x.ElementType;
        OnnxTensor result = settings.Mode == "nearest" && !crop ? x
            : new OnnxTensor(OnnxElementType.Float64, x.Dims, Numbers.Doubles(x));
        bool[]? outside = null;
        for (int i = 0; i < axes.Length; i++)
        {
            int axis = axes[i], extent = x.Dims[axis];
            (double Start, double End) window = crop ? (roi![i], roi[axes.Length + i]) : (0, 1);
            double scale = scales is null ? (double)sizes![i] / extent : scales[i];
            double wanted = sizes is not null && scales is null ? sizes[i] : extent * (window.End - window.Start) * scale;
            int length = sizes is not null ? checked((int)sizes[i]) : checked((int)Math.Floor(wanted + (crop ? 0 : 1e-9)));
            if (length == extent && scale == 1 && !crop)
            {
                continue;
            }

            if (scale <= 0 || length < 0)
            {
                throw call.Error("positive scales", scale.ToString(CultureInfo.InvariantCulture));
            }

            var line = new Line(extent, length, scale, sizes is not null ? length : extent * scale, window);
            result = settings.Mode == "nearest" ? Nearest(result, axis, line, settings)
                : Weighted(call, result, axis, line, settings);
            if (crop)
            {
                outside = Outside(result, axis, line, outside, x, axes, i);
            }
        }

        OnnxTensor rounded = Numbers.Convert(result, type);
        if (outside is null)
        {
            return rounded;
        }

        int[] places = [.. Enumerable.Range(0, rounded.Count).Select(i => outside[i] ? -1 : i)];
        return Shapes.Take(rounded, places, rounded.Dims,
            Numbers.Convert(OnnxTensor.Create([call.Float("extrapolation_value", 0)]), type));
    }

    // Which elements lie beside the input along some axis; made anew for every axis, as the shape grows.
    private static bool[] Outside(OnnxTensor now, int axis, Line line, bool[]? before, OnnxTensor x, int[] axes, int index)
    {
        int inner = Shapes.Product(now.Dims.AsSpan(axis + 1));
        var outside = new bool[now.Count];
        int[] dims = (int[])now.Dims.Clone();
        dims[axis] = x.Dims[axis];
        int beforeExtent = dims[axis];
        for (int i = 0; i < outside.Length; i++)
        {
            int o = i / inner % line.Output;
            double place = Coordinate(o, line, "tf_crop_and_resize");
            bool was = false;
            if (before is not null)
            {
                // Along this axis nothing was outside before, so any step of it tells.
                int outer = i / inner / line.Output;
                was = before[(((outer * beforeExtent) + 0) * inner) + (i % inner)];
            }

            outside[i] = was || place < 0 || place > line.Input - 1;
        }

        return outside;
    }

    private static long[] Keep(HostCall call, OnnxTensor x, int[] axes, long[] sizes, ref double[]? scales)
    {
        string policy = call.Text("keep_aspect_ratio_policy", "stretch");
        if (policy == "stretch")
        {
            return sizes;
        }

        double[] ratios = [.. axes.Select((axis, i) => (double)sizes[i] / x.Dims[axis])];
        double scale = policy == "not_larger" ? ratios.Min() : ratios.Max();
        scales = [.. axes.Select(_ => scale)];
        return [.. axes.Select(axis => (long)Math.Floor((scale * x.Dims[axis]) + 0.5))];
    }

    private readonly record struct Line(int Input, int Output, double Scale, double Wanted, (double Start, double End) Window);

    /// <summary>Where an output's center lies among the inputs.</summary>
    private static double Coordinate(int o, Line line, string mode) => mode switch
    {
        "half_pixel" => ((o + 0.5) / line.Scale) - 0.5,
        "half_pixel_symmetric" => (line.Input / 2.0 * (1 - (line.Output / line.Wanted))) + ((o + 0.5) / line.Scale) - 0.5,
        "pytorch_half_pixel" => line.Output > 1 ? ((o + 0.5) / line.Scale) - 0.5 : 0,
        "align_corners" => line.Wanted == 1 ? 0 : o * (line.Input - 1.0) / (line.Wanted - 1),
        "asymmetric" => o / line.Scale,
        "tf_half_pixel_for_nn" => (o + 0.5) / line.Scale,
        "tf_crop_and_resize" => line.Output > 1
            ? (line.Window.Start * (line.Input - 1))
                + (o * (line.Window.End - line.Window.Start) * (line.Input - 1) / (line.Output - 1))
            : 0.5 * (line.Window.Start + line.Window.End) * (line.Input - 1),
        _ => throw new NotSupportedException($"the coordinate_transformation_mode '{Formats.Quote.Text(mode)}'"
            + " is not one of the standard"),
    };

    private static OnnxTensor Nearest(OnnxTensor x, int axis, Line line, Settings settings)
    {
        int[] chosen = new int[line.Output];
        for (int o = 0; o < chosen.Length; o++)
        {
            // What differs from an integer by rounding alone counts as that integer.
            double place = Coordinate(o, line, settings.Coordinates), near = Math.Round(place);
            place = Math.Abs(place - near) < 1e-9 ? near : place;
            double rounded = settings.Nearest switch
            {
                "round_prefer_floor" => Math.Ceiling(place - 0.5),
                "round_prefer_ceil" => Math.Floor(place + 0.5),
                "floor" => Math.Floor(place),
                "ceil" => Math.Ceiling(place),
                var other => throw new NotSupportedException(
                    $"the nearest_mode '{Formats.Quote.Text(other)}' is not one of the standard"),
            };
            chosen[o] = (int)Math.Clamp(rounded, 0, line.Input - 1);
        }

        int inner = Shapes.Product(x.Dims.AsSpan(axis + 1));
        int[] dims = (int[])x.Dims.Clone();
        dims[axis] = line.Output;
        var places = new int[Shapes.Product(dims)];
        for (int i = 0; i < places.Length; i++)
        {
            places[i] = (((i / inner / line.Output * line.Input) + chosen[i / inner % line.Output]) * inner) + (i % inner);
        }

        return Shapes.Take(x, places, dims);
    }

    private static OnnxTensor Weighted(HostCall call, OnnxTensor x, int axis, Line line, Settings settings)
    {
        bool cubic = settings.Mode == "cubic" ? true : settings.Mode == "linear" ? false
            : throw call.Error("mode nearest, linear or cubic", settings.Mode);
        double[] from = x.Array<double>();
        int inner = Shapes.Product(x.Dims.AsSpan(axis + 1)), outer = Shapes.Product(x.Dims.AsSpan(0, axis));
        int[] dims = (int[])x.Dims.Clone();
        dims[axis] = line.Output;
        var to = new double[Shapes.Product(dims)];

        // With antialiasing the kernel is as wide as an output's step.
        double stretch = settings.Antialias ? Math.Min(line.Scale, 1) : 1, reach = (cubic ? 2 : 1) / stretch;
        for (int o = 0; o < line.Output; o++)
        {
            double place = Coordinate(o, line, settings.Coordinates);
            int first = (int)Math.Floor(place - reach) + 1, last = (int)Math.Ceiling(place + reach) - 1;
            var weights = new double[Math.Max(0, last - first + 1)];
            double sum = 0;
            for (int k = 0; k < weights.Length; k++)
            {
                double distance = Math.Abs(first + k - place) * stretch;
                weights[k] = cubic ? Cubic(distance, settings.A) : Math.Max(0, 1 - distance);
                if (settings.ExcludeOutside && (first + k < 0 || first + k >= line.Input))
                {
                    weights[k] = 0;
                }

                sum += weights[k];
            }

            for (int ou = 0; ou < outer; ou++)
            {
                for (int k = 0; k < weights.Length; k++)
                {
                    // The border's element stands for those beyond it.
                    int source = ((ou * line.Input) + Math.Clamp(first + k, 0, line.Input - 1)) * inner,
                        target = ((ou * line.Output) + o) * inner;
                    double weight = settings.ExcludeOutside || settings.Antialias ? weights[k] / sum : weights[k];
                    for (int i = 0; i < inner && weight != 0; i++)
                    {
                        to[target + i] += weight * from[source + i];
                    }
                }
            }
        }

        return new OnnxTensor(OnnxElementType.Float64, dims, to);
    }

    /// <summary>The convolution kernel of Keys (1981).</summary>
    private static double Cubic(double t, double a) => t <= 1 ? ((((a + 2) * t) - (a + 3)) * t * t) + 1
        : t < 2 ? (((((a * t) - (5 * a)) * t) + (8 * a)) * t) - (4 * a)
        : 0;

    /// <summary>Pad: constant, reflecting, repeating the edge, or wrapping; negative pads cut.</summary>
    public static OnnxValue?[] Pad(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        long[] pads = call.Opset >= 11 ? call.Longs(1)! : call.Ints("pads") ?? call.Ints("paddings")
            ?? throw call.Error("pads", "none");
        int[] axes = call.Longs(3) is { } some ? Array.ConvertAll(some, axis => call.Axis(axis, x.Rank))
            : [.. Enumerable.Range(0, x.Rank)];
        if (pads.Length != 2 * axes.Length)
        {
            throw call.Error($"{2 * axes.Length} pads", $"{pads.Length}");
        }

        int[] dims = (int[])x.Dims.Clone(), first = new int[x.Rank];
        for (int i = 0; i < axes.Length; i++)
        {
            dims[axes[i]] = checked((int)(dims[axes[i]] + pads[i] + pads[axes.Length + i]));
            first[axes[i]] = checked((int)-pads[i]);
        }

        if (Array.Exists(dims, extent => extent < 0))
        {
            throw call.Error("pads that leave something", Layout.Join(pads));
        }

        string mode = call.Text("mode", "constant");
        if (mode == "constant")
        {
            OnnxTensor? value = call.Optional(2) is { Count: 1 } given
                ? given
                : call.HasAttribute("value") ? Numbers.Convert(OnnxTensor.Create([call.Float("value", 0)]), x.ElementType) : null;
            return HostCall.One(Shapes.Take(x, Indexing.Windowed(x.Dims, dims, first), dims, value));
        }

        int[] strides = Shapes.Strides(x.Dims), own = Shapes.Strides(dims), places = new int[Shapes.Product(dims)];
        for (int i = 0; i < places.Length; i++)
        {
            for (int axis = 0; axis < dims.Length; axis++)
            {
                places[i] += Mirror(call, (i / own[axis] % dims[axis]) + first[axis], x.Dims[axis], mode) * strides[axis];
            }
        }

        return HostCall.One(Shapes.Take(x, places, dims));
    }

    private static int Mirror(HostCall call, int index, int extent, string mode)
    {
        switch (mode)
        {
            case "edge":
                return Math.Clamp(index, 0, extent - 1);
            case "wrap":
                return ((index % extent) + extent) % extent;
            case "reflect":
                if (extent == 1)
                {
                    return 0;
                }

                int period = 2 * (extent - 1), place = ((index % period) + period) % period;
                return place < extent ? place : period - place;
            default:
                throw call.Error("mode constant, reflect, edge or wrap", mode);
        }
    }

    /// <summary>GridSample (Jaderberg et al., 2015): the input read at places that a grid gives, for any number of
    /// axes.</summary>
    public static OnnxValue?[] GridSample(HostCall call)
    {
        OnnxTensor x = call.Tensor(0), grid = call.Tensor(1);
        int rank = x.Rank - 2, n = x.Dims[0], channels = x.Dims[1];
        if (rank < 1 || grid.Rank != x.Rank || grid.Dims[0] != n || grid.Dims[^1] != rank)
        {
            throw call.Error($"a grid [{n}, spatial axes, {rank}]", grid.ToString());
        }

        string mode = call.Text("mode", "linear"), padding = call.Text("padding_mode", "zeros");
        bool corners = call.Flag("align_corners");
        int[] spatial = x.Dims[2..], outs = grid.Dims[1..^1], strides = Shapes.Strides(spatial);
        int pixels = Shapes.Product(spatial), outputs = Shapes.Product(outs);
        double[] from = Numbers.Doubles(x), places = Numbers.Doubles(grid),
            to = new double[Shapes.Product([n, channels, outputs])];
        int taps = mode is "cubic" or "bicubic" ? 4 : mode == "nearest" ? 1 : 2;
        var index = new int[rank, taps];
        var weight = new double[rank, taps];
        for (int b = 0; b < n; b++)
        {
            for (int o = 0; o < outputs; o++)
            {
                for (int axis = 0; axis < rank; axis++)
                {
                    // The grid's last axis begins with the innermost one, x.
                    Taps(places[(((b * outputs) + o) * rank) + rank - 1 - axis], spatial[axis], corners, padding, taps, axis,
                        index, weight);
                }

                for (int c = 0; c < channels; c++)
                {
                    ReadOnlySpan<double> plane = from.AsSpan(((b * channels) + c) * pixels, pixels);
                    double sum = 0;
                    for (int t = 0; t < (int)Math.Pow(taps, rank); t++)
                    {
                        int place = 0, rest = t;
                        double factor = 1;
                        for (int axis = rank - 1; axis >= 0; axis--, rest /= taps)
                        {
                            int tap = rest % taps;
                            place = index[axis, tap] < 0 || place < 0 ? -1 : place + (index[axis, tap] * strides[axis]);
                            factor *= weight[axis, tap];
                        }

                        sum += place < 0 ? 0 : plane[place] * factor;
                    }

                    to[(((b * channels) + c) * outputs) + o] = sum;
                }
            }
        }

        return HostCall.One(Normalizations.Rounded(to, [n, channels, .. outs], x.ElementType));
    }

    private static void Taps(
        double place, int extent, bool corners, string padding, int taps, int axis, int[,] index, double[,] weight)
    {
        double low = corners ? 0 : -0.5, high = corners ? extent - 1 : extent - 0.5;
        double at = corners ? (place + 1) / 2 * (extent - 1) : (((place + 1) * extent) - 1) / 2;

        // The place itself is moved into the image, but with four taps, whose outer ones are moved each by itself.
        at = taps == 4 ? at : Inside(at, extent, low, high, padding);
        int first = taps == 1 ? (int)Math.Round(at, MidpointRounding.ToEven) : (int)Math.Floor(at) - (taps == 4 ? 1 : 0);
        for (int tap = 0; tap < taps; tap++)
        {
            double distance = Math.Abs(first + tap - at);
            weight[axis, tap] = taps switch { 1 => 1, 2 => 1 - distance, _ => Cubic(distance, -0.75) };
            double moved = taps == 4 ? Inside(first + tap, extent, low, high, padding) : first + tap;
            index[axis, tap] = moved >= 0 && moved < extent ? (int)moved : padding == "zeros" ? -1
                : (int)Math.Clamp(moved, 0, extent - 1);
        }
    }

    private static double Inside(double at, int extent, double low, double high, string padding)
    {
        switch (padding)
        {
            case "border":
                return Math.Clamp(at, 0, extent - 1);
            case "reflection":
                double span = high - low;
                if (span <= 0)
                {
                    return 0;
                }

                double turned = Math.Abs(at - low) % (2 * span);
                return Math.Clamp(low + (turned > span ? (2 * span) - turned : turned), 0, extent - 1);
            default:
                // What is far outside stays outside, and within the range of an int.
                return double.IsNaN(at) ? -2 : Math.Clamp(at, -2.0, extent + 1.0);
        }
    }

    /// <summary>AffineGrid: the places that an affine map makes of an output's pixels, for GridSample.</summary>
    public static OnnxValue?[] AffineGrid(HostCall call)
    {
        OnnxTensor theta = call.Tensor(0);
        int[] size = Shapes.Extents(call, call.Longs(1) ?? throw call.Error("a size", "none"));
        int rank = size.Length - 2, n = size[0];
        bool corners = call.Flag("align_corners");
        if (theta.Rank != 3 || theta.Dims[0] != n || theta.Dims[1] != rank || theta.Dims[2] != rank + 1)
        {
            throw call.Error($"maps [{n}, {rank}, {rank + 1}]", theta.ToString());
        }

        double[] maps = Numbers.Doubles(theta);
        int[] spatial = size[2..], strides = Shapes.Strides(spatial);
        int pixels = Shapes.Product(spatial);
        var grid = new double[Shapes.Product([n, pixels, rank])];
        for (int i = 0, at = 0; i < n * pixels; i++)
        {
            int b = i / pixels, p = i % pixels;
            for (int row = 0; row < rank; row++, at++)
            {
                double sum = maps[(((b * rank) + row) * (rank + 1)) + rank];
                for (int column = 0; column < rank; column++)
                {
                    int axis = rank - 1 - column, k = p / strides[axis] % spatial[axis];
                    double coordinate = corners
                        ? spatial[axis] == 1 ? 0 : (2.0 * k / (spatial[axis] - 1)) - 1
                        : ((2.0 * k) + 1 - spatial[axis]) / spatial[axis];
                    sum += maps[(((b * rank) + row) * (rank + 1)) + column] * coordinate;
                }

                grid[at] = sum;
            }
        }

        return HostCall.One(Normalizations.Rounded(grid, [n, .. spatial, rank], theta.ElementType));
    }
}
