namespace ManagedCuda.BasicTypes;

/// <summary>C's size_t, with the conversions that ManagedCuda's has.</summary>
internal struct SizeT : IEquatable<SizeT>
{
    private readonly UIntPtr _value;

    public SizeT(ulong value) => _value = checked((UIntPtr)value);

    public static implicit operator SizeT(int value) => new((uint)value);

    public static implicit operator SizeT(uint value) => new(value);

    public static implicit operator SizeT(long value) => new((ulong)value);

    public static implicit operator SizeT(ulong value) => new(value);

    public static implicit operator SizeT(IntPtr value) => new((ulong)value);

    public static implicit operator SizeT(UIntPtr value) => new(value);

    public static implicit operator int(SizeT value) => (int)value._value.ToUInt32();

    public static implicit operator uint(SizeT value) => value._value.ToUInt32();

    public static implicit operator long(SizeT value) => (long)value._value.ToUInt64();

    public static implicit operator ulong(SizeT value) => value._value.ToUInt64();

    public static implicit operator IntPtr(SizeT value) => unchecked((nint)value._value);

    public static implicit operator UIntPtr(SizeT value) => value._value;

    public static bool operator ==(SizeT left, SizeT right) => left._value == right._value;

    public static bool operator !=(SizeT left, SizeT right) => left._value != right._value;

    public readonly bool Equals(SizeT other) => _value == other._value;

    public override readonly bool Equals(object? obj) => obj is SizeT other && Equals(other);

    public override readonly int GetHashCode() => _value.GetHashCode();

    public override readonly string ToString() => _value.ToString();
}
