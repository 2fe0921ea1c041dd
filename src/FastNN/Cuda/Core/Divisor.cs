using System.Numerics;
using System.Runtime.InteropServices;

namespace FastNN.Cuda;

/// <summary>
/// A positive number that kernels divide by with a multiplication and a shift (kernels/divisor.cuh; Granlund and Montgomery
/// 1994): with s = ceil(log2 d), floor(x / d) = (floor(x m / 2^32) + x) / 2^s for m = floor(2^32 (2^s - d) / d) + 1 and 0 &lt;= x
/// &lt; 2^31.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct Divisor(int divisor)
{
    private readonly uint _divisor = (uint)divisor;
    private readonly uint _multiplier = (uint)((((1ul << Shift(divisor)) - (uint)divisor) << 32) / (uint)divisor) + 1;
    private readonly uint _shift = (uint)Shift(divisor);
    private readonly uint _unused;

    private static int Shift(int divisor) => divisor == 1 ? 0 : BitOperations.Log2((uint)divisor - 1) + 1;
}
