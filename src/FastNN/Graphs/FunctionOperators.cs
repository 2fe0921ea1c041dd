// Written by tools/FastNN.Generate from the functions in src/FastNN/Functions; edit those.
using FastNN.Functions;

namespace FastNN;

public static partial class Operators
{
    /// <summary>max(0, x); its derivative at 0 is 0, as in PyTorch.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value ReLU(this Value x) => x.Apply<Relu>();

    /// <summary>x for x > 0, else slope * x.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="slope">Of the line for negative x; default 0.01.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value LeakyReLU(this Value x, float slope = 0.01f) => x.Apply<LeakyRelu>(slope);

    /// <summary>1 / (1 + exp(-x)).</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Sigmoid(this Value x) => x.Apply<Sigmoid>();

    /// <summary>The hyperbolic tangent.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Tanh(this Value x) => x.Apply<Tanh>();

    /// <summary>x * Phi(x) with the exact Gaussian distribution function (Hendrycks and Gimpel, 2016).</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value Gelu(this Value x) => x.Apply<Gelu>();

    /// <summary>GELU by its tanh approximation (Hendrycks and Gimpel, 2016).</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>A value of x's shape.</returns>
    public static Value GeluTanh(this Value x) => x.Apply<GeluTanh>();
}
