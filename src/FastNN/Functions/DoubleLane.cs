namespace FastNN.Functions;

/// <summary>One double: what a reduction's text computes with where it joins the folds of many terms.</summary>
internal readonly struct DoubleLane(double value) : ILanes<DoubleLane>
{
    public double Value { get; } = value;

    public static implicit operator DoubleLane(float value) => new(value);

    public static implicit operator DoubleLane(Scalar scalar) => new(scalar.Value);

    public static DoubleLane operator +(DoubleLane x, DoubleLane y) => new(x.Value + y.Value);

    public static DoubleLane operator -(DoubleLane x, DoubleLane y) => new(x.Value - y.Value);

    public static DoubleLane operator *(DoubleLane x, DoubleLane y) => new(x.Value * y.Value);

    public static DoubleLane operator /(DoubleLane x, DoubleLane y) => new(x.Value / y.Value);

    public static DoubleLane operator -(DoubleLane x) => new(-x.Value);

    public static DoubleLane Broadcast(float value) => value;

    public static DoubleLane MultiplyAdd(DoubleLane x, DoubleLane y, DoubleLane z) => new((x.Value * y.Value) + z.Value);

    public static DoubleLane Min(DoubleLane x, DoubleLane y) => x.Value < y.Value ? x : y;

    public static DoubleLane Max(DoubleLane x, DoubleLane y) => x.Value > y.Value ? x : y;

    public static DoubleLane Abs(DoubleLane x) => new(Math.Abs(x.Value));

    public static DoubleLane Sqrt(DoubleLane x) => new(Math.Sqrt(x.Value));

    public static DoubleLane Round(DoubleLane x) => new(Math.Round(x.Value));

    public static DoubleLane ScaleByPowerOfTwo(DoubleLane x, DoubleLane n) => new(Math.ScaleB(x.Value, (int)n.Value));

    public static DoubleLane Log(DoubleLane x) => new(Math.Log(x.Value));

    public static DoubleLane IfGreater(DoubleLane a, DoubleLane b, DoubleLane x, DoubleLane y) => a.Value > b.Value ? x : y;

    public static DoubleLane IfGreaterOrEqual(DoubleLane a, DoubleLane b, DoubleLane x, DoubleLane y) =>
        a.Value >= b.Value ? x : y;
}
