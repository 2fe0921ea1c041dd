namespace FastNN.Functions;

/// <summary>
/// One parameter of a function: its value, and its place among the function's parameters, by which source text names it.
/// </summary>
internal readonly record struct Scalar(float Value, int Index);

/// <summary>
/// The parameters of a function, in the order in which its <see cref="FunctionInfo"/> names them; what it has not is 0.
/// </summary>
internal readonly record struct Scalars(float First = 0, float Second = 0, float Third = 0, float Fourth = 0)
{
    /// <summary>The most that a function can have.</summary>
    public const int Most = 4;

    /// <summary>The first parameter.</summary>
    public Scalar A => new(First, 0);

    public Scalar B => new(Second, 1);

    public Scalar C => new(Third, 2);

    public Scalar D => new(Fourth, 3);

    public float this[int index] => index switch
    {
        0 => First,
        1 => Second,
        2 => Third,
        3 => Fourth,
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    public static Scalars Of(ReadOnlySpan<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(values.Length, Most);
        return new(Value(values, 0), Value(values, 1), Value(values, 2), Value(values, 3));
    }

    private static float Value(ReadOnlySpan<float> values, int index) => index < values.Length ? values[index] : 0;
}
