namespace FastNN.Kernels;

/// <summary>
/// One axis of a sliding window: where output position o and tap k meet the input, at o*Stride - PadBefore + k*Dilation.
/// Convolution and pooling, their backward passes and all devices take the border arithmetic from here.
/// </summary>
internal readonly record struct WindowAxis
{
    private WindowAxis(int input, int taps, int stride, int dilation, int padBefore, int padAfter, int output)
    {
        Input = input;
        Taps = taps;
        // One window is alone whatever its stride; a huge one would only make loops over its positions long.
        Stride = output == 1 ? (int)Math.Min(stride, Math.Max((long)input + padBefore + padAfter, 1)) : stride;
        Dilation = dilation;
        PadBefore = padBefore;
        PadAfter = padAfter;
        Output = output;
    }

    public int Input { get; }

    public int Taps { get; }

    public int Stride { get; }

    public int Dilation { get; }

    public int PadBefore { get; }

    public int PadAfter { get; }

    public int Output { get; }

    /// <summary>Input positions from the first tap to the last.</summary>
    public int Extent => ((Taps - 1) * Dilation) + 1;

    /// <summary>True when every tap of every window lies inside the input.</summary>
    public bool IsInside => PadBefore == 0 && ((long)(Output - 1) * Stride) + Extent <= Input;

    /// <summary>
    /// True when windows have no gaps and no input position belongs to two; one window is alone whatever its stride.
    /// </summary>
    public bool IsDisjoint => Dilation == 1 && (Stride >= Taps || Output == 1);

    /// <summary>
    /// Whether the output's extent is the one that input, padding and window give; a transposed axis may have less.
    /// </summary>
    public bool IsWhole => (((long)Input + PadBefore + PadAfter - Extent) / Stride) + 1 == Output;

    /// <summary>Input position of the first tap; negative inside the padding.</summary>
    public int Start(int output) => (output * Stride) - PadBefore;

    /// <summary>The taps [first, end) of a window that fall on the input; end == first where none does.</summary>
    public (int First, int End) ValidTaps(int output)
    {
        int start = Start(output);
        if (start >= 0 && start + Extent <= Input)
        {
            return (0, Taps);
        }
        int first = start >= 0 ? 0 : (int)(((long)Dilation - 1 - start) / Dilation);
        int end = start >= Input ? 0 : Math.Min(Taps, ((Input - 1 - start) / Dilation) + 1);
        return (first, Math.Max(first, end));
    }

    /// <summary>The outputs [first, end) whose window spans the input position, dilation aside.</summary>
    public (int First, int End) Windows(int input)
    {
        int shifted = input + PadBefore;
        int first = shifted < Extent ? 0 : ((shifted - Extent) / Stride) + 1;
        int end = Math.Min(Output, (shifted / Stride) + 1);
        return (first, Math.Max(first, end));
    }

    /// <summary>The tap with which a window that spans the input position meets it; -1 where dilation steps over it.</summary>
    public int TapOf(int input, int output)
    {
        int distance = input - Start(output);
        if (Dilation == 1)
        {
            return distance;
        }
        int tap = distance / Dilation;
        return tap * Dilation == distance ? tap : -1;
    }

    /// <summary>The outputs [first, end) for which the tap falls on the input; end == first where none does.</summary>
    public (int First, int End) ValidOutputs(int tap)
    {
        int shift = (tap * Dilation) - PadBefore;
        int first = shift >= 0 ? 0 : (int)(((long)Stride - 1 - shift) / Stride);
        int end = shift >= Input ? 0 : Math.Min(Output, ((Input - 1 - shift) / Stride) + 1);
        return (first, Math.Max(first, end));
    }

    /// <summary>
    /// Checks the sizes and counts the outputs: floor((Input + padding - Extent) / Stride) + 1. With
    /// <paramref name="ceil"/> the division rounds up, and, as in PyTorch, a last window that would start beyond the input
    /// and its leading padding is dropped.
    /// </summary>
    /// <exception cref="ShapeException">A size is out of range, or the window does not fit.</exception>
    public static WindowAxis Create(
        string operation, string name, int input, int taps, int stride, int dilation, int padBefore, int padAfter,
        bool ceil = false)
    {
        CheckSizes(operation, name, input, taps, stride, dilation);
        if (padBefore < 0 || padAfter < 0)
        {
            throw new ShapeException(
                $"{operation}: the padding of the {name} must not be negative, got {padBefore} and {padAfter}.");
        }
        long padded = (long)input + padBefore + padAfter;
        long extent = ((long)(taps - 1) * dilation) + 1;
        long span = padded - extent;
        if (span < 0 && !(ceil && span + stride > 0))
        {
            throw new ShapeException(
                $"{operation}: the window's {name} of {extent} ({taps} taps, dilation {dilation}) is larger than the input's " +
                $"{name} of {input} with padding {padBefore} + {padAfter}.");
        }
        long output = span < 0 ? 1 : (ceil ? (span + stride - 1) / stride : span / stride) + 1;
        if (ceil && (output - 1) * stride >= (long)input + padBefore)
        {
            output--;
        }
        return Checked(operation, name, input, taps, stride, dilation, padBefore, padAfter, output);
    }

    /// <summary>TensorFlow's "same": ceil(Input / Stride) outputs, the smaller half of the padding first.</summary>
    /// <exception cref="ShapeException">A size is out of range.</exception>
    public static WindowAxis Same(string operation, string name, int input, int taps, int stride, int dilation)
    {
        CheckSizes(operation, name, input, taps, stride, dilation);
        long output = ((long)input + stride - 1) / stride;
        long extent = ((long)(taps - 1) * dilation) + 1;
        long padding = Math.Max(0, ((output - 1) * stride) + extent - input);
        return Checked(operation, name, input, taps, stride, dilation, padding / 2, padding - (padding / 2), output);
    }

    /// <summary>
    /// The axis of the convolution whose data gradient a transposed convolution is: what is transposed are
    /// <paramref name="input"/> positions, so they are this axis' outputs, and its input has
    /// (input - 1) * stride - padding + extent + outputPadding positions. As in PyTorch the output padding tells apart the inputs
    /// that a stride folds into one output, so it is smaller than the stride or the dilation.
    /// </summary>
    /// <exception cref="ShapeException">A size is out of range.</exception>
    public static WindowAxis Transposed(
        string operation, string name, int input, int taps, int stride, int dilation, int padBefore, int padAfter,
        int outputPadding)
    {
        CheckSizes(operation, name, input, taps, stride, dilation);
        if (padBefore < 0 || padAfter < 0)
        {
            throw new ShapeException(
                $"{operation}: the padding of the {name} must not be negative, got {padBefore} and {padAfter}.");
        }

        if (outputPadding < 0 || outputPadding >= Math.Max(stride, dilation))
        {
            throw new ShapeException(
                $"{operation}: expected an output padding of the {name} from 0 to below its stride {stride} or dilation {dilation}, " +
                $"got {outputPadding}.");
        }

        long extent = ((long)(taps - 1) * dilation) + 1;
        long whole = ((long)(input - 1) * stride) + extent + outputPadding;
        long output = whole - padBefore - padAfter;
        return output > 0 && whole <= int.MaxValue
            ? new WindowAxis((int)output, taps, stride, dilation, padBefore, padAfter, input)
            : throw new ShapeException(
                $"{operation}: expected an output {name} from 1 to {int.MaxValue}, got {output} for the input's {name} of {input} " +
                $"({taps} taps, stride {stride}, dilation {dilation}, padding {padBefore} + {padAfter}).");
    }

    private static void CheckSizes(string operation, string name, int input, int taps, int stride, int dilation)
    {
        if (input <= 0 || taps <= 0 || stride <= 0 || dilation <= 0)
        {
            throw new ShapeException(
                $"{operation}: input, kernel, stride and dilation of the {name} must be positive, got " +
                $"{input}, {taps}, {stride}, {dilation}.");
        }
    }

    private static WindowAxis Checked(
        string operation, string name, int input, int taps, int stride, int dilation, long padBefore, long padAfter, long output)
    {
        // Positions are computed in 32 bits everywhere else; this is the one place that rules an overflow out.
        long last = ((output - 1) * stride) + ((long)(taps - 1) * dilation);
        if (last > int.MaxValue || input + padBefore + padAfter > int.MaxValue)
        {
            throw new ShapeException(
                $"{operation}: the {name} of {input} with padding {padBefore} + {padAfter} is too large for a window of {taps} taps with stride {stride} and dilation {dilation}.");
        }
        return new WindowAxis(input, taps, stride, dilation, (int)padBefore, (int)padAfter, (int)output);
    }
}
