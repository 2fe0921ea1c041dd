using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct Sin : IUnaryFunction
{
    public static FunctionInfo Info => new("Sin", "The sine of x, for |x| up to 8192", torch: "sin", onnx: "Sin", samples: new(-20, 20));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => Elementary.Sine(x, 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY * Elementary.Sine(x, 1);
}

internal readonly struct Cos : IUnaryFunction
{
    public static FunctionInfo Info => new("Cos", "The cosine of x, for |x| up to 8192", torch: "cos", onnx: "Cos", samples: new(-20, 20));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => Elementary.Sine(x, 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Gradient<T>(T x, T dY, Scalars s)
        where T : struct, ILanes<T> => dY * Elementary.Sine(x, 2);
}
