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
        Max(golden, device, x => x.MaxPool2D(kernel, stride, padding, dilation, ceil));
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
        int[] x = golden.ShapeOf("x");
        Max(golden, device, value => value.MaxPool2D((x[2], x[3])));
    }

    private static void AdaptiveAvgPool(GoldenCase golden, Device device)
    {
        (int, int) window = AdaptiveWindow(golden);
        Average(golden, device, x => x.AvgPool2D(window));
    }

    private static void AdaptiveMaxPool(GoldenCase golden, Device device)
    {
        (int, int) window = AdaptiveWindow(golden);
        Max(golden, device, x => x.MaxPool2D(window));
    }

    /// <summary>Adaptive pooling is plain pooling where the output divides the input.</summary>
    private static (int Rows, int Columns) AdaptiveWindow(GoldenCase golden)
    {
        (int rows, int columns) = Pair(golden, "output_size", 1);
        int[] x = golden.ShapeOf("x");
        return x[2] % rows == 0 && x[3] % columns == 0
            ? (x[2] / rows, x[3] / columns)
            : throw new UnsupportedCaseException($"{golden.Op} from {x[2]}x{x[3]} to {rows}x{columns}, windows of several sizes");
    }

    private static void Average(GoldenCase golden, Device device, Func<Value, Value> build) =>
        GoldenRunner.RunOperator(golden, device, [Port.Image(golden, "x")], Port.Image(golden, "y"), values => build(values[0]));

    private static void Max(GoldenCase golden, Device device, Func<Value, Value> build)
    {
        GoldenRunner.RunOperator(golden, device, [Port.Image(golden, "x")], Port.Image(golden, "y"), values => build(values[0]));
        if (golden.Has("indices"))
        {
            golden.CompareExactly("indices", Winners(golden, device, build));
        }
    }

    /// <summary>
    /// The engine records winners in its own form, for backward alone, so they are asked through backward: the gradient of one
    /// output lands on its winner.
    /// </summary>
    private static long[] Winners(GoldenCase golden, Device device, Func<Value, Value> build)
    {
        Port input = Port.Image(golden, "x");
        Port output = Port.Image(golden, "y");
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input(input.EngineShape);
        Value y = build(x);
        using var run = new GraphRun(device.Implementation, graph, [], y, [x]);
        GoldenRunner.Set(run, x, golden, input);
        var winners = new long[y.Shape.Count];
        var upstream = new float[winners.Length];
        int plane = input.FileShape[2] * input.FileShape[3];
        for (int i = 0; i < winners.Length; i++)
        {
            upstream[i] = 1;
            run.SetRootGradient(output.ToEngine(upstream));
            run.Run();
            upstream[i] = 0;
            float[] gradient = input.ToFile(run.Gradient(x));
            winners[i] = gradient.Count(value => value != 0) == 1
                ? Array.FindIndex(gradient, value => value != 0) % plane
                : throw new GoldenMismatchException($"{golden.Name}: output {i} has no single winner");
        }

        return winners;
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
