namespace FastNN.Testing;

/// <summary>The handler of PyTorch's cases of clamp, in place of the one that follows from the table of functions.</summary>
internal static class GoldenClip
{
    public static Dictionary<string, Action<GoldenCase, Device>> All { get; } = new()
    {
        ["clamp"] = (golden, device) =>
        {
            float low = golden.Attributes.IsNull("min") ? float.NegativeInfinity : golden.Attributes.Float("min");
            float high = golden.Attributes.IsNull("max") ? float.PositiveInfinity : golden.Attributes.Float("max");
            golden.Attributes.Skip("min", "max");
            Unary(golden, device, x => x.Clip(low, high));
        },
    };

    private static void Unary(GoldenCase golden, Device device, Func<Value, Value> build) =>
        GoldenRunner.RunOperator(golden, device, [Port.Plain(golden, "x")], Port.Plain(golden, "y"), values => build(values[0]));
}
