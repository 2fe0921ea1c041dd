namespace FastNN.Kernels;

/// <summary>
/// One tap of the depth of a three-dimensional convolution, which is a sum of two-dimensional ones: sample (n, o) of y meets
/// image (n, Start + o * Step) of x, or none where that lies outside. The default is flat: each sample meets its own image.
/// </summary>
/// <param name="Index">Which tap; its part of the filter begins so many two-dimensional filters further.</param>
/// <param name="Samples">Outputs along the depth; 0 where there is none.</param>
/// <param name="Images">Inputs along the depth.</param>
/// <param name="Start">The input that output 0 meets, negative inside the padding.</param>
/// <param name="Step">From output to output: the stride.</param>
internal readonly record struct DepthTap(int Index, int Samples, int Images, int Start, int Step)
{
    public bool IsFlat => Samples == 0;

    /// <summary>Whether every sample meets an image.</summary>
    public bool MeetsAllSamples => IsFlat || (Start >= 0 && Start + ((long)(Samples - 1) * Step) < Images);

    /// <summary>Whether every image is met by a sample.</summary>
    public bool MeetsAllImages => IsFlat || (Step == 1 && Start <= 0 && (long)Start + Samples >= Images);

    public static DepthTap Of(in WindowAxis depth, int tap) =>
        new(tap, depth.Output, depth.Input, (tap * depth.Dilation) - depth.PadBefore, depth.Stride);

    /// <summary>The image of x that a sample of y meets, -1 where it lies outside.</summary>
    public int ImageOf(int sample)
    {
        if (Samples == 0)
        {
            return sample;
        }

        (int n, int output) = Math.DivRem(sample, Samples);
        int image = Start + (output * Step);
        return (uint)image < (uint)Images ? (n * Images) + image : -1;
    }
}
