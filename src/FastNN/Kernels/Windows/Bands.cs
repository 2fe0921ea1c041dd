namespace FastNN.Kernels;

/// <summary>
/// What each output along one axis reads of the input: neighboring positions, or every so many, with weights. Poolings whose
/// windows differ and interpolations are bands along each axis; what an output takes is the product over the axes.
/// </summary>
/// <param name="Input">Positions of the input.</param>
/// <param name="Step">Positions from one tap to the next.</param>
/// <param name="Rows">For each output its first position and the weights from there on.</param>
internal sealed record Bands(int Input, int Step, (int First, float[] Weights)[] Rows)
{
    public int Output => Rows.Length;

    /// <summary>Every output is its input.</summary>
    public static Bands Identity(int extent) => Of(extent, extent, output => (output, [1]));

    /// <summary>Windows of a pooling, of weights 1.</summary>
    public static Bands Windows(WindowAxis axis) => Of(axis.Input, axis.Output, output =>
    {
        (int first, int end) = axis.ValidTaps(output);
        return (axis.Start(output) + (first * axis.Dilation), Equal(end - first, 1));
    }, axis.Dilation);

    /// <summary>Windows of an average along one axis; padding counts or not, what lies beyond it never.</summary>
    public static Bands Means(WindowAxis axis, bool countIncludePad) => Of(axis.Input, axis.Output, output =>
    {
        (int first, int end) = axis.ValidTaps(output);
        int start = axis.Start(output);
        int counted = countIncludePad ? Math.Min(start + axis.Taps, axis.Input + axis.PadAfter) - start : end - first;
        return (start + first, Equal(end - first, 1f / counted));
    });

    /// <summary>As many bins as outputs, from floor(o input / output) up to ceil((o + 1) input / output).</summary>
    public static Bands Bins(int input, int output, bool mean) => Of(input, output, o =>
    {
        var first = (int)((long)o * input / output);
        var end = (int)((((o + 1L) * input) + output - 1) / output);
        return (first, Equal(end - first, mean ? 1f / (end - first) : 1));
    });

    /// <summary>These bands times a number.</summary>
    public Bands Times(float factor) =>
        this with { Rows = Array.ConvertAll(Rows, row => (row.First, Array.ConvertAll(row.Weights, weight => weight * factor))) };

    public static Bands Of(int input, int output, Func<int, (int First, float[] Weights)> row, int step = 1)
    {
        var rows = new (int First, float[] Weights)[output];
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = row(i);
        }

        return new Bands(input, step, rows);
    }

    private static float[] Equal(int count, float weight)
    {
        var weights = new float[count];
        Array.Fill(weights, weight);
        return weights;
    }
}
