namespace FastNN;

/// <summary>Element-wise activation functions, alone or fused behind a dense layer or convolution.</summary>
public enum Activation
{
    /// <summary>The identity.</summary>
    None,

    /// <summary>max(0, x); its derivative at 0 is 0, as in PyTorch.</summary>
    ReLU,

    /// <summary>x for x > 0, else slope * x.</summary>
    LeakyReLU,

    /// <summary>1 / (1 + exp(-x)).</summary>
    Sigmoid,

    /// <summary>The hyperbolic tangent.</summary>
    Tanh,

    /// <summary>x * Phi(x) with the exact Gaussian distribution function (Hendrycks and Gimpel, 2016).</summary>
    Gelu,

    /// <summary>GELU by its tanh approximation (Hendrycks and Gimpel, 2016).</summary>
    GeluTanh,
}
