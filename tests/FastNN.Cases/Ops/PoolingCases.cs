using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>Poolings and normalizations that are composed of other operators.</summary>
internal static class PoolingCases
{
    public static IEnumerable<OpCase> All =>
    [
        Row("max", true, [2, 13, 5], 3, 2, 1), Row("max", true, [1, 7, 33], 2, 1, 0), Row("mean", false, [2, 13, 4], 3, 2, 1),
        Row("mean", false, [3, 7, 17], 2, 2, 0),
        .. from shape in new Shape[] { new(2, 7, 3), new(1, 5, 4, 31), new(2, 3, 4, 5, 7), new(3, 1, 1, 1) }
           from maximum in new[] { true, false }
           from keep in new[] { true, false }
           select Global(shape, maximum, keep),
        Norm([2, 7, 3], 2, 2, 2, false), Norm([2, 6, 7, 5], 3, 2, 1, false), Norm([2, 6, 7, 5], 2, 3, 2, true),
        Norm([1, 4, 5, 3, 2], 2.5f, 2, 1, false),
        Response(new Shape(2, 4, 4, 7), 5), Response(new Shape(1, 5, 33), 4), Response(new Shape(2, 2, 3, 2, 1), 3),
        Response(new Shape(1, 3, 2, 129), 1),
        Shuffle(new Shape(2, 3, 5, 12), 2), Shuffle(new Shape(1, 1, 4, 27), 3), Shuffle(new Shape(2, 3, 3, 7), 1),
        Unshuffle(new Shape(2, 6, 4, 3), 2), Unshuffle(new Shape(1, 3, 9, 1), 3),
    ];

    private static OpCase Row(string what, bool maximum, int[] shape, int kernel, int stride, int padding)
    {
        var axis = WindowAxis.Create("reference", "length", shape[1], kernel, stride, 1, padding, padding);
        return new OpCase(
            $"{what} of {kernel} by {stride}, padding {padding} {new Shape(shape)}", [OpInput.Distinct("x", new Shape(shape))],
            values => maximum ? values[0].MaxPool1D(kernel, stride, padding) : values[0].AvgPool1D(kernel, stride, padding),
            values => maximum
                ? WindowMaxReference.Forward(values[0], shape[0], shape[2], [shape[1]], [WindowMaxReference.Windows(axis)]).Y
                : WindowSumReference.Apply(values[0], shape[0], shape[2], WindowSumReference.Windows(axis, true)));
    }

    private static OpCase Global(Shape shape, bool maximum, bool keep)
    {
        int[] extents = shape[1..^1].ToArray();
        return new OpCase(
            $"{(maximum ? "largest" : "mean")} of each channel {shape}{(keep ? " keep" : "")}", [OpInput.Distinct("x", shape)],
            values => (extents.Length, maximum) switch
            {
                (1, true) => values[0].GlobalMaxPool1D(keep),
                (2, true) => values[0].GlobalMaxPool2D(keep),
                (3, true) => values[0].GlobalMaxPool3D(keep),
                (1, false) => values[0].GlobalAvgPool1D(keep),
                (2, false) => values[0].GlobalAvgPool2D(keep),
                _ => values[0].GlobalAvgPool3D(keep),
            },
            values => maximum
                ? WindowMaxReference.Forward(
                    values[0], shape[0], shape[-1], extents,
                    Array.ConvertAll(extents, extent => WindowMaxReference.Bins(extent, 1))).Y
                : WindowSumReference.Apply(
                    values[0], shape[0], shape[-1], Array.ConvertAll(extents, extent => WindowSumReference.Bins(extent, 1))));
    }

    /// <summary>Windows beyond the input count as if they were full, with the mean of their part.</summary>
    private static OpCase Norm(int[] shape, float norm, int kernel, int stride, bool ceil)
    {
        WindowAxis[] axes =
        [
            .. shape[1..^1].Select(extent => WindowAxis.Create("reference", "axis", extent, kernel, stride, 1, 0, 0, ceil)),
        ];
        return new OpCase(
            $"norm {norm} of {kernel} by {stride}{(ceil ? " ceil" : "")} {new Shape(shape)}",
            [OpInput.Uniform("x", new Shape(shape), 0.25, 1)],
            values => axes.Length switch
            {
                1 => values[0].LpPool1D(norm, kernel, stride, ceil),
                2 => values[0].LpPool2D(norm, kernel, stride, ceil),
                _ => values[0].LpPool3D(norm, kernel, stride, ceil),
            },
            values =>
            {
                double[] means = WindowSumReference.Apply(
                    Array.ConvertAll(values[0], x => Math.Pow(x, norm)), shape[0], shape[^1],
                    Array.ConvertAll(axes, axis => WindowSumReference.Windows(axis, true)));
                return Array.ConvertAll(means, mean => Math.Pow(mean * Math.Pow(kernel, axes.Length), 1 / (double)norm));
            })
        {
            Tolerance = 1e-5,
        };
    }

    private static OpCase Response(Shape shape, int size) => new(
        $"response {shape} of {size}", [OpInput.Uniform("x", shape, -3, 3)],
        values => values[0].LocalResponseNorm(size, 0.5f, 0.75f, 2),
        values =>
        {
            int channels = shape[-1];
            return [.. values[0].Select((x, i) =>
            {
                int first = (i % channels) - (size / 2);
                double sum = Enumerable.Range(first, size).Where(c => c >= 0 && c < channels)
                    .Sum(c => Math.Pow(values[0][i - (i % channels) + c], 2));
                return x / Math.Pow(2 + (0.5 * sum / size), 0.75);
            })];
        });

    private static OpCase Shuffle(Shape shape, int r) => new(
        $"shuffle {shape} by {r}", [OpInput.Uniform("x", shape)], values => values[0].PixelShuffle(r),
        values => Moved(shape, r, (large, small, y) => y[large] = values[0][small]));

    private static OpCase Unshuffle(Shape shape, int r) => new(
        $"unshuffle {shape} by {r}", [OpInput.Uniform("x", shape)], values => values[0].PixelUnshuffle(r),
        values => Moved(
            new Shape(shape[0], shape[1] / r, shape[2] / r, shape[3] * r * r), r,
            (large, small, y) => y[small] = values[0][large]));

    /// <summary>Channel c r^2 + i r + j at [n, h, w] stands beside channel c at [n, h r + i, w r + j].</summary>
    private static double[] Moved(Shape small, int r, Action<int, int, double[]> move)
    {
        var y = new double[small.Count];
        for (int at = 0; at < y.Length; at++)
        {
            int channel = at % small[3], w = at / small[3] % small[2];
            int h = at / small[3] / small[2] % small[1], n = at / small[3] / small[2] / small[1];
            int c = channel / (r * r), i = channel / r % r, j = channel % r;
            move((((((n * small[1] * r) + (h * r) + i) * small[2] * r) + (w * r) + j) * (small[3] / (r * r))) + c, at, y);
        }

        return y;
    }
}
