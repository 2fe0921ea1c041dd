namespace FastNN.Testing;

/// <summary>Convolution and pooling. Files are NCHW and OIHW; one-dimensional pooling is that of images of height 1.</summary>
internal static class GoldenWindows
{
    public static Dictionary<string, Action<GoldenCase, Device>> All { get; } = new()
    {
        ["conv2d"] = Conv,
        ["conv1d"] = Conv1D,
        ["conv_transpose2d"] = ConvTranspose,
        ["conv_transpose1d"] = ConvTranspose1D,
        ["maxpool2d"] = MaxPool,
        ["maxpool1d"] = MaxPool,
        ["avgpool2d"] = AvgPool,
        ["avgpool1d"] = AvgPool,
        ["global_avg_pool2d"] = GlobalAvgPool,
        ["global_max_pool2d"] = GlobalMaxPool,
        ["adaptive_avg_pool2d"] = AdaptiveAvgPool,
        ["adaptive_max_pool2d"] = AdaptiveMaxPool,
        ["upsample_nearest"] = Upsample,
        ["upsample_bilinear"] = Upsample,
        ["pixel_shuffle"] = PixelShuffle,
        ["local_response_norm"] = LocalResponseNorm,
    };

    private static void Conv(GoldenCase golden, Device device)
    {
        Attributes attributes = golden.Attributes;
        attributes.Skip("in_channels", "out_channels", "kernel");
        (int, int) stride = Pair(golden, "stride", 1);
        (int, int) dilation = Pair(golden, "dilation", 1);
        Padding2D padding = Padding(golden);
        int groups = attributes.Int("groups");
        Window(
            golden, device,
            (x, weight, bias) => x.Conv2D(weight, bias, stride, padding, dilation, groups));
    }

    private static void Conv1D(GoldenCase golden, Device device)
    {
        Attributes attributes = golden.Attributes;
        attributes.Skip("in_channels", "out_channels", "kernel");
        (int stride, int padding) = (attributes.Int("stride"), attributes.Int("padding"));
        int dilation = attributes.Int("dilation");
        int groups = attributes.Int("groups");
        Window(
            golden, device,
            (x, weight, bias) => x.Conv1D(weight, bias, stride, padding, dilation, groups));
    }

    private static void ConvTranspose(GoldenCase golden, Device device)
    {
        Attributes attributes = golden.Attributes;
        attributes.Skip("in_channels", "out_channels", "kernel");
        (int, int) stride = Pair(golden, "stride", 1), padding = Pair(golden, "padding", 0);
        (int, int) more = Pair(golden, "output_padding", 0), dilation = Pair(golden, "dilation", 1);
        int groups = attributes.Int("groups");
        Window(
            golden, device,
            (x, weight, bias) => x.ConvTranspose2D(weight, bias, stride, padding, more, dilation, groups));
    }

    private static void ConvTranspose1D(GoldenCase golden, Device device)
    {
        Attributes attributes = golden.Attributes;
        attributes.Skip("in_channels", "out_channels", "kernel");
        (int stride, int padding) = (attributes.Int("stride"), attributes.Int("padding"));
        int dilation = attributes.Int("dilation");
        (int more, int groups) = (attributes.Int("output_padding"), attributes.Int("groups"));
        Window(
            golden, device,
            (x, weight, bias) => x.ConvTranspose1D(weight, bias, stride, padding, more, dilation, groups));
    }

    private static void Window(
        GoldenCase golden, Device device, Func<Value, Value, Value?, Value> build)
    {
        List<Port> inputs = [Port.Channels(golden, "x"), Port.Kernel(golden, "weight")];
        if (golden.Attributes.Bool("bias"))
        {
            inputs.Add(Port.Plain(golden, "bias"));
        }

        GoldenRunner.RunOperator(
            golden, device, [.. inputs], Port.Channels(golden, "y"),
            values => build(values[0], values[1], values.ElementAtOrDefault(2)));
    }

    private static void MaxPool(GoldenCase golden, Device device)
    {
        (int, int) kernel = Pair(golden, "kernel", 1);
        (int, int) stride = Pair(golden, "stride", 1);
        (int, int) dilation = Pair(golden, "dilation", 1);
        Padding2D padding = Padding(golden);
        bool ceil = golden.Attributes.Bool("ceil_mode");
        Max(
            golden, device, x => x.MaxPool2D(kernel, stride, padding, dilation, ceil),
            x => x.MaxPool2DWithIndices(kernel, stride, padding, dilation, ceil));
    }

    private static void AvgPool(GoldenCase golden, Device device)
    {
        Attributes attributes = golden.Attributes;
        (int, int) kernel = Pair(golden, "kernel", 1);
        (int, int) stride = Pair(golden, "stride", 1);
        Padding2D padding = Padding(golden);
        bool ceil = attributes.Bool("ceil_mode");
        bool includePad = attributes.Bool("count_include_pad");
        int divisor = 0;
        if (attributes.Has("divisor_override"))
        {
            divisor = attributes.IsNull("divisor_override") ? 0 : attributes.Int("divisor_override");
            attributes.Skip("divisor_override");
        }

        Average(golden, device, x => x.AvgPool2D(kernel, stride, padding, ceil, includePad, divisor));
    }

    private static void GlobalAvgPool(GoldenCase golden, Device device)
    {
        bool keep = golden.Attributes.Bool("keepdim");
        Port output = keep ? Port.Image(golden, "y") : Port.Plain(golden, "y");
        GoldenRunner.RunOperator(golden, device, [Port.Image(golden, "x")], output, values => values[0].GlobalAvgPool2D(keep));
    }

    private static void GlobalMaxPool(GoldenCase golden, Device device)
    {
        golden.Attributes.Require("keepdim", "True");
        Max(golden, device, value => value.GlobalMaxPool2D(keepAxes: true), value => value.AdaptiveMaxPool2DWithIndices(1));
    }

    private static void AdaptiveAvgPool(GoldenCase golden, Device device)
    {
        Size2D size = Pair(golden, "output_size", 1);
        Average(golden, device, x => x.AdaptiveAvgPool2D(size));
    }

    private static void AdaptiveMaxPool(GoldenCase golden, Device device)
    {
        Size2D size = Pair(golden, "output_size", 1);
        Max(golden, device, x => x.AdaptiveMaxPool2D(size), x => x.AdaptiveMaxPool2DWithIndices(size));
    }

    private static void Upsample(GoldenCase golden, Device device)
    {
        Attributes attributes = golden.Attributes;
        InterpolationMode mode = attributes.String("mode") switch
        {
            "nearest" => InterpolationMode.Nearest,
            "bilinear" => InterpolationMode.Linear,
            string other => throw new UnsupportedCaseException($"mode = {other}"),
        };
        bool alignCorners = attributes.Has("align_corners") && attributes.Bool("align_corners");
        bool bySize = attributes.IsNull("scale_factor");
        int[] size = bySize ? attributes.Ints("size") : [];
        double[] scales = bySize ? [] : attributes.Doubles("scale_factor");
        attributes.Skip("size", "scale_factor");
        Average(golden, device, x => bySize
            ? x.Interpolate(new Shape(size), mode, alignCorners)
            : x.InterpolateBy(scales, mode, alignCorners));
    }

    private static void PixelShuffle(GoldenCase golden, Device device)
    {
        int factor = golden.Attributes.Int("upscale_factor");
        Average(golden, device, x => x.PixelShuffle(factor));
    }

    private static void LocalResponseNorm(GoldenCase golden, Device device)
    {
        Attributes attributes = golden.Attributes;
        int size = attributes.Int("size");
        (float alpha, float beta, float k) = (attributes.Float("alpha"), attributes.Float("beta"), attributes.Float("k"));
        Average(golden, device, x => x.LocalResponseNorm(size, alpha, beta, k));
    }

    private static void Average(GoldenCase golden, Device device, Func<Value, Value> build) =>
        GoldenRunner.RunOperator(golden, device, [Port.Image(golden, "x")], Port.Image(golden, "y"), values => build(values[0]));

    private static void Max(
        GoldenCase golden, Device device, Func<Value, Value> build, Func<Value, (Value Y, Value Indices)> buildWithIndices)
    {
        Average(golden, device, build);
        if (golden.Has("indices"))
        {
            Average(golden, device, x => buildWithIndices(x).Y);
            golden.CompareExactly("indices", Indices(golden, device, buildWithIndices));
        }
    }

    private static long[] Indices(GoldenCase golden, Device device, Func<Value, (Value Y, Value Indices)> build)
    {
        var graph = new Graph(GraphMode.Inference);
        Port input = Port.Image(golden, "x");
        Value x = graph.Input(input.EngineShape), indices = build(x).Indices.Cast(DType.Float32);
        using var run = new GraphRun(device.Implementation, graph, [indices], null, []);
        GoldenRunner.Set(run, x, golden, input);
        run.Run();

        // In the file's order; indices of planes this small are exact as floats.
        return Array.ConvertAll(Port.Image(golden, "y").ToFile(run.Read(indices)), index => (long)index);
    }

    /// <summary>Rows and columns; a single number is that of columns, of an image of height 1.</summary>
    private static (int Rows, int Columns) Pair(GoldenCase golden, string name, int rows)
    {
        int[] values = golden.Attributes.Ints(name);
        return values.Length == 1 ? (rows, values[0]) : (values[0], values[1]);
    }

    private static Padding2D Padding(GoldenCase golden)
    {
        Attributes attributes = golden.Attributes;
        int[] before = attributes.Has("pre_pad") ? attributes.Ints("pre_pad") : [0, 0, 0, 0];
        if (attributes.IsString("padding"))
        {
            string padding = attributes.String("padding");
            return padding switch
            {
                "same" when before.All(amount => amount == 0) => Padding2D.Same,
                "valid" => Padding2D.Explicit(before[2], before[3], before[0], before[1]),
                _ => throw new UnsupportedCaseException($"padding = {padding}"),
            };
        }

        (int rows, int columns) = Pair(golden, "padding", 0);
        return Padding2D.Explicit(rows + before[2], rows + before[3], columns + before[0], columns + before[1]);
    }
}
