using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>Maxima of windows by definition, in double: along each axis the positions that every output looks at.</summary>
internal static class WindowMaxReference
{
    /// <summary>x [N, D, H, W, C]; the first of equal ones wins. Places are flat positions in the channel's volume.</summary>
    public static (double[] Y, double[] Places) Forward(double[] x, int batch, int channels, int[] extents, int[][][] axes)
    {
        int[] sizes = [.. Enumerable.Repeat(1, 3 - extents.Length), .. extents];
        int[][] one = [[0]];
        int[][][] three = [.. Enumerable.Repeat(one, 3 - axes.Length), .. axes];
        var y = new List<double>();
        var places = new List<double>();
        for (int n = 0; n < batch; n++)
        {
            foreach ((int[] planes, int[] rows, int[] columns) in Products(three))
            {
                for (int c = 0; c < channels; c++)
                {
                    int best = -1;
                    foreach (int place in
                        from d in planes from h in rows from w in columns select (((d * sizes[1]) + h) * sizes[2]) + w)
                    {
                        best = best < 0 || Element(place) > Element(best) || double.IsNaN(Element(place)) ? place : best;
                    }

                    y.Add(Element(best));
                    places.Add(best);

                    double Element(int place) => x[(((n * sizes[0] * sizes[1] * sizes[2]) + place) * channels) + c];
                }
            }
        }

        return ([.. y], [.. places]);
    }

    private static IEnumerable<(int[] Planes, int[] Rows, int[] Columns)> Products(int[][][] axes) =>
        from planes in axes[0]
        from rows in axes[1]
        from columns in axes[2]
        select (planes, rows, columns);

    /// <summary>The taps of each window that lie on the input.</summary>
    public static int[][] Windows(WindowAxis axis) =>
    [
        .. from o in Enumerable.Range(0, axis.Output)
           select (from k in Enumerable.Range(0, axis.Taps)
                   let i = axis.Start(o) + (k * axis.Dilation)
                   where i >= 0 && i < axis.Input
                   select i).ToArray(),
    ];

    /// <summary>The inputs of each bin.</summary>
    public static int[][] Bins(int input, int output) =>
    [
        .. from o in Enumerable.Range(0, output)
           let first = o * input / output
           select Enumerable.Range(first, (int)Math.Ceiling((o + 1) * input / (double)output) - first).ToArray(),
    ];
}
