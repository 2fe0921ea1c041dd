using FastNN.Kernels;

namespace FastNN.Testing;

internal sealed class WindowSumCases : IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. from mode in Enum.GetValues<InterpolationMode>()
           from sizes in new (int[] From, int[] To)[]
           {
               ([1], [1]), ([1], [7]), ([7], [1]), ([7], [17]), ([33], [13]), ([4, 4], [8, 8]), ([5, 7], [13, 9]),
               ([9, 13], [3, 17]), ([1, 3], [4, 3]), ([3, 4, 5], [5, 3, 7]),
           }
           select Resize(mode, sizes.From, sizes.To, sizes.From.Length == 2 ? 8 : 3, alignCorners: false),
        .. from mode in new[] { InterpolationMode.Linear, InterpolationMode.Cubic }
           from sizes in new (int[] From, int[] To)[]
           {
               ([1], [5]), ([6], [1]), ([5], [13]), ([5, 7], [11, 3]), ([2, 3, 4], [3, 5, 4]),
           }
           select Resize(mode, sizes.From, sizes.To, sizes.From.Length == 2 ? 17 : 1, alignCorners: true),
        .. from mode in Enum.GetValues<InterpolationMode>()
           from recompute in new[] { false, true }
           select Rescale(mode, [5, 7], [1.5, 2.3], recompute),
        .. from sizes in new (int[] From, int[] To)[]
           {
               ([7], [3]), ([3], [7]), ([10, 10], [7, 7]), ([13, 5], [3, 4]), ([5, 7, 9], [2, 3, 4]), ([4, 6, 2], [2, 3, 1]),
           }
           from channels in new[] { 1, 4, 33 }
           select Adaptive(sizes.From, sizes.To, channels),
        Pool([5, 7, 6], 2, 2, 0, 3), Pool([5, 7, 6], (3, 2, 3), (2, 1, 2), 1, 4), Pool([5, 7, 6], 3, 2, 1, 17, includePad: false),
        Pool([6, 5, 8], 3, 2, 1, 3, ceil: true), Pool([6, 5, 8], 3, 2, 1, 3, ceil: true, includePad: false),
        Pool([5, 7, 6], 2, 2, 0, 3, divisor: 3), Pool([1, 1, 1], 1, 1, 0, 1), Pool([3, 13, 1], (3, 13, 1), 1, 0, 129),
    ];

    private static OpCase Resize(InterpolationMode mode, int[] from, int[] to, int channels, bool alignCorners) => Case(
        $"{mode}{(alignCorners ? " aligned" : "")}", 2, from, channels, x => x.Interpolate(new Shape(to), mode, alignCorners),
        (i, _) => WindowSumReference.Interpolation(mode, from[i], to[i], alignCorners), $"to {new Shape(to)}");

    private static OpCase Rescale(InterpolationMode mode, int[] from, double[] scales, bool recompute) => Case(
        $"{mode}{(recompute ? " by sizes" : "")}", 1, from, 3, x => x.InterpolateBy(scales, mode, recomputeScale: recompute),
        (i, _) => WindowSumReference.Interpolation(
            mode, from[i], (int)Math.Floor(from[i] * scales[i]), scale: recompute ? null : scales[i]),
        $"times {scales[0]} x {scales[1]}");

    private static OpCase Adaptive(int[] from, int[] to, int channels) => Case(
        "bins", 2, from, channels,
        x => to.Length switch
        {
            1 => x.AdaptiveAvgPool1D(to[0]),
            2 => x.AdaptiveAvgPool2D((to[0], to[1])),
            _ => x.AdaptiveAvgPool3D((to[0], to[1], to[2])),
        },
        (i, _) => WindowSumReference.Bins(from[i], to[i]), $"to {new Shape(to)}");

    private static OpCase Pool(
        int[] from, Size3D kernel, Size3D stride, int padding, int channels, bool ceil = false, bool includePad = true,
        int divisor = 0)
    {
        int[] taps = [kernel.Planes, kernel.Rows, kernel.Columns], steps = [stride.Planes, stride.Rows, stride.Columns];
        return Case(
            $"means of {kernel} by {stride}, padding {padding}{(ceil ? " ceil" : "")}{(includePad ? "" : " without padding")}", 2, from,
            channels, x => x.AvgPool3D(kernel, stride, padding, ceil, includePad, divisor),
            (i, _) =>
            {
                var axis = WindowAxis.Create("reference", "axis", from[i], taps[i], steps[i], 1, padding, padding, ceil);
                double[,] weights = WindowSumReference.Windows(axis, divisor > 0 ? null : includePad);
                for (int o = 0; divisor > 0 && i == 0 && o < weights.GetLength(0); o++)
                {
                    for (int j = 0; j < from[0]; j++)
                    {
                        weights[o, j] /= divisor;
                    }
                }

                return weights;
            },
            divisor == 0 ? "" : $"over {divisor}");
    }

    private static OpCase Case(
        string what, int batch, int[] from, int channels, Func<Value, Value> build, Func<int, int, double[,]> axis, string how)
    {
        Shape shape = [batch, .. from, channels];
        double[][,] axes = [.. from.Select((_, i) => axis(i, from[i]))];
        return new OpCase(
            $"{what} {shape} {how}", [OpInput.Uniform("x", shape)], values => build(values[0]),
            values => WindowSumReference.Apply(values[0], batch, channels, axes))
        {
            Samples = 12,
        };
    }
}
