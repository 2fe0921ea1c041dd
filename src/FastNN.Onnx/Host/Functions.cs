using System.Numerics;

namespace FastNN.Onnx.Host;

// One struct per function: what ONNX's operator of that name computes of an element, or of two.

internal readonly struct Add : IBinary
{
    public static T Invoke<T>(T a, T b)
        where T : unmanaged, INumber<T> => a + b;
}

internal readonly struct Subtract : IBinary
{
    public static T Invoke<T>(T a, T b)
        where T : unmanaged, INumber<T> => a - b;
}

internal readonly struct Multiply : IBinary
{
    public static T Invoke<T>(T a, T b)
        where T : unmanaged, INumber<T> => a * b;
}

/// <summary>Integers are cut towards zero; division by zero gives 0 and so does the one overflow.</summary>
internal readonly struct Divide : IBinary
{
    public static T Invoke<T>(T a, T b)
        where T : unmanaged, INumber<T> =>
        typeof(T) == typeof(float) || typeof(T) == typeof(double) ? a / b
        : b == T.Zero ? T.Zero
        : b == -T.One && b < T.Zero ? T.Zero - a
        : a / b;
}

/// <summary>NaN where one of both is.</summary>
internal readonly struct Maximum : IBinary
{
    public static T Invoke<T>(T a, T b)
        where T : unmanaged, INumber<T> => T.Max(a, b);
}

/// <summary>NaN where one of both is.</summary>
internal readonly struct Minimum : IBinary
{
    public static T Invoke<T>(T a, T b)
        where T : unmanaged, INumber<T> => T.Min(a, b);
}

/// <summary>The remainder with the divisor's sign, Python's %.</summary>
internal readonly struct FloorModulo : IBinary
{
    public static T Invoke<T>(T a, T b)
        where T : unmanaged, INumber<T>
    {
        if (b == T.Zero && typeof(T) != typeof(float) && typeof(T) != typeof(double))
        {
            return T.Zero;
        }

        if (b < T.Zero && b == -T.One)
        {
            return T.Zero;
        }

        T remainder = a % b;
        return remainder != T.Zero && (remainder < T.Zero) != (b < T.Zero) ? remainder + b : remainder;
    }
}

/// <summary>The remainder with the dividend's sign, C's fmod.</summary>
internal readonly struct Modulo : IBinary
{
    public static T Invoke<T>(T a, T b)
        where T : unmanaged, INumber<T> =>
        typeof(T) == typeof(float) || typeof(T) == typeof(double) ? a % b
        : b == T.Zero || (b < T.Zero && b == -T.One) ? T.Zero
        : a % b;
}

internal readonly struct Equal : IRelation
{
    public static bool Invoke<T>(T a, T b)
        where T : unmanaged, INumber<T> => a == b;
}

internal readonly struct Less : IRelation
{
    public static bool Invoke<T>(T a, T b)
        where T : unmanaged, INumber<T> => a < b;
}

internal readonly struct LessOrEqual : IRelation
{
    public static bool Invoke<T>(T a, T b)
        where T : unmanaged, INumber<T> => a <= b;
}

internal readonly struct Greater : IRelation
{
    public static bool Invoke<T>(T a, T b)
        where T : unmanaged, INumber<T> => a > b;
}

internal readonly struct GreaterOrEqual : IRelation
{
    public static bool Invoke<T>(T a, T b)
        where T : unmanaged, INumber<T> => a >= b;
}
