using FastNN.Onnx.Compile;
using FastNN.Tensors;

namespace FastNN.Onnx.Export;

/// <summary>
/// A value of the engine's graph in the file: with its axes as the engine has them, with its channels in front of the spatial
/// axes as ONNX has them, or, behind a flattened image, with its columns in C, H, W order. Each form is made once, and only where
/// something asks for it.
/// </summary>
internal sealed class ExportValue
{
    private readonly GraphExporter _exporter;
    private readonly FeatureOrder? _features;
    private string? _plain;
    private string? _first;
    private string? _flat;

    private ExportValue(GraphExporter exporter, TensorType type, FeatureOrder? features)
    {
        _exporter = exporter;
        _features = features;
        Type = type;
    }

    /// <summary>Its type in the engine.</summary>
    public TensorType Type { get; }

    public Shape Shape => Type.Shape;

    public int Rank => Type.Shape.Rank;

    public OnnxElementType Element => (OnnxElementType)Type.Type.Traits().Onnx;

    /// <summary>What it is known to be when the file is written; null for what the file computes.</summary>
    public ConstantSource? Constant { get; private init; }

    /// <summary>Whether the channels lie in front where it is computed, which operators that do not care keep.</summary>
    public bool IsFirst { get; private init; }

    /// <summary>Whether it is computed with the columns of a flattened image in C, H, W order.</summary>
    public bool IsFlat { get; private init; }

    /// <summary>The [H, W, C] of the image whose columns they are.</summary>
    public FeatureOrder? Features => _features;

    /// <summary>The axes as the engine has them.</summary>
    public string Plain => _plain ??= Constant?.Plain
        ?? (_first is { } first ? _exporter.Emit.Transpose(first, Traced.ToLast(Rank)) : Unfolded(_flat!));

    /// <summary>[N, ..., C] as [N, C, ...].</summary>
    public string First => Rank < 3 ? Plain : _first ??= Constant is { } constant
        ? constant.Arranged(Traced.ToFirst(Rank))
        : _exporter.Emit.Transpose(Plain, Traced.ToFirst(Rank));

    /// <summary>The columns in C, H, W order.</summary>
    public string Flat => _flat ?? throw new InvalidOperationException("The value is no flattened image.");

    public static ExportValue OfPlain(GraphExporter exporter, TensorType type, string name, FeatureOrder? features = null) =>
        new(exporter, type, features) { _plain = name };

    public static ExportValue OfFirst(GraphExporter exporter, TensorType type, string name) => type.Shape.Rank < 3
        ? OfPlain(exporter, type, name)
        : new(exporter, type, null) { _first = name, IsFirst = true };

    public static ExportValue OfFlat(GraphExporter exporter, TensorType type, string name, FeatureOrder features) =>
        new(exporter, type, features) { _flat = name, IsFlat = true };

    public static ExportValue OfConstant(GraphExporter exporter, TensorType type, ConstantSource constant) =>
        new(exporter, type, null) { Constant = constant };

    /// <summary>An axis of the engine's among those of the form that <see cref="IsFirst"/> says.</summary>
    public int Inside(int axis)
    {
        axis = axis < 0 ? axis + Rank : axis;
        return !IsFirst || axis == 0 ? axis : axis == Rank - 1 ? 1 : axis + 1;
    }

    /// <summary>The form that it has.</summary>
    public string Either => IsFirst ? _first! : IsFlat ? _flat! : Plain;

    /// <summary>The extents of the form that it has.</summary>
    public Shape EitherShape => IsFirst ? FirstShape(Shape) : Shape;

    /// <summary>A value whose form is this one's.</summary>
    public ExportValue Like(TensorType type, string name) => IsFirst ? OfFirst(_exporter, type, name)
        : IsFlat ? OfFlat(_exporter, type, name, _features!)
        : OfPlain(_exporter, type, name);

    /// <summary>
    /// The value with channels in front, so that it broadcasts beside one of more axes that has them there.
    /// </summary>
    /// <param name="rank">How many axes that has.</param>
    public string FirstFor(int rank)
    {
        if (Rank == 0)
        {
            return Plain;
        }

        if (Rank == rank)
        {
            return First;
        }

        // Missing axes in front are ones; then the order can change.
        int missing = rank - Rank;
        int[] order = Traced.ToFirst(rank);
        if (Constant is { } constant)
        {
            int[] own = [.. order.Where(axis => axis >= missing).Select(axis => axis - missing)];
            long[] dims = [.. order.Select(axis => axis < missing ? 1L : Shape[axis - missing]).SkipWhile(extent => extent == 1)];
            return constant.Arranged(own, dims.Length == 0 ? [1] : dims);
        }

        string padded = _exporter.Emit.Unsqueeze(Plain, [.. Enumerable.Range(0, missing).Select(axis => (long)axis)]);
        return _exporter.Emit.Transpose(padded, order);
    }

    /// <summary>The axes in another order.</summary>
    public string Transposed(int[] order) => _exporter.Emit.Transpose(Plain, order);

    /// <summary>Whether the value can stand beside a flattened image whose columns are in C, H, W order.</summary>
    public bool FitsFlat(FeatureOrder features) =>
        Rank == 0 || (IsFlat && _features!.Image == features.Image)
            || (Constant is not null && Rank == 1 && (Shape[0] == features.Count || Shape[0] == 1));

    /// <summary>The value beside a flattened image.</summary>
    public string FlatFor(FeatureOrder features) => IsFlat ? _flat!
        : Rank == 1 && Shape[0] == features.Count ? Constant!.Arranged([0], places: (0, features.FromFile()))
        : Plain;

    /// <summary>N, C, ... of N, ..., C.</summary>
    public static Shape FirstShape(Shape shape) => shape.Rank < 3
        ? shape
        : new Shape(Array.ConvertAll(Traced.ToFirst(shape.Rank), axis => shape[axis]));

    private string Unfolded(string flat)
    {
        Shape image = _features!.Image!.Value;
        string planes = _exporter.Emit.Op(
            "Reshape", flat, _exporter.Emit.Longs(0, image[2], (long)image[0] * image[1]));
        return _exporter.Emit.Op(
            "Reshape", _exporter.Emit.Transpose(planes, 0, 2, 1), _exporter.Emit.Longs(0, Shape[1]));
    }
}
