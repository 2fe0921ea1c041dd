namespace FastNN;

/// <summary>How <c>Interpolate</c> computes values between positions.</summary>
public enum InterpolationMode
{
    /// <summary>The input at floor(o / scale), PyTorch's 'nearest'.</summary>
    Nearest,

    /// <summary>The input whose center is nearest, floor((o + 0.5) / scale), PyTorch's 'nearest-exact'.</summary>
    NearestExact,

    /// <summary>Linear along each axis: PyTorch's 'linear', 'bilinear' and 'trilinear'.</summary>
    Linear,

    /// <summary>Cubic convolution along each axis with a = -0.75: PyTorch's 'bicubic', for any number of axes here.</summary>
    Cubic,

    /// <summary>The mean of the bin of each output, PyTorch's 'area'.</summary>
    Area,
}
