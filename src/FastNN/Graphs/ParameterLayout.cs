using FastNN.Tensors;

namespace FastNN;

/// <summary>
/// How a parameter's elements are ordered in files: as PyTorch orders them, so that state dictionaries map one to one.
/// The engine keeps dense weights [in, out] and filters HWIO; PyTorch has [out, in] and OIHW, and the inputs of a dense layer
/// behind a flattened image in C, H, W order where the engine has H, W, C.
/// </summary>
public sealed class ParameterLayout
{
    private readonly Func<Shape, (int[] Extents, int[] Axes)> _view;
    private readonly Lazy<int[]>? _places;
    private readonly bool _rows;

    /// <param name="view">The engine's sizes, and which of them runs where in the file.</param>
    /// <param name="fileShape">The shape that files show.</param>
    /// <param name="features">What the features are that the engine's first axis counts, or null where their order is the
    /// same.</param>
    /// <param name="rows">Whether the engine has a row per feature, else a number.</param>
    private ParameterLayout(
        Func<Shape, (int[] Extents, int[] Axes)> view, Func<Shape, Shape> fileShape, FeatureOrder? features = null,
        bool rows = false)
    {
        _view = view;
        FileShape = fileShape;
        _places = features is null ? null : new Lazy<int[]>(features.FromFile);
        _rows = rows;
    }

    private ParameterLayout(
        Func<Shape, (int[] Extents, int[] Axes)> view, Func<Shape, Shape> fileShape, Lazy<int[]>? places, bool rows) =>
        (_view, FileShape, _places, _rows) = (view, fileShape, places, rows);

    /// <summary>Files hold the elements as the engine does.</summary>
    public static ParameterLayout AsIs { get; } = new(shape => (shape.ToArray(), Identity(shape.Rank)), shape => shape);

    /// <summary>A dense weight: [in, out] here, [out, in] in files.</summary>
    public static ParameterLayout DenseWeight { get; } =
        new(shape => (shape.ToArray(), [1, 0]), shape => new Shape(shape[1], shape[0]));

    /// <summary>
    /// A filter: [K..., C, OC] here, [OC, C, K...] in files; [KH, KW, C, OC] and [OC, C, KH, KW] of an image. A transposed
    /// convolution's is [K..., OC, C] here and [C, OC, K...] in files.
    /// </summary>
    public static ParameterLayout Filter { get; } =
        new(shape => (shape.ToArray(), FilterAxes(shape.Rank)), shape => new Shape([shape[-1], shape[-2], .. shape[..^2]]));

    /// <summary>The shape that files show, from the engine's.</summary>
    internal Func<Shape, Shape> FileShape { get; }

    /// <summary>A dense weight behind a flattened image: [H * W * C, out] here, [out, C * H * W] in files.</summary>
    /// <param name="image">The image's [H, W, C].</param>
    /// <returns>The layout.</returns>
    public static ParameterLayout DenseWeightOfImage(Shape image) =>
        new(shape => ([image[0], image[1], image[2], shape[1]], [3, 2, 0, 1]), shape => new Shape(shape[1], shape[0]));

    /// <summary>
    /// A dense weight [in, out] behind a value: [out, in] in files, the inputs in PyTorch's order where images were flattened
    /// into the value's last axis, by whatever layers lie between.
    /// </summary>
    /// <param name="x">The layer's input, [..., in].</param>
    /// <returns>The layout.</returns>
    public static ParameterLayout DenseWeightFor(Value x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.Features switch
        {
            null => DenseWeight,
            { Image: { } image } => DenseWeightOfImage(image),
            { } order =>
                new ParameterLayout(
                    shape => (shape.ToArray(), [1, 0]), shape => new Shape(shape[1], shape[0]), order, rows: true),
        };
    }

    /// <summary>
    /// A parameter [features] with a number per feature of a value, such as a normalization's scale: in files in PyTorch's order
    /// where images were flattened into the value's last axis.
    /// </summary>
    /// <param name="x">The layer's input, [..., features].</param>
    /// <returns>The layout.</returns>
    public static ParameterLayout FeaturesFor(Value x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.Features is { } order ? new ParameterLayout(AsIs._view, AsIs.FileShape, order, rows: false) : AsIs;
    }

    /// <summary>The order of another layout, which files show as one axis.</summary>
    internal static ParameterLayout Flat(ParameterLayout layout) =>
        new(layout._view, shape => new Shape(checked((int)shape.Count)), layout._places, layout._rows);

    /// <summary>
    /// A vector along the last axis of a value: behind a flattened image files have it in C, H, W order, where the engine has H,
    /// W, C.
    /// </summary>
    internal static ParameterLayout OfFeatures(Value x) => x.FlattenedImage is { } image && image.Count == x.Shape[-1]
        ? new(_ => (image.ToArray(), [2, 0, 1]), shape => shape)
        : AsIs;

    /// <summary>Reorders from the engine's order to a file's.</summary>
    internal void ToFile(Shape shape, ReadOnlySpan<float> engine, Span<float> file)
    {
        var walk = new Walk(_view(shape));
        for (int i = 0; i < file.Length; i++)
        {
            file[i] = engine[Place(walk.Next(), shape)];
        }
    }

    /// <summary>Reorders from a file's order to the engine's.</summary>
    internal void FromFile(Shape shape, ReadOnlySpan<float> file, Span<float> engine)
    {
        var walk = new Walk(_view(shape));
        for (int i = 0; i < file.Length; i++)
        {
            engine[Place(walk.Next(), shape)] = file[i];
        }
    }

    /// <summary>Where a feature lies in the engine that a walk in the file's order of features has found.</summary>
    private int Place(int position, Shape shape)
    {
        if (_places is null)
        {
            return position;
        }

        (int feature, int column) = _rows ? Math.DivRem(position, shape[1]) : (position, 0);
        int place = _places.Value[feature];
        return _rows ? (place * shape[1]) + column : place;
    }

    private static int[] FilterAxes(int rank)
    {
        int[] axes = [rank - 1, rank - 2, .. new int[rank - 2]];
        for (int i = 2; i < rank; i++)
        {
            axes[i] = i - 2;
        }

        return axes;
    }

    private static int[] Identity(int rank)
    {
        var axes = new int[rank];
        for (int i = 0; i < rank; i++)
        {
            axes[i] = i;
        }

        return axes;
    }

    /// <summary>Gives for each position in a file, in order, the position in the engine.</summary>
    private struct Walk
    {
        private readonly int[] _extents;
        private readonly int[] _strides;
        private readonly int[] _at;
        private int _position;

        /// <summary>
        /// Begins at the first element. <paramref name="view"/>: the engine's sizes, and which of them runs where in the file.
        /// </summary>
        public Walk((int[] Extents, int[] Axes) view)
        {
            var strides = new int[view.Extents.Length];
            for (int i = view.Extents.Length - 1, stride = 1; i >= 0; stride *= view.Extents[i--])
            {
                strides[i] = stride;
            }

            _extents = [.. view.Axes.Select(axis => view.Extents[axis])];
            _strides = [.. view.Axes.Select(axis => strides[axis])];
            _at = new int[view.Axes.Length];
        }

        public int Next()
        {
            int position = _position;
            for (int j = _at.Length - 1; j >= 0; j--)
            {
                _position += _strides[j];
                if (++_at[j] < _extents[j])
                {
                    break;
                }

                _position -= _strides[j] * _extents[j];
                _at[j] = 0;
            }

            return position;
        }
    }
}
