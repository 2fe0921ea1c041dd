namespace FastNN.Onnx.Host;

/// <summary>What detectors end with: non-maximum suppression and regions of interest.</summary>
internal static class Detection
{
    public static OnnxValue?[] NonMaxSuppression(HostCall call)
    {
        OnnxTensor boxes = call.Tensor(0), scores = call.Tensor(1);
        long most = call.Long(2) ?? 0;
        double overlap = call.Number(3) ?? 0, least = call.Number(4) ?? double.NegativeInfinity;
        bool centers = call.Flag("center_point_box");
        int batches = boxes.Dims[0], count = boxes.Dims[1], classes = scores.Dims[1];
        float[] all = Numbers.Floats(boxes), marks = Numbers.Floats(scores);
        var selected = new List<long>();
        for (int b = 0; b < batches; b++)
        {
            for (int c = 0; c < classes; c++)
            {
                int row = ((b * classes) + c) * count;
                int[] order = [.. Enumerable.Range(0, count).Where(i => !call.Has(4)
                    || marks[row + i] > least).OrderByDescending(i => marks[row + i])];
                var kept = new List<int>();
                foreach (int i in order)
                {
                    if (kept.Count >= most)
                    {
                        break;
                    }

                    var box = Box.Of(all.AsSpan(((b * count) + i) * 4, 4), centers);
                    if (kept.TrueForAll(k => box.Overlap(Box.Of(all.AsSpan(((b * count) + k) * 4, 4), centers)) <= overlap))
                    {
                        kept.Add(i);
                        selected.AddRange([b, c, i]);
                    }
                }
            }
        }

        return HostCall.One(OnnxTensor.Create(selected.ToArray(), selected.Count / 3, 3));
    }

    private readonly record struct Box(double Top, double Left, double Bottom, double Right)
    {
        public static Box Of(ReadOnlySpan<float> numbers, bool centers) => centers
            ? new(numbers[1] - (numbers[3] / 2), numbers[0] - (numbers[2] / 2), numbers[1] + (numbers[3] / 2), numbers[0]
                + (numbers[2] / 2))
            : new(Math.Min(numbers[0], numbers[2]), Math.Min(numbers[1], numbers[3]), Math.Max(numbers[0], numbers[2]),
                Math.Max(numbers[1], numbers[3]));

        private double Area => (Bottom - Top) * (Right - Left);

        /// <summary>Intersection over union.</summary>
        public double Overlap(Box other)
        {
            double height = Math.Min(Bottom, other.Bottom) - Math.Max(Top, other.Top), width = Math.Min(Right, other.Right)
                - Math.Max(Left, other.Left);
            double common = height <= 0 || width <= 0 ? 0 : height * width;
            return common == 0 ? 0 : common / (Area + other.Area - common);
        }
    }

    /// <summary>RoiAlign (He et al., 2017).</summary>
    public static OnnxValue?[] RoiAlign(HostCall call)
    {
        OnnxTensor x = call.Tensor(0), rois = call.Tensor(1);
        long[] images = call.Longs(2) ?? throw call.Error("batch indices", "none");
        int channels = x.Dims[1], h = x.Dims[2], w = x.Dims[3], count = rois.Dims[0];
        int height = (int)call.Int("output_height", 1), width = (int)call.Int("output_width", 1),
            sampling = (int)call.Int("sampling_ratio", 0);
        double scale = call.Float("spatial_scale", 1);
        bool half = call.Text("coordinate_transformation_mode", call.Opset >= 16 ? "half_pixel"
            : "output_half_pixel") == "half_pixel";
        bool max = call.Text("mode", "avg") == "max";
        double[] from = Numbers.Doubles(x), regions = Numbers.Doubles(rois),
            to = new double[Shapes.Product([count, channels, height, width])];
        double shift = half ? 0.5 : 0;
        for (int r = 0; r < count; r++)
        {
            if (images[r] < 0 || images[r] >= x.Dims[0])
            {
                throw call.Error($"batch indices from 0 to {x.Dims[0] - 1}", $"{images[r]}");
            }

            double x1 = (regions[r * 4] * scale) - shift, y1 = (regions[(r * 4) + 1] * scale) - shift;
            double wide = (regions[(r * 4) + 2] * scale) - shift - x1, tall = (regions[(r * 4) + 3] * scale) - shift - y1;
            if (!half)
            {
                wide = Math.Max(wide, 1);
                tall = Math.Max(tall, 1);
            }

            double binWidth = wide / width, binHeight = tall / height;
            int nx = sampling > 0 ? sampling : (int)Math.Ceiling(binWidth), ny = sampling > 0 ? sampling
                : (int)Math.Ceiling(binHeight);
            for (int c = 0; c < channels; c++)
            {
                ReadOnlySpan<double> plane = from.AsSpan((int)((images[r] * channels) + c) * h * w, h * w);
                for (int bin = 0; bin < height * width; bin++)
                {
                    double sum = 0, best = double.NegativeInfinity;
                    for (int s = 0; s < nx * ny; s++)
                    {
                        double y = y1 + (((bin / width) + (((s / nx) + 0.5) / ny)) * binHeight), z = x1
                            + (((bin % width) + (((s % nx) + 0.5) / nx)) * binWidth);
                        (double interpolated, double largest) = Sample(plane, h, w, y, z);
                        sum += interpolated;
                        best = Math.Max(best, largest);
                    }

                    to[(((r * channels) + c) * height * width) + bin] = max ? (double.IsNegativeInfinity(best) ? 0 : best) : sum
                        / Math.Max(nx * ny, 1);
                }
            }
        }

        return HostCall.One(Normalizations.Rounded(to, [count, channels, height, width], x.ElementType));
    }

    // The mean takes the interpolated value, the maximum the largest of the four weighted neighbors.
    private static (double Interpolated, double Largest) Sample(ReadOnlySpan<double> plane, int h, int w, double y, double x)
    {
        if (y < -1 || y > h || x < -1 || x > w)
        {
            return (0, 0);
        }

        y = Math.Max(y, 0);
        x = Math.Max(x, 0);
        int top = Math.Min((int)y, h - 1), left = Math.Min((int)x, w - 1), bottom = Math.Min(top + 1, h - 1),
            right = Math.Min(left + 1, w - 1);
        double fy = top == h - 1 ? 0 : y - top, fx = left == w - 1 ? 0 : x - left;
        double a = plane[(top * w) + left] * (1 - fy) * (1 - fx), b = plane[(top * w) + right] * (1 - fy) * fx;
        double c = plane[(bottom * w) + left] * fy * (1 - fx), d = plane[(bottom * w) + right] * fy * fx;
        return (a + b + c + d, Math.Max(Math.Max(a, b), Math.Max(c, d)));
    }
}
