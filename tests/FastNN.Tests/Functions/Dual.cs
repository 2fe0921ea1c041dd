using FastNN.Functions;

namespace FastNN.Tests.Functions;

/// <summary>
/// A number in double with its derivative by one variable: a function's text, called with this, gives its own derivative.
/// </summary>
internal readonly struct Dual(double value, double slope) : ILanes<Dual>
{
    public double Value { get; } = value;

    public double Slope { get; } = slope;

    public static implicit operator Dual(float value) => new(value, 0);

    public static implicit operator Dual(Scalar scalar) => new(scalar.Value, 0);

    public static Dual operator +(Dual x, Dual y) => new(x.Value + y.Value, x.Slope + y.Slope);

    public static Dual operator -(Dual x, Dual y) => new(x.Value - y.Value, x.Slope - y.Slope);

    public static Dual operator *(Dual x, Dual y) => new(x.Value * y.Value, (x.Slope * y.Value) + (x.Value * y.Slope));

    public static Dual operator /(Dual x, Dual y) =>
        new(x.Value / y.Value, ((x.Slope * y.Value) - (x.Value * y.Slope)) / (y.Value * y.Value));

    public static Dual operator -(Dual x) => new(-x.Value, -x.Slope);

    /// <summary>The variable itself.</summary>
    public static Dual Variable(double value) => new(value, 1);

    public static Dual Constant(double value) => new(value, 0);

    public static Dual Broadcast(float value) => value;

    public static Dual MultiplyAdd(Dual x, Dual y, Dual z) => (x * y) + z;

    public static Dual Min(Dual x, Dual y) => x.Value < y.Value ? x : y;

    public static Dual Max(Dual x, Dual y) => x.Value > y.Value ? x : y;

    public static Dual Abs(Dual x) => x.Value < 0 ? -x : x;

    public static Dual Sqrt(Dual x) => new(Math.Sqrt(x.Value), x.Slope / (2 * Math.Sqrt(x.Value)));

    public static Dual Round(Dual x) => new(Math.Round(x.Value), 0);

    public static Dual ScaleByPowerOfTwo(Dual x, Dual n) => new(x.Value * Math.Pow(2, n.Value), x.Slope * Math.Pow(2, n.Value));

    public static Dual Log(Dual x) => new(Math.Log(x.Value), x.Slope / x.Value);

    public static Dual IfGreater(Dual a, Dual b, Dual x, Dual y) => a.Value > b.Value ? x : y;

    public static Dual IfGreaterOrEqual(Dual a, Dual b, Dual x, Dual y) => a.Value >= b.Value ? x : y;
}
