using System.Runtime.Intrinsics;

namespace FastNN.Cpu;

/// <summary>
/// What pooling needs from a vector width beyond arithmetic: the position of a maximum, kept beside it in 32-bit lanes and
/// stored as bytes or 16-bit numbers. The loops are written once over this interface.
/// </summary>
internal unsafe interface IPoolLanes<TVec, TTap>
    where TVec : struct
    where TTap : struct
{
    static abstract int Count { get; }

    static abstract TVec Load(float* p);

    static abstract void Store(TVec value, float* p);

    static abstract TVec Broadcast(float value);

    static abstract TTap BroadcastTap(int tap);

    static abstract TVec Add(TVec a, TVec b);

    static abstract TVec Divide(TVec a, TVec b);

    /// <summary>value where it is larger, else best; either where one is NaN.</summary>
    static abstract TVec Larger(TVec value, TVec best);

    static abstract bool HasNaN(TVec value);

    /// <summary>best = value where value is larger or NaN: the first maximum wins a tie, as in PyTorch.</summary>
    static abstract void Take(TVec value, TTap tap, ref TVec best, ref TTap bestTap);

    /// <summary>value where gate is positive or NaN, else 0; with gate == value this is ReLU.</summary>
    static abstract TVec Gate(TVec gate, TVec value);

    /// <summary>value where the taps agree, else 0.</summary>
    static abstract TVec Where(TTap a, TTap b, TVec value);

    /// <summary>0 in the lanes before <paramref name="lane"/>.</summary>
    static abstract TVec KeepFrom(int lane, TVec value);

    static abstract TTap LoadTaps(byte* p);

    static abstract TTap LoadTaps(ushort* p);

    static abstract void StoreTaps(TTap taps, byte* p);

    static abstract void StoreTaps(TTap taps, ushort* p);
}

internal readonly unsafe struct PoolLanes512 : IPoolLanes<Vector512<float>, Vector512<int>>
{
    public static int Count => 16;

    public static Vector512<float> Load(float* p) => Vector512.Load(p);

    public static void Store(Vector512<float> value, float* p) => value.Store(p);

    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    public static Vector512<int> BroadcastTap(int tap) => Vector512.Create(tap);

    public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;

    public static Vector512<float> Divide(Vector512<float> a, Vector512<float> b) => a / b;

    public static Vector512<float> Larger(Vector512<float> value, Vector512<float> best) => Vector512.MaxNative(value, best);

    public static bool HasNaN(Vector512<float> value) => !Vector512.EqualsAll(value, value);

    public static void Take(Vector512<float> value, Vector512<int> tap, ref Vector512<float> best, ref Vector512<int> bestTap)
    {
        Vector512<float> larger = Vector512.GreaterThan(value, best) | ~Vector512.Equals(value, value);
        best = Vector512.ConditionalSelect(larger, value, best);
        bestTap = Vector512.ConditionalSelect(larger.AsInt32(), tap, bestTap);
    }

    public static Vector512<float> Gate(Vector512<float> gate, Vector512<float> value) =>
        Vector512.AndNot(value, Vector512.LessThanOrEqual(gate, Vector512<float>.Zero));

    public static Vector512<float> Where(Vector512<int> a, Vector512<int> b, Vector512<float> value) =>
        Vector512.Equals(a, b).AsSingle() & value;

    public static Vector512<float> KeepFrom(int lane, Vector512<float> value) =>
        Vector512.GreaterThanOrEqual(Vector512<int>.Indices, Vector512.Create(lane)).AsSingle() & value;

    public static Vector512<int> LoadTaps(byte* p) =>
        Vector512.WidenLower(Vector256.WidenLower(Vector128.Load(p).ToVector256()).ToVector512()).AsInt32();

    public static Vector512<int> LoadTaps(ushort* p) => Vector512.WidenLower(Vector256.Load(p).ToVector512()).AsInt32();

    public static void StoreTaps(Vector512<int> taps, byte* p)
    {
        Vector256<ushort> words = Words(taps);
        Vector128.Narrow(words.GetLower(), words.GetUpper()).Store(p);
    }

    public static void StoreTaps(Vector512<int> taps, ushort* p) => Words(taps).Store(p);

    private static Vector256<ushort> Words(Vector512<int> taps) =>
        Vector256.Narrow(taps.GetLower().AsUInt32(), taps.GetUpper().AsUInt32());
}

internal readonly unsafe struct PoolLanes256 : IPoolLanes<Vector256<float>, Vector256<int>>
{
    public static int Count => 8;

    public static Vector256<float> Load(float* p) => Vector256.Load(p);

    public static void Store(Vector256<float> value, float* p) => value.Store(p);

    public static Vector256<float> Broadcast(float value) => Vector256.Create(value);

    public static Vector256<int> BroadcastTap(int tap) => Vector256.Create(tap);

    public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;

    public static Vector256<float> Divide(Vector256<float> a, Vector256<float> b) => a / b;

    public static Vector256<float> Larger(Vector256<float> value, Vector256<float> best) => Vector256.MaxNative(value, best);

    public static bool HasNaN(Vector256<float> value) => !Vector256.EqualsAll(value, value);

    public static void Take(Vector256<float> value, Vector256<int> tap, ref Vector256<float> best, ref Vector256<int> bestTap)
    {
        Vector256<float> larger = Vector256.GreaterThan(value, best) | ~Vector256.Equals(value, value);
        best = Vector256.ConditionalSelect(larger, value, best);
        bestTap = Vector256.ConditionalSelect(larger.AsInt32(), tap, bestTap);
    }

    public static Vector256<float> Gate(Vector256<float> gate, Vector256<float> value) =>
        Vector256.AndNot(value, Vector256.LessThanOrEqual(gate, Vector256<float>.Zero));

    public static Vector256<float> Where(Vector256<int> a, Vector256<int> b, Vector256<float> value) =>
        Vector256.Equals(a, b).AsSingle() & value;

    public static Vector256<float> KeepFrom(int lane, Vector256<float> value) =>
        Vector256.GreaterThanOrEqual(Vector256<int>.Indices, Vector256.Create(lane)).AsSingle() & value;

    public static Vector256<int> LoadTaps(byte* p) =>
        Vector256.WidenLower(Vector128.WidenLower(Vector128.CreateScalar(*(ulong*)p).AsByte()).ToVector256()).AsInt32();

    public static Vector256<int> LoadTaps(ushort* p) => Vector256.WidenLower(Vector128.Load(p).ToVector256()).AsInt32();

    public static void StoreTaps(Vector256<int> taps, byte* p)
    {
        Vector128<ushort> words = Words(taps);
        *(ulong*)p = Vector128.Narrow(words, words).AsUInt64().ToScalar();
    }

    public static void StoreTaps(Vector256<int> taps, ushort* p) => Words(taps).Store(p);

    private static Vector128<ushort> Words(Vector256<int> taps) =>
        Vector128.Narrow(taps.GetLower().AsUInt32(), taps.GetUpper().AsUInt32());
}

internal readonly unsafe struct PoolLanes128 : IPoolLanes<Vector128<float>, Vector128<int>>
{
    public static int Count => 4;

    public static Vector128<float> Load(float* p) => Vector128.Load(p);

    public static void Store(Vector128<float> value, float* p) => value.Store(p);

    public static Vector128<float> Broadcast(float value) => Vector128.Create(value);

    public static Vector128<int> BroadcastTap(int tap) => Vector128.Create(tap);

    public static Vector128<float> Add(Vector128<float> a, Vector128<float> b) => a + b;

    public static Vector128<float> Divide(Vector128<float> a, Vector128<float> b) => a / b;

    public static Vector128<float> Larger(Vector128<float> value, Vector128<float> best) => Vector128.MaxNative(value, best);

    public static bool HasNaN(Vector128<float> value) => !Vector128.EqualsAll(value, value);

    public static void Take(Vector128<float> value, Vector128<int> tap, ref Vector128<float> best, ref Vector128<int> bestTap)
    {
        Vector128<float> larger = Vector128.GreaterThan(value, best) | ~Vector128.Equals(value, value);
        best = Vector128.ConditionalSelect(larger, value, best);
        bestTap = Vector128.ConditionalSelect(larger.AsInt32(), tap, bestTap);
    }

    public static Vector128<float> Gate(Vector128<float> gate, Vector128<float> value) =>
        Vector128.AndNot(value, Vector128.LessThanOrEqual(gate, Vector128<float>.Zero));

    public static Vector128<float> Where(Vector128<int> a, Vector128<int> b, Vector128<float> value) =>
        Vector128.Equals(a, b).AsSingle() & value;

    public static Vector128<float> KeepFrom(int lane, Vector128<float> value) =>
        Vector128.GreaterThanOrEqual(Vector128<int>.Indices, Vector128.Create(lane)).AsSingle() & value;

    public static Vector128<int> LoadTaps(byte* p) =>
        Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalar(*(uint*)p).AsByte())).AsInt32();

    public static Vector128<int> LoadTaps(ushort* p) =>
        Vector128.WidenLower(Vector128.CreateScalar(*(ulong*)p).AsUInt16()).AsInt32();

    public static void StoreTaps(Vector128<int> taps, byte* p)
    {
        Vector128<ushort> words = Words(taps);
        *(uint*)p = Vector128.Narrow(words, words).AsUInt32().ToScalar();
    }

    public static void StoreTaps(Vector128<int> taps, ushort* p) => *(ulong*)p = Words(taps).AsUInt64().ToScalar();

    private static Vector128<ushort> Words(Vector128<int> taps) => Vector128.Narrow(taps.AsUInt32(), taps.AsUInt32());
}

internal readonly unsafe struct PoolLanes1 : IPoolLanes<float, int>
{
    public static int Count => 1;

    public static float Load(float* p) => *p;

    public static void Store(float value, float* p) => *p = value;

    public static float Broadcast(float value) => value;

    public static int BroadcastTap(int tap) => tap;

    public static float Add(float a, float b) => a + b;

    public static float Divide(float a, float b) => a / b;

    public static float Larger(float value, float best) => value > best ? value : best;

    public static bool HasNaN(float value) => float.IsNaN(value);

    public static void Take(float value, int tap, ref float best, ref int bestTap)
    {
        if (value > best || float.IsNaN(value))
        {
            best = value;
            bestTap = tap;
        }
    }

    public static float Gate(float gate, float value) => gate <= 0 ? 0 : value;

    public static float Where(int a, int b, float value) => a == b ? value : 0;

    public static float KeepFrom(int lane, float value) => lane > 0 ? 0 : value;

    public static int LoadTaps(byte* p) => *p;

    public static int LoadTaps(ushort* p) => *p;

    public static void StoreTaps(int taps, byte* p) => *p = (byte)taps;

    public static void StoreTaps(int taps, ushort* p) => *p = (ushort)taps;
}
