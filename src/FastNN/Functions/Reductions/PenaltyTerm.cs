using System.Runtime.CompilerServices;

namespace FastNN.Functions;

/// <summary>
/// One term of a penalty on weights, A |x| + B x^2, and its slope with sign(0) = 0. The parameters are the factors of the L1 and
/// the squared L2 norm.
/// </summary>
internal readonly struct PenaltyTerm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T x, Scalars s)
        where T : struct, ILanes<T> => T.MultiplyAdd(x * s.B, x, T.Abs(x) * s.A);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Slope<T>(T x, Scalars s)
        where T : struct, ILanes<T>
    {
        T l1 = s.A, l2 = s.B;
        T sign = T.IfGreater(x, 0f, l1, 0f);
        sign = T.IfGreater(0f, x, -l1, sign);
        return T.MultiplyAdd(x, l2 + l2, sign);
    }
}
