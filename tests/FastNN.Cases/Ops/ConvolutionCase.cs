namespace FastNN.Testing;

/// <summary>A convolution of one to three axes, or its transpose, as an <see cref="OpCase"/>.</summary>
internal sealed record ConvolutionCase
{
    /// <summary>[N, ..., C].</summary>
    public required int[] X { get; init; }

    public required int Filters { get; init; }

    /// <summary>Taps along each axis.</summary>
    public required int[] Kernel { get; init; }

    public int[]? Stride { get; init; }

    /// <summary>In front and behind, the same.</summary>
    public int[]? Padding { get; init; }

    public int[]? Dilation { get; init; }

    public int[]? OutputPadding { get; init; }

    public int Groups { get; init; } = 1;

    public bool Bias { get; init; } = true;

    public bool Transposed { get; init; }

    public Activation Activation { get; init; }

    private int Axes => Kernel.Length;

    private int C => X[^1];

    public OpCase Build()
    {
        ConvReference reference = Reference();
        var output = new OpCase(Name(), Inputs(), Record, values => Fused.Forward(Activation, Sums(reference, values)))
        {
            Tolerance = 3e-6 * Math.Sqrt(
                Math.Max(
                    Math.Max(reference.OutputCount / (double)reference.OC, reference.InputCount / (double)reference.C),
                    Kernel.Aggregate(1, (a, b) => a * b) * Math.Max(C, Filters) / Groups)),
            Samples = reference.Work > 400_000 ? 3 : reference.Work > 100_000 ? 8 : 30,
            ReferenceBackward = (values, dY) =>
            {
                double[] dZ = Fused.Backward(Activation, Sums(reference, values), dY);
                double[] dBias = ConvReference.SumChannels(dZ, Filters);
                return Transposed
                    ? [reference.Forward(dZ, values[1]), reference.BackwardFilter(dZ, values[0]), dBias]
                    : [reference.BackwardData(dZ, values[1]), reference.BackwardFilter(values[0], dZ), dBias];
            },
        };
        return output;
    }

    private double[] Sums(ConvReference reference, double[][] values) => ConvReference.AddBias(
        Transposed ? reference.BackwardData(values[0], values[1]) : reference.Forward(values[0], values[1]),
        Bias ? values[2] : []);

    private OpInput[] Inputs()
    {
        (int first, int second) = Transposed ? (Filters / Groups, C) : (C / Groups, Filters);
        OpInput[] inputs =
            [OpInput.Uniform("x", new Shape(X)), OpInput.Uniform("weight", new Shape([.. Kernel, first, second]))];
        return Bias ? [.. inputs, OpInput.Uniform("bias", new Shape(Filters))] : inputs;
    }

    private Value Record(Value[] values)
    {
        int[] s = Or(Stride, 1), p = Or(Padding, 0), d = Or(Dilation, 1), o = Or(OutputPadding, 0);
        (Value x, Value weight, Value? bias) = (values[0], values[1], values.ElementAtOrDefault(2));
        Value y = (Axes, Transposed) switch
        {
            (1, false) => x.Conv1D(weight, bias, s[0], p[0], d[0], Groups),
            (1, true) => x.ConvTranspose1D(weight, bias, s[0], p[0], o[0], d[0], Groups),
            (2, false) => x.Conv2D(weight, bias, (s[0], s[1]), (p[0], p[1]), (d[0], d[1]), Groups),
            (2, true) => x.ConvTranspose2D(weight, bias, (s[0], s[1]), (p[0], p[1]), (o[0], o[1]), (d[0], d[1]), Groups),
            (3, false) => x.Conv3D(weight, bias, Size(s), (p[0], p[1], p[2]), Size(d), Groups),
            _ => x.ConvTranspose3D(weight, bias, Size(s), Size(p), Size(o), Size(d), Groups),
        };
        return y.Activate(Activation).AsInnerNode();
    }

    private ConvReference Reference()
    {
        int[] s = Three(Or(Stride, 1), 1), p = Three(Or(Padding, 0), 0), d = Three(Or(Dilation, 1), 1);
        int[] o = Three(Or(OutputPadding, 0), 0), taps = Three(Kernel, 1), given = Three(X[1..^1], 1);
        var other = new int[3];
        for (int axis = 0; axis < 3; axis++)
        {
            int extent = ((taps[axis] - 1) * d[axis]) + 1;
            other[axis] = Transposed
                ? ((given[axis] - 1) * s[axis]) - (2 * p[axis]) + extent + o[axis]
                : ((given[axis] + (2 * p[axis]) - extent) / s[axis]) + 1;
        }

        return Transposed
            ? new ConvReference(X[0], Filters, C, Groups, other, given, taps, s, p, d)
            : new ConvReference(X[0], C, Filters, Groups, given, other, taps, s, p, d);
    }

    private string Name()
    {
        var parts = new List<string> { $"{Axes}D x {new Shape(X)} to {Filters} by {string.Join('x', Kernel)}" };
        void Say(string what, int[]? amounts)
        {
            if (amounts is not null)
            {
                parts.Add($"{what} {string.Join('x', amounts)}");
            }
        }

        Say("stride", Stride);
        Say("padding", Padding);
        Say("output padding", OutputPadding);
        Say("dilation", Dilation);
        parts.Add(Groups == 1 ? "" : $"groups {Groups}");
        parts.Add(Bias ? "" : "no bias");
        return string.Join(", ", parts.Where(part => part.Length > 0)) + Fused.Suffix(Activation);
    }

    private int[] Or(int[]? amounts, int otherwise) => amounts ?? [.. Enumerable.Repeat(otherwise, Axes)];

    private static int[] Three(int[] amounts, int otherwise) =>
        [.. Enumerable.Repeat(otherwise, 3 - amounts.Length), .. amounts];

    private static Size3D Size(int[] amounts) => (amounts[0], amounts[1], amounts[2]);
}
