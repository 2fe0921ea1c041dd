using FastNN.Kernels;

namespace FastNN.Testing;

internal sealed class WindowMaxCases : IOpCases
{
    private static readonly (
        int[] From, Size3D Kernel, Size3D Stride, int Padding, int Dilation, bool Ceil, int Channels)[] Pools =
    [
        ([1, 1, 1], 1, 1, 0, 1, false, 1), ([5, 7, 6], 2, 2, 0, 1, false, 3), ([5, 7, 6], (2, 3, 3), (1, 2, 2), 1, 1, false, 4),
        ([6, 5, 7], 2, 2, 0, 1, true, 17), ([5, 9, 7], 2, 1, 0, 2, false, 1), ([3, 13, 1], (3, 13, 1), 1, 0, 1, false, 129),
        ([5, 7, 6], 2, 3, 0, 1, false, 33),
    ];

    public static IEnumerable<OpCase> Cases =>
    [
        .. from pool in Pools
           from places in new[] { false, true }
           from axes in new[] { 1, 2, 3 }
           where axes == 3 || places
           select Pool(
               pool.From[^axes..], pool.Kernel, pool.Stride, pool.Padding, pool.Dilation, pool.Ceil, pool.Channels, places),
        .. from sizes in new (int[] From, int[] To)[]
           {
               ([7], [3]), ([3], [7]), ([10, 10], [7, 7]), ([13, 5], [3, 4]), ([8, 8], [4, 4]), ([5, 7, 9], [2, 3, 4]),
           }
           from channels in new[] { 1, 31 }
           from places in new[] { false, true }
           select Adaptive(sizes.From, sizes.To, channels, places),
    ];

    private static OpCase Pool(
        int[] from, Size3D kernel, Size3D stride, int padding, int dilation, bool ceil, int channels, bool places)
    {
        int[] taps = [.. new[] { kernel.Planes, kernel.Rows, kernel.Columns }[^from.Length..]];
        int[] steps = [.. new[] { stride.Planes, stride.Rows, stride.Columns }[^from.Length..]];
        Size2D image = (kernel.Rows, kernel.Columns), between = (stride.Rows, stride.Columns);
        return Case(
            $"max of {kernel} by {stride}, padding {padding}, dilation {dilation}{(ceil ? " ceil" : "")}", from, channels, places,
            x => from.Length switch
            {
                1 => x.MaxPool1DWithIndices(kernel.Columns, stride.Columns, padding, dilation, ceil),
                2 => x.MaxPool2DWithIndices(image, between, padding, dilation, ceil),
                _ when places => x.MaxPool3DWithIndices(kernel, stride, padding, dilation, ceil),
                _ => (x.MaxPool3D(kernel, stride, padding, dilation, ceil), x),
            },
            [
                .. from.Select((extent, i) => WindowMaxReference.Windows(
                    WindowAxis.Create("reference", "axis", extent, taps[i], steps[i], dilation, padding, padding, ceil))),
            ]);
    }

    private static OpCase Adaptive(int[] from, int[] to, int channels, bool places) => Case(
        $"largest of bins {new Shape(to)}", from, channels, places,
        x => to.Length switch
        {
            1 => places ? x.AdaptiveMaxPool1DWithIndices(to[0]) : (x.AdaptiveMaxPool1D(to[0]), x),
            2 => places ? x.AdaptiveMaxPool2DWithIndices((to[0], to[1])) : (x.AdaptiveMaxPool2D((to[0], to[1])), x),
            _ => places ? x.AdaptiveMaxPool3DWithIndices((to[0], to[1], to[2])) : (x.AdaptiveMaxPool3D((to[0], to[1], to[2])), x),
        },
        [.. from.Zip(to, WindowMaxReference.Bins)]);

    /// <summary>The maxima with their gradient, or the positions, which have none; among these, ties.</summary>
    private static OpCase Case(
        string what, int[] from, int channels, bool places, Func<Value, (Value Y, Value Indices)> build, int[][][] axes)
    {
        Shape shape = [2, .. from, channels];
        OpInput x = places
            ? new OpInput("x", shape, (random, count) => [.. Enumerable.Range(0, count).Select(_ => (double)random.Next(-2, 3))])
            {
                IsDifferentiable = false,
            }
            : OpInput.Distinct("x", shape);
        return new OpCase(
            $"{what} {shape}{(places ? " places" : "")}", [x],
            values => places ? build(values[0]).Indices.Cast(DType.Float32) : build(values[0]).Y,
            values =>
            {
                (double[] y, double[] found) = WindowMaxReference.Forward(values[0], 2, channels, from, axes);
                return places ? found : y;
            })
        {
            Samples = 12,
        };
    }
}
