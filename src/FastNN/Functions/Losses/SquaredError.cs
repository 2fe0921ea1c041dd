using System.Runtime.CompilerServices;

namespace FastNN.Functions;

internal readonly struct SquaredError : ILossFunction
{
    public static string Is => "(x - target)^2";

    public static bool TakesPositiveWeight => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, T target, T positiveWeight)
        where T : struct, ILanes<T>
    {
        T error = x - target;
        return error * error;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Slope<T>(T x, T target, T positiveWeight)
        where T : struct, ILanes<T>
    {
        T error = x - target;
        return error + error;
    }
}
