namespace FastNN;

/// <summary>
/// How a parameter's elements are ordered in files: as PyTorch orders them, so that state dictionaries map one to one.
/// The engine keeps dense weights [in, out] and filters HWIO; PyTorch has [out, in] and OIHW, and the inputs of a dense layer
/// behind a flattened image in C, H, W order where the engine has H, W, C.
/// </summary>
public sealed class ParameterLayout
{
    private readonly Func<Shape, (int[] Extents, int[] Axes)> _view;

    private ParameterLayout(Func<Shape, (int[] Extents, int[] Axes)> view, Func<Shape, Shape> fileShape)
    {
        _view = view;
        FileShape = fileShape;
    }

    /// <summary>Files hold the elements as the engine does.</summary>
    public static ParameterLayout AsIs { get; } = new(shape => (shape.ToArray(), Identity(shape.Rank)), shape => shape);

    /// <summary>A dense weight: [in, out] here, [out, in] in files.</summary>
    public static ParameterLayout DenseWeight { get; } =
        new(shape => (shape.ToArray(), [1, 0]), shape => new Shape(shape[1], shape[0]));

    /// <summary>A filter: [KH, KW, C, OC] here, [OC, C, KH, KW] in files.</summary>
    public static ParameterLayout Filter { get; } =
        new(shape => (shape.ToArray(), [3, 2, 0, 1]), shape => new Shape(shape[3], shape[2], shape[0], shape[1]));

    /// <summary>The shape that files show, from the engine's.</summary>
    internal Func<Shape, Shape> FileShape { get; }

    /// <summary>A dense weight behind a flattened image: [H * W * C, out] here, [out, C * H * W] in files.</summary>
    /// <param name="image">The image's [H, W, C].</param>
    /// <returns>The layout.</returns>
    public static ParameterLayout DenseWeightOfImage(Shape image) =>
        new(shape => ([image[0], image[1], image[2], shape[1]], [3, 2, 0, 1]), shape => new Shape(shape[1], shape[0]));

    /// <summary>Reorders from the engine's order to a file's.</summary>
    internal void ToFile(Shape shape, ReadOnlySpan<float> engine, Span<float> file)
    {
        int[] indices = FileOrder(shape);
        for (int i = 0; i < indices.Length; i++)
        {
            file[i] = engine[indices[i]];
        }
    }

    /// <summary>Reorders from a file's order to the engine's.</summary>
    internal void FromFile(Shape shape, ReadOnlySpan<float> file, Span<float> engine)
    {
        int[] indices = FileOrder(shape);
        for (int i = 0; i < indices.Length; i++)
        {
            engine[indices[i]] = file[i];
        }
    }

    /// <summary>For each position in a file, the position in the engine.</summary>
    private int[] FileOrder(Shape shape)
    {
        (int[] extents, int[] axes) = _view(shape);
        var strides = new int[extents.Length];
        for (int i = extents.Length - 1, stride = 1; i >= 0; stride *= extents[i--])
        {
            strides[i] = stride;
        }

        var indices = new int[checked((int)shape.Count)];
        var at = new int[axes.Length];
        for (int i = 0; i < indices.Length; i++)
        {
            int position = 0;
            for (int j = 0; j < axes.Length; j++)
            {
                position += at[j] * strides[axes[j]];
            }

            indices[i] = position;
            for (int j = axes.Length - 1; j >= 0 && ++at[j] == extents[axes[j]]; j--)
            {
                at[j] = 0;
            }
        }

        return indices;
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
}
