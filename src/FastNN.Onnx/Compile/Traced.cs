namespace FastNN.Onnx.Compile;

/// <summary>
/// A tensor of an ONNX graph that is being recorded: its value in the engine's graph, and how ONNX sees it. Images may lie with
/// their channels last inside; rules that need ONNX's order ask for <see cref="Plain"/>.
/// </summary>
internal sealed class Traced
{
    private Value? _plain;
    private Value? _last;

    private Traced(Value? plain, Value? last, OnnxElementType type, int[] dims) =>
        (_plain, _last, Type, Dims) = (plain, last, type, dims);

    /// <summary>The element type as ONNX has it; integers are Int32 inside, whatever their width.</summary>
    public OnnxElementType Type { get; }

    /// <summary>The extents as ONNX has them.</summary>
    public int[] Dims { get; }

    public int Rank => Dims.Length;

    /// <summary>Whether the channels lie last inside, which operators that do not care keep.</summary>
    public bool IsLast => _last is not null && _plain is null;

    /// <summary>Makes the same convolution again with other weights; null for everything else.</summary>
    public Func<float[], float[], Traced>? Rescaled { get; private init; }

    /// <summary>Images whose channels lie last inside, of which this has one row each; null for everything else.</summary>
    public Traced? Images { get; private init; }

    /// <summary>The axes as ONNX has them.</summary>
    public Value Plain => _plain ??= Images?.Plain.Reshape(new Shape(Dims)) ?? _last!.Permute(ToFirst(Rank));

    /// <summary>[N, C, ...] as [N, ..., C].</summary>
    public Value Last => _last ??= Plain.Permute(ToLast(Rank));

    /// <summary>The value as it lies, with <see cref="IsLast"/>.</summary>
    public Value Either => IsLast ? _last! : Plain;

    public static Traced OfPlain(Value value, OnnxElementType type, int[] dims) => new(value, null, type, dims);

    /// <param name="rescaled">Makes the same convolution again, each filter by a factor, each bias moved.</param>
    public static Traced OfLast(Value value, OnnxElementType type, int[] dims, Func<float[], float[], Traced>? rescaled = null) =>
        new(null, value, type, dims) { Rescaled = rescaled };

    /// <summary>
    /// Images [N, C, ...] as rows [N, C * ...]. A constant matrix that they are multiplied with can follow their order inside,
    /// and then nothing is moved.
    /// </summary>
    public static Traced OfRows(Traced images, int[] dims) => new(null, null, images.Type, dims) { Images = images };

    /// <summary>Another value that lies as this one does.</summary>
    public Traced Like(Value value, OnnxElementType type) => IsLast ? OfLast(value, type, Dims) : OfPlain(value, type, Dims);

    /// <summary>An axis of ONNX's among the engine's.</summary>
    public int Inside(int axis) => !IsLast || axis == 0 ? axis : axis == 1 ? Rank - 1 : axis - 1;

    /// <summary>N, spatial axes, C of N, C, spatial axes.</summary>
    public static int[] ToLast(int rank) => [0, .. Enumerable.Range(2, rank - 2), 1];

    /// <summary>N, C, spatial axes of N, spatial axes, C.</summary>
    public static int[] ToFirst(int rank) => [0, rank - 1, .. Enumerable.Range(1, rank - 2)];
}
