using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>Maxima of windows by definition, in double: along each axis the positions that every output looks at.</summary>
internal static class WindowMaxReference
{
    /// <summary>x [N, D, H, W, C]; the first of equal ones wins. Places are flat positions in the channel's volume.</summary>
    public static (double[] Y, double[] Places) Forward(double[] x, int batch, int channels, int[] extents, int[][][] axes)
    {
        int[] from = [.. Enumerable.Repeat(1, 3 - extents.Length), .. extents];
        int[][][] three = [.. Enumerable.Repeat<int[][]>([[0]], 3 - axes.Length), .. axes];
        var y = new List<double>();
        var places = new List<double>();
        for (int n = 0; n < batch; n++)
        {
            foreach ((int[] planes, int[] rows, int[] columns) in
                from d in three[0] from h in three[1] from w in three[2] select (d, h, w))
            {
                for (int c = 0; c < channels; c++)
                {
                    int best = -1;
                    foreach (int place in
                        from d in planes from h in rows from w in columns select (((d * from[1]) + h) * from[2]) + w)
                    {
                        best = best < 0 || Element(place) > Element(best) || double.IsNaN(Element(place)) ? place : best;
                    }

                    y.Add(Element(best));
                    places.Add(best);

                    double Element(int place) => x[(((n * from[0] * from[1] * from[2]) + place) * channels) + c];
                }
            }
        }

        return ([.. y], [.. places]);
    }

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
