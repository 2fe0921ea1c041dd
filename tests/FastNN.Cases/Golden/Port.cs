namespace FastNN.Testing;

/// <summary>A tensor on its way between a file, NCHW and OIHW, and the engine, NHWC and HWIO.</summary>
/// <param name="Name">In the file.</param>
/// <param name="FileShape">As the file orders it; axes of extent 1 may have been added.</param>
/// <param name="Axes">The engine's axis i is the file's axis Axes[i]; null leaves the order.</param>
internal sealed record Port(string Name, int[] FileShape, int[]? Axes = null)
{
    public Shape EngineShape => new(Axes is null ? FileShape : Array.ConvertAll(Axes, axis => FileShape[axis]));

    public static Port Plain(GoldenCase golden, string name) => new(name, golden.ShapeOf(name));

    /// <summary>[N, C, H, W], or [N, C, W] taken as an image of height 1.</summary>
    public static Port Image(GoldenCase golden, string name) => new(name, WithHeight(golden.ShapeOf(name)), [0, 2, 3, 1]);

    /// <summary>[N, C, ...], whose channels move to the end.</summary>
    public static Port Channels(GoldenCase golden, string name)
    {
        int[] shape = golden.ShapeOf(name);
        return new Port(name, shape, [0, .. Enumerable.Range(2, shape.Length - 2), 1]);
    }

    /// <summary>A filter [OC, C, K...], or a transposed convolution's [C, OC, K...], whose kernel moves to the front.</summary>
    public static Port Kernel(GoldenCase golden, string name)
    {
        int[] shape = golden.ShapeOf(name);
        return new Port(name, shape, [.. Enumerable.Range(2, shape.Length - 2), 1, 0]);
    }

    /// <summary>[out, in].</summary>
    public static Port DenseWeight(GoldenCase golden, string name) => new(name, golden.ShapeOf(name), [1, 0]);

    /// <summary>The class axis moves to the end.</summary>
    public static Port Classes(GoldenCase golden, string name, int axis)
    {
        int[] shape = golden.ShapeOf(name);
        return new Port(name, shape, [.. Enumerable.Range(0, shape.Length).Where(i => i != axis), axis]);
    }

    public float[] ToEngine(float[] file) => Reorder(file, toEngine: true);

    public float[] ToFile(float[] engine) => Reorder(engine, toEngine: false);

    private static int[] WithHeight(int[] shape) => shape.Length == 3 ? [shape[0], shape[1], 1, shape[2]] : shape;

    private float[] Reorder(float[] source, bool toEngine)
    {
        if (Axes is null)
        {
            return source;
        }

        var result = new float[source.Length];
        int[] extents = EngineShape.ToArray();
        var at = new int[extents.Length];
        for (int engine = 0; engine < source.Length; engine++)
        {
            // Horner's rule over the file's axes at the engine's position.
            int file = 0;
            for (int axis = 0; axis < FileShape.Length; axis++)
            {
                file = (file * FileShape[axis]) + at[Array.IndexOf(Axes, axis)];
            }

            result[toEngine ? engine : file] = source[toEngine ? file : engine];
            for (int i = at.Length - 1; i >= 0 && ++at[i] == extents[i]; i--)
            {
                at[i] = 0;
            }
        }

        return result;
    }
}
