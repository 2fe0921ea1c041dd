using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>
/// One axis of an indirect convolution: output i meets the source at Start + i*Step + k*TapStep for taps k, and is stored at
/// TargetFirst + i*TargetStep. Forward is one such convolution; backward-data is one for each residue of the stride.
/// </summary>
internal readonly struct ConvolutionAxis
{
    public readonly int Count;
    public readonly int Start;
    public readonly int Step;
    public readonly int Taps;
    public readonly int TapStep;
    public readonly int Limit;
    public readonly int TargetFirst;
    public readonly int TargetStep;

    /// <summary>
    /// The filter's tap that comes first here, and the filter's step from tap to tap (negative: it is flipped).
    /// </summary>
    public readonly int FilterFirst;
    public readonly int FilterStep;

    private ConvolutionAxis(
        int count, int start, int step, int taps, int tapStep, int limit, int targetFirst, int targetStep, int filterFirst,
        int filterStep)
    {
        Count = count;
        Start = start;
        Step = step;
        Taps = taps;
        TapStep = tapStep;
        Limit = limit;
        TargetFirst = targetFirst;
        TargetStep = targetStep;
        FilterFirst = filterFirst;
        FilterStep = filterStep;
    }

    /// <summary>True when every tap of every output lies inside the source.</summary>
    public bool IsInside => Start >= 0 && Start + ((long)(Count - 1) * Step) + ((long)(Taps - 1) * TapStep) < Limit;

    public static ConvolutionAxis Forward(in WindowAxis axis) =>
        new(axis.Output, -axis.PadBefore, axis.Stride, axis.Taps, axis.Dilation, axis.Input, 0, 1, 0, 1);

    /// <summary>
    /// The input positions i with (i + PadBefore) mod Stride == residue as a convolution of dY with stride 1. Of the taps,
    /// those with k*Dilation = residue (mod Stride) meet them: every (Stride / gcd)-th from the first; each step among them
    /// moves dY by Dilation / gcd, backwards, so the taps are taken in reverse.
    /// </summary>
    public static ConvolutionAxis BackwardData(in WindowAxis axis, int residue)
    {
        int divisor = GreatestCommonDivisor(axis.Stride, axis.Dilation);
        int filterStep = axis.Stride / divisor;
        int tapStep = axis.Dilation / divisor;
        int targetFirst = Modulo((long)residue - axis.PadBefore, axis.Stride);
        int count = targetFirst >= axis.Input ? 0 : ((axis.Input - 1 - targetFirst) / axis.Stride) + 1;
        int first = 0;
        while (first < axis.Taps && first < axis.Stride && ((long)first * axis.Dilation) % axis.Stride != residue)
        {
            first++;
        }
        if (first >= axis.Taps || first >= axis.Stride)
        {
            return new ConvolutionAxis(count, 0, 1, 0, 1, axis.Output, targetFirst, axis.Stride, 0, 1);
        }
        int taps = ((axis.Taps - 1 - first) / filterStep) + 1;
        long newest = ((long)targetFirst + axis.PadBefore - ((long)first * axis.Dilation)) / axis.Stride;
        int start = (int)(newest - ((long)(taps - 1) * tapStep));
        int last = first + ((taps - 1) * filterStep);
        return new ConvolutionAxis(count, start, 1, taps, tapStep, axis.Output, targetFirst, axis.Stride, last, -filterStep);
    }

    /// <summary>The taps [first, end) of an output that fall on the source; 0, 0 where none does.</summary>
    public (int First, int End) ValidTaps(int output)
    {
        int start = Start + (output * Step);
        if (start >= 0 && start + ((Taps - 1) * TapStep) < Limit && Taps > 0)
        {
            return (0, Taps);
        }
        int first = start >= 0 ? 0 : (int)(((long)TapStep - 1 - start) / TapStep);
        int end = start >= Limit ? 0 : Math.Min(Taps, ((Limit - 1 - start) / TapStep) + 1);
        return first < end ? (first, end) : (0, 0);
    }

    /// <summary>The end of the run of outputs from <paramref name="output"/> on that have the same valid taps.</summary>
    public int ClassEnd(int output, int limit)
    {
        (int, int) taps = ValidTaps(output);
        int end = output + 1;
        while (end < limit && ValidTaps(end) == taps)
        {
            end++;
        }
        return end;
    }

    private static int GreatestCommonDivisor(int a, int b)
    {
        while (b != 0)
        {
            (a, b) = (b, a % b);
        }
        return a;
    }

    private static int Modulo(long value, int divisor)
    {
        int remainder = (int)(value % divisor);
        return remainder < 0 ? remainder + divisor : remainder;
    }
}
