using System.Numerics;

namespace FastNN.Onnx.Host;

// One struct per function of a float; a and b are the operator's attributes.

internal readonly struct Sqrt : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Sqrt(x);
}

internal readonly struct Exp : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Exp(x);
}

internal readonly struct Log : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Log(x);
}

internal readonly struct Sin : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Sin(x);
}

internal readonly struct Cos : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Cos(x);
}

internal readonly struct Tan : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Tan(x);
}

internal readonly struct Asin : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Asin(x);
}

internal readonly struct Acos : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Acos(x);
}

internal readonly struct Atan : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Atan(x);
}

internal readonly struct Sinh : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Sinh(x);
}

internal readonly struct Cosh : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Cosh(x);
}

internal readonly struct Asinh : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Asinh(x);
}

internal readonly struct Acosh : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Acosh(x);
}

internal readonly struct Atanh : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Atanh(x);
}

internal readonly struct Tanh : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Tanh(x);
}

internal readonly struct Ceiling : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Ceiling(x);
}

internal readonly struct Floor : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Floor(x);
}

/// <summary>Halves go to the even integer.</summary>
internal readonly struct Round : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Round(x, 0, MidpointRounding.ToEven);
}

internal readonly struct Reciprocal : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.One / x;
}

/// <summary>Written in two halves, so that no exponential overflows.</summary>
internal readonly struct Sigmoid : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        x >= T.Zero ? T.One / (T.One + T.Exp(-x)) : T.Exp(x) / (T.One + T.Exp(x));
}

/// <summary>log(1 + exp(x)) without overflow.</summary>
internal readonly struct Softplus : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Max(x, T.Zero) + T.LogP1(T.Exp(-T.Abs(x)));
}

internal readonly struct Softsign : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => x / (T.One + T.Abs(x));
}

internal readonly struct Erf : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => ErrorFunction.Of(x);
}

internal readonly struct LeakyRelu : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => x < T.Zero ? a * x : x;
}

internal readonly struct ThresholdedRelu : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => x > a ? x : T.Zero;
}

internal readonly struct Elu : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => x < T.Zero ? a * (T.Exp(x) - T.One) : x;
}

/// <summary>a is alpha, b gamma.</summary>
internal readonly struct Selu : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => x > T.Zero ? b * x : b * a * (T.Exp(x) - T.One);
}

internal readonly struct Celu : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Max(x, T.Zero) + T.Min(T.Zero, a * (T.Exp(x / a) - T.One));
}

internal readonly struct HardSigmoid : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => T.Max(T.Zero, T.Min(T.One, (a * x) + b));
}

internal readonly struct HardSwish : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        x * T.Max(T.Zero, T.Min(T.One, (x / T.CreateTruncating(6)) + T.CreateTruncating(0.5)));
}

internal readonly struct Mish : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => x * T.Tanh(Softplus.Invoke(x, a, b));
}

internal readonly struct Swish : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => x * Sigmoid.Invoke(a * x, a, b);
}

internal readonly struct Gelu : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        T.CreateTruncating(0.5) * x * (T.One + ErrorFunction.Of(x / T.Sqrt(T.CreateTruncating(2))));
}

/// <summary>The approximation by tanh (Hendrycks and Gimpel, 2016).</summary>
internal readonly struct GeluTanh : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        T.CreateTruncating(0.5) * x * (T.One
            + T.Tanh(T.CreateTruncating(0.7978845608028654) * (x + (T.CreateTruncating(0.044715) * x * x * x))));
}

/// <summary>a is lambd, b the bias.</summary>
internal readonly struct Shrink : IFloatFunction
{
    public static T Invoke<T>(T x, T a, T b)
        where T : unmanaged, IFloatingPointIeee754<T> => x < -a ? x + b : x > a ? x - b : T.Zero;
}
