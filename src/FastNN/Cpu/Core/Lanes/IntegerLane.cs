using System.Runtime.CompilerServices;
using FastNN.Functions;

namespace FastNN.Cpu;

/// <summary>
/// One Int32, for the functions whose row says that they take integers: those add, subtract, multiply, compare, choose and
/// compute with bits, and nothing else. Results wrap, as integers do.
/// </summary>
internal readonly struct IntegerLane(int value) : ILanes<IntegerLane>
{
    public int Value => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator IntegerLane(float value) => new((int)value);

    public static implicit operator IntegerLane(Scalar scalar) => new((int)scalar.Value);

    public static IntegerLane operator +(IntegerLane x, IntegerLane y) => new(x.Value + y.Value);

    public static IntegerLane operator -(IntegerLane x, IntegerLane y) => new(x.Value - y.Value);

    public static IntegerLane operator *(IntegerLane x, IntegerLane y) => new(x.Value * y.Value);

    public static IntegerLane operator /(IntegerLane x, IntegerLane y) => throw NotOfIntegers("division");

    public static IntegerLane operator -(IntegerLane x) => new(-x.Value);

    public static IntegerLane Broadcast(float value) => value;

    public static IntegerLane MultiplyAdd(IntegerLane x, IntegerLane y, IntegerLane z) => (x * y) + z;

    public static IntegerLane Min(IntegerLane x, IntegerLane y) => new(Math.Min(x.Value, y.Value));

    public static IntegerLane Max(IntegerLane x, IntegerLane y) => new(Math.Max(x.Value, y.Value));

    public static IntegerLane Abs(IntegerLane x) => x.Value < 0 ? -x : x;

    public static IntegerLane Sqrt(IntegerLane x) => throw NotOfIntegers("a root");

    public static IntegerLane Round(IntegerLane x) => x;

    public static IntegerLane ScaleByPowerOfTwo(IntegerLane x, IntegerLane n) => throw NotOfIntegers("a power of two");

    public static IntegerLane Log(IntegerLane x) => throw NotOfIntegers("a logarithm");

    public static IntegerLane IfGreater(IntegerLane a, IntegerLane b, IntegerLane x, IntegerLane y) => a.Value > b.Value ? x : y;

    public static IntegerLane IfGreaterOrEqual(IntegerLane a, IntegerLane b, IntegerLane x, IntegerLane y) =>
        a.Value >= b.Value ? x : y;

    public static IntegerLane BitwiseAnd(IntegerLane x, IntegerLane y) => new(x.Value & y.Value);

    public static IntegerLane BitwiseOr(IntegerLane x, IntegerLane y) => new(x.Value | y.Value);

    public static IntegerLane BitwiseXor(IntegerLane x, IntegerLane y) => new(x.Value ^ y.Value);

    public static IntegerLane ShiftLeft(IntegerLane x, IntegerLane y) => new(x.Value << (y.Value & 31));

    public static IntegerLane ShiftRight(IntegerLane x, IntegerLane y) => new(x.Value >> (y.Value & 31));

    private static NotSupportedException NotOfIntegers(string what) =>
        new($"A function of integers has no {what}: its row must not name them.");
}
