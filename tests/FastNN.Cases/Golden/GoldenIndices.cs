namespace FastNN.Testing;

/// <summary>Operators that repeat, reverse and pad, and those with indices.</summary>
internal static class GoldenIndices
{
    public static Dictionary<string, Action<GoldenCase, Device>> All { get; } = new()
    {
        ["expand"] = Expand,
        ["tile"] = Tile,
        ["flip"] = Flip,
        ["pad_constant"] = Pad,
        ["pad_reflect"] = Pad,
        ["pad_replicate"] = Pad,
        ["gather"] = (golden, device) => Indexed(golden, device, (x, axis, index) => x.Gather(axis, index)),
        ["index_select"] = (golden, device) => Indexed(golden, device, (x, axis, index) => x.IndexSelect(axis, index)),
    };

    private static void Unary(GoldenCase golden, Device device, Func<Value, Value> build) =>
        GoldenRunner.RunOperator(golden, device, [Port.Plain(golden, "x")], Port.Plain(golden, "y"), values => build(values[0]));

    private static void Expand(GoldenCase golden, Device device)
    {
        int[] shape = golden.Attributes.Ints("shape");
        Unary(golden, device, x => x.Expand(shape));
    }

    private static void Tile(GoldenCase golden, Device device)
    {
        int[] repeats = golden.Attributes.Ints("repeats");
        Unary(golden, device, x => x.Tile(repeats));
    }

    private static void Flip(GoldenCase golden, Device device)
    {
        int[] axes = golden.Attributes.Ints("axes");
        Unary(golden, device, x => x.Flip(axes));
    }

    private static void Pad(GoldenCase golden, Device device)
    {
        int[] pads = golden.Attributes.Ints("pad");
        PadMode mode = Enum.Parse<PadMode>(golden.Attributes.String("mode"), ignoreCase: true);
        float value = golden.Attributes.Has("value") ? golden.Attributes.Float("value") : 0;
        Unary(golden, device, x => x.Pad(pads, mode, value));
    }

    private static void Indexed(GoldenCase golden, Device device, Func<Value, int, Value, Value> build)
    {
        int axis = golden.Attributes.Int("axis");
        GoldenRunner.RunOperator(
            golden, device, [Port.Plain(golden, "x"), Port.Plain(golden, "index")], Port.Plain(golden, "y"),
            values => build(values[0], axis, values[1]));
    }
}
