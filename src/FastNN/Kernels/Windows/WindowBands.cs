namespace FastNN.Kernels;

/// <summary>
/// Where the rows of one axis lie in a table of integers: for each position the first of those it reads, how many they are,
/// and, where bands have weights, the bits of <paramref name="Taps"/> floats.
/// </summary>
/// <param name="Offset">Of the first row.</param>
/// <param name="Taps">Weights of each row; 0 where all are 1.</param>
internal readonly record struct BandTable(int Offset, int Taps)
{
    public int Stride => Taps + 2;
}

/// <summary>One axis: what outputs read of the input, and what inputs are read by.</summary>
/// <param name="Input">Positions of the input.</param>
/// <param name="Output">Positions of the output.</param>
/// <param name="Step">Positions from one tap to the next.</param>
/// <param name="Forward">For each output the inputs that it reads.</param>
/// <param name="Backward">For each input the outputs that read it, by weights that are 0 where one between them does not.</param>
internal readonly record struct BandAxis(int Input, int Output, int Step, BandTable Forward, BandTable Backward)
{
    public BandAxis Transposed => new(Output, Input, 1, Backward, Forward);
}

/// <summary>Windows over volumes [N, D, H, W, C], given by bands along each of the three axes.</summary>
internal readonly record struct WindowBands(int N, int C, BandAxis Depth, BandAxis Vertical, BandAxis Horizontal)
{
    /// <summary>The same with input and output exchanged: what a backward pass gathers.</summary>
    public WindowBands Transposed => new(N, C, Depth.Transposed, Vertical.Transposed, Horizontal.Transposed);

    public Shape InputShape => new(N, Depth.Input, Vertical.Input, Horizontal.Input, C);

    public Shape OutputShape => new(N, Depth.Output, Vertical.Output, Horizontal.Output, C);
}

/// <summary>The axes of windows, and their table, which a graph holds as a constant.</summary>
/// <param name="Depth">Planes.</param>
/// <param name="Vertical">Rows.</param>
/// <param name="Horizontal">Columns.</param>
/// <param name="Table">What <see cref="BandTable"/> describes.</param>
internal sealed record WindowAxes(BandAxis Depth, BandAxis Vertical, BandAxis Horizontal, int[] Table)
{
    /// <summary>More than this has no use and would fill the device's memory.</summary>
    private const long MaxEntries = 1 << 26;

    /// <param name="name">The operator's, for errors.</param>
    /// <param name="weighted">Whether the weights are written.</param>
    /// <exception cref="ShapeException">The windows have too many weights.</exception>
    public static WindowAxes Of(string name, Bands depth, Bands vertical, Bands horizontal, bool weighted)
    {
        var table = new List<int>();
        return new WindowAxes(
            Add(name, table, depth, weighted), Add(name, table, vertical, weighted), Add(name, table, horizontal, weighted),
            [.. table]);
    }

    private static BandAxis Add(string name, List<int> table, Bands bands, bool weighted)
    {
        (int First, float[] Weights)[] readers = Transpose(bands);
        BandTable forward = Write(name, table, bands.Rows, weighted), backward = Write(name, table, readers, weighted);
        return new BandAxis(bands.Input, bands.Output, bands.Step, forward, backward);
    }

    private static BandTable Write(string name, List<int> table, (int First, float[] Weights)[] rows, bool weighted)
    {
        int taps = weighted ? rows.Max(row => row.Weights.Length) : 0;
        var place = new BandTable(table.Count, taps);
        if (table.Count + (rows.Length * (long)place.Stride) > MaxEntries)
        {
            throw new ShapeException(
                $"{name}: windows with {rows.Length} x {taps} weights along one axis are more than {MaxEntries}; use smaller ones.");
        }

        foreach ((int first, float[] weights) in rows)
        {
            table.Add(first);
            table.Add(weights.Length);
            for (int i = 0; i < taps; i++)
            {
                table.Add(i < weights.Length ? BitConverter.SingleToInt32Bits(weights[i]) : 0);
            }
        }

        return place;
    }

    /// <summary>For each input the outputs that read it.</summary>
    private static (int First, float[] Weights)[] Transpose(Bands bands)
    {
        var first = new int[bands.Input];
        var end = new int[bands.Input];
        ForTaps(bands, (output, input, _) =>
        {
            first[input] = end[input] == 0 ? output : first[input];
            end[input] = output + 1;
        });
        var rows = new (int First, float[] Weights)[bands.Input];
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = (first[i], new float[end[i] - first[i]]);
        }

        ForTaps(bands, (output, input, weight) => rows[input].Weights[output - rows[input].First] = weight);
        return rows;
    }

    private static void ForTaps(Bands bands, Action<int, int, float> action)
    {
        for (int output = 0; output < bands.Output; output++)
        {
            (int first, float[] weights) = bands.Rows[output];
            for (int i = 0; i < weights.Length; i++)
            {
                action(output, first + (i * bands.Step), weights[i]);
            }
        }
    }
}
