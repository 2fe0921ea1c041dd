namespace FastNN.Onnx.Host;

/// <summary>Sequences and optionals.</summary>
internal static class Sequences
{
    public static OnnxValue?[] Empty(HostCall call) => HostCall.One(new OnnxSequence([]));

    public static OnnxValue?[] Construct(HostCall call) =>
        HostCall.One(new OnnxSequence(Enumerable.Range(0, call.InputCount).Select(call.Tensor)));

    public static OnnxValue?[] Insert(HostCall call)
    {
        List<OnnxValue> items = [.. call.Sequence(0).Items];
        long place = call.Long(2) ?? items.Count;
        items.Insert(Place(call, place, items.Count, items.Count), call.Tensor(1));
        return HostCall.One(new OnnxSequence(items));
    }

    public static OnnxValue?[] Erase(HostCall call)
    {
        List<OnnxValue> items = [.. call.Sequence(0).Items];
        items.RemoveAt(Place(call, call.Long(1) ?? -1, items.Count, items.Count - 1));
        return HostCall.One(new OnnxSequence(items));
    }

    public static OnnxValue?[] At(HostCall call)
    {
        IReadOnlyList<OnnxValue> items = call.Sequence(0).Items;
        return HostCall.One(items[Place(call, call.Long(1) ?? 0, items.Count, items.Count - 1)]);
    }

    private static int Place(HostCall call, long place, int count, int last)
    {
        long from = place < 0 ? place + count : place;
        return from >= 0 && from <= last ? (int)from : throw call.Error($"a place from {-count} to {last}", $"{place}");
    }

    public static OnnxValue?[] Length(HostCall call) => HostCall.One(OnnxTensor.Create([(long)call.Sequence(0).Items.Count]));

    public static OnnxValue?[] Concat(HostCall call)
    {
        List<OnnxTensor> items = [.. call.Sequence(0).Items.Cast<OnnxTensor>()];
        if (items.Count == 0)
        {
            throw call.Error("a sequence that is not empty", "an empty one");
        }

        return HostCall.One(call.Flag("new_axis")
            ? ControlFlow.Stack(call, items, call.Axis(call.Int("axis", 0), items[0].Rank + 1))
            : Shapes.Concat(call, items, call.Axis(call.Int("axis", 0), items[0].Rank)));
    }

    public static OnnxValue?[] Split(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        int axis = call.Axis(call.Int("axis", 0), x.Rank), extent = x.Dims[axis];
        long[]? split = call.Longs(1);
        var lengths = new List<int>();
        if (split is not null && call.Tensor(1).Rank == 1)
        {
            lengths.AddRange(Shapes.Extents(call, split));
        }
        else
        {
            long each = split?[0] ?? 1;
            for (long rest = extent; rest > 0 && each > 0; rest -= each)
            {
                lengths.Add((int)Math.Min(rest, each));
            }
        }

        if (lengths.Sum(length => (long)length) != extent)
        {
            throw call.Error($"lengths that add up to {extent}", Layout.Join(lengths));
        }

        var parts = new List<OnnxValue>();
        int start = 0;
        foreach (int length in lengths)
        {
            OnnxTensor part = Shapes.Slice(x, axis, start, length);
            start += length;
            parts.Add(split is null && call.Int("keepdims", 1) == 0
                ? part.WithDims([.. part.Dims[..axis], .. part.Dims[(axis + 1)..]]) : part);
        }

        return HostCall.One(new OnnxSequence(parts));
    }

    public static OnnxValue?[] Optional(HostCall call) => HostCall.One(new OnnxOptional(call.Value(0)));

    public static OnnxValue?[] GetElement(HostCall call) => HostCall.One(call.Value(0) switch
    {
        OnnxOptional { Value: { } value } => value,
        OnnxOptional or null => throw call.Error("an optional with a value", "one without"),
        var value => value,
    });

    public static OnnxValue?[] HasElement(HostCall call) =>
        HostCall.One(OnnxTensor.Create([call.Value(0) is not null and not OnnxOptional { Value: null }]));
}
