using System.Globalization;
using FastNN.Functions;

namespace FastNN.Generate;

/// <summary>
/// A lane that writes itself down: a function's text, called with this, is CUDA source. What it calls is in kernels/common.cuh
/// and math.cuh.
/// </summary>
internal readonly struct CudaText(Expression expression) : ILanes<CudaText>
{
    public Expression Expression { get; } = expression;

    public static implicit operator CudaText(float value) => new(Expression.Leaf(Number(value)));

    /// <summary>Parameters are the fields of the struct Scalars in kernels/functions.cuh.</summary>
    public static implicit operator CudaText(Scalar scalar) => new(Expression.Leaf($"s.{(char)('a' + scalar.Index)}"));

    public static CudaText operator +(CudaText x, CudaText y) => Infix("+", Binding.Sum, x, y);

    public static CudaText operator -(CudaText x, CudaText y) => Infix("-", Binding.Sum, x, y);

    public static CudaText operator *(CudaText x, CudaText y) => Infix("*", Binding.Product, x, y);

    public static CudaText operator /(CudaText x, CudaText y) => Infix("/", Binding.Product, x, y);

    public static CudaText operator -(CudaText x) => new(new Expression("-{0}", Binding.Sign, [x.Expression], [Binding.Whole]));

    public static CudaText Named(string name) => new(Expression.Leaf(name));

    public static CudaText Broadcast(float value) => value;

    public static CudaText MultiplyAdd(CudaText x, CudaText y, CudaText z) => Call("multiplyAdd", x, y, z);

    public static CudaText Min(CudaText x, CudaText y) => Call("smaller", x, y);

    public static CudaText Max(CudaText x, CudaText y) => Call("larger", x, y);

    public static CudaText Abs(CudaText x) => Call("absolute", x);

    public static CudaText Sqrt(CudaText x) => Call("squareRoot", x);

    public static CudaText Round(CudaText x) => Call("nearestInteger", x);

    public static CudaText ScaleByPowerOfTwo(CudaText x, CudaText n) => Call("scaleByPowerOfTwo", x, n);

    public static CudaText Log(CudaText x) => Call("logarithm", x);

    public static CudaText IfGreater(CudaText a, CudaText b, CudaText x, CudaText y) => Choice(">", a, b, x, y);

    public static CudaText IfGreaterOrEqual(CudaText a, CudaText b, CudaText x, CudaText y) => Choice(">=", a, b, x, y);

    public static CudaText BitwiseAnd(CudaText x, CudaText y) => Bits("({0} & {1})", x, y);

    public static CudaText BitwiseOr(CudaText x, CudaText y) => Bits("({0} | {1})", x, y);

    public static CudaText BitwiseXor(CudaText x, CudaText y) => Bits("({0} ^ {1})", x, y);

    // C++ leaves what moves out of a negative number open, but not of an unsigned one.
    public static CudaText ShiftLeft(CudaText x, CudaText y) => Bits("(T)((uint32){0} << ({1} & 31))", x, y);

    public static CudaText ShiftRight(CudaText x, CudaText y) => Bits("({0} >> ({1} & 31))", x, y);

    private static CudaText Bits(string pattern, CudaText x, CudaText y) =>
        new(new Expression(pattern, Binding.Whole, [x.Expression, y.Expression], [Binding.Whole, Binding.Whole]));

    private static CudaText Call(string name, params CudaText[] operands) =>
        new(Expression.Call(name, Array.ConvertAll(operands, x => x.Expression)));

    // C++ computes a - b - c from the left, so a right operand of the same kind needs parentheses.
    private static CudaText Infix(string sign, Binding binding, CudaText x, CudaText y) =>
        new(new Expression($"{{0}} {sign} {{1}}", binding, [x.Expression, y.Expression], [binding, binding + 1]));

    private static CudaText Choice(string sign, CudaText a, CudaText b, CudaText x, CudaText y) => new(new Expression(
        $"{{0}} {sign} {{1}} ? {{2}} : {{3}}", Binding.Choice, [a.Expression, b.Expression, x.Expression, y.Expression],
        [Binding.Sum, Binding.Sum, Binding.Sum, Binding.Choice]));

    private static string Number(float value)
    {
        if (!float.IsFinite(value))
        {
            return float.IsNaN(value) ? "quietNaN()" : value > 0 ? "infinity()" : "-infinity()";
        }

        string digits = value.ToString("R", CultureInfo.InvariantCulture);
        return digits.AsSpan().ContainsAny('.', 'E') ? $"{digits}f" : $"{digits}.0f";
    }
}
