namespace FastNN.Testing;

/// <summary>Padding, element by element.</summary>
internal static class PadReference
{
    /// <summary>Which place of an axis lies at an offset from its front; null outside of constant padding.</summary>
    public static int? Source(PadMode mode, int extent, int at)
    {
        if (at >= 0 && at < extent)
        {
            return at;
        }

        return mode switch
        {
            PadMode.Constant => null,
            PadMode.Replicate => at < 0 ? 0 : extent - 1,
            PadMode.Circular => ((at % extent) + extent) % extent,
            _ => at < 0 ? -at : extent - 1 - (at - (extent - 1)),
        };
    }

    /// <summary>The element of x that each element of y repeats, or -1.</summary>
    public static int[] Sources(PadMode mode, Shape x, Shape y, int[] before) => [.. Enumerable.Range(0, (int)y.Count).Select(i =>
    {
        int[] place = RearrangeReference.Place(y, i);
        var source = new int[place.Length];
        for (int axis = 0; axis < place.Length; axis++)
        {
            if (Source(mode, x[axis], place[axis] - before[axis]) is not { } at)
            {
                return -1;
            }

            source[axis] = at;
        }

        return RearrangeReference.Index(x, source);
    })];
}
