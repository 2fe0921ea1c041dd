namespace FastNN.Explain;

/// <summary>The windows that occlusion fills.</summary>
internal static class OcclusionWindows
{
    /// <summary>For each window the places that it covers, counted in row-major order.</summary>
    /// <exception cref="ShapeException">The window does not fit the places.</exception>
    public static int[][] Of(Shape places, OcclusionOptions options)
    {
        int[] window = Spread(options.Window, places.Rank, nameof(OcclusionOptions.Window));
        int[] stride = options.Stride is null
            ? [.. window.Select(extent => Math.Max(extent / 2, 1))]
            : Spread(options.Stride, places.Rank, nameof(OcclusionOptions.Stride));
        List<int[]> windows = [[0]];
        for (int axis = 0; axis < places.Rank; axis++)
        {
            int extent = places[axis];
            if (window[axis] > extent || window[axis] < 1 || stride[axis] < 1 || stride[axis] > window[axis])
            {
                throw new ShapeException(
                    $"Occlusion: expected a window of 1 to {extent} along axis {axis} of {places} and a stride of 1 to the window, so that every place is covered; got {window[axis]} and {stride[axis]}.");
            }

            windows = [.. windows.SelectMany(outer => Starts(extent, window[axis], stride[axis]).Select(start =>
                outer.SelectMany(place => Enumerable.Range((place * extent) + start, window[axis])).ToArray()))];
        }

        return [.. windows];
    }

    /// <summary>Where windows begin; the last one ends where the axis does.</summary>
    private static IEnumerable<int> Starts(int extent, int window, int stride)
    {
        for (int start = 0; start < extent - window; start += stride)
        {
            yield return start;
        }

        yield return extent - window;
    }

    private static int[] Spread(IReadOnlyList<int> given, int rank, string name) =>
        given.Count == rank ? [.. given]
        : given.Count == 1 ? [.. Enumerable.Repeat(given[0], rank)]
        : throw new ShapeException($"Occlusion: expected 1 or {rank} numbers for {name}, got {given.Count}.");
}

/// <summary>How occlusion covers an input.</summary>
public sealed record OcclusionOptions
{
    /// <summary>The window's extent along each axis but that of the channels, or one for all; default 4.</summary>
    public IReadOnlyList<int> Window { get; init => field = value ?? throw new ArgumentNullException(nameof(Window)); } = [4];

    /// <summary>How far the window moves along each axis, or one for all; default null for half of the window.</summary>
    public IReadOnlyList<int>? Stride { get; init; }

    /// <summary>What is filled in: one number, or one per channel; default 0.</summary>
    public IReadOnlyList<float> Fill { get; init => field = value ?? throw new ArgumentNullException(nameof(Fill)); } = [0];
}

/// <summary>A map for each example: one number for each of its places.</summary>
public sealed class AttributionMaps
{
    private readonly float[] _values;

    internal AttributionMaps(float[] values, Shape shape, int count) => (_values, Shape, Count) = (values, shape, count);

    /// <summary>The shape of one map: [H, W] for images.</summary>
    public Shape Shape { get; }

    /// <summary>How many examples there are.</summary>
    public int Count { get; }

    /// <summary>The map of one example, in row-major order.</summary>
    /// <param name="example">From 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such example.</exception>
    public ReadOnlySpan<float> this[int example]
    {
        get
        {
            if ((uint)example >= (uint)Count)
            {
                throw new ArgumentOutOfRangeException(nameof(example), example, $"expected 0 to {Count - 1}.");
            }

            int size = _values.Length / Count;
            return _values.AsSpan(example * size, size);
        }
    }

    /// <summary>
    /// The maps in another size, bilinearly between the centers of pixels and with the border repeated outside, to be laid over
    /// the images.
    /// </summary>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <returns>Maps of shape [height, width].</returns>
    /// <exception cref="InvalidOperationException">The maps have another number of axes than two.</exception>
    public AttributionMaps Resize(int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        if (Shape.Rank != 2)
        {
            throw new InvalidOperationException($"AttributionMaps.Resize: expected maps of two axes, got {Shape}.");
        }

        (int rows, int columns) = (Shape[0], Shape[1]);
        var resized = new float[checked(Count * height * width)];
        for (int example = 0; example < Count; example++)
        {
            ReadOnlySpan<float> map = this[example];
            for (int y = 0; y < height; y++)
            {
                (int top, int bottom, float down) = Between(y, height, rows);
                for (int x = 0; x < width; x++)
                {
                    (int left, int right, float across) = Between(x, width, columns);
                    float above = Mix(map[(top * columns) + left], map[(top * columns) + right], across);
                    float below = Mix(map[(bottom * columns) + left], map[(bottom * columns) + right], across);
                    resized[(((example * height) + y) * width) + x] = Mix(above, below, down);
                }
            }
        }

        return new AttributionMaps(resized, new Shape(height, width), Count);
    }

    private static float Mix(float from, float to, float share) => from + (share * (to - from));

    private static (int Low, int High, float Share) Between(int at, int extent, int source)
    {
        float place = Math.Clamp(((at + 0.5f) * source / extent) - 0.5f, 0, source - 1);
        var low = (int)place;
        return (low, Math.Min(low + 1, source - 1), place - low);
    }
}
