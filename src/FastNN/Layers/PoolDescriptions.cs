namespace FastNN.Layers;

/// <summary>Sizes of sequences and volumes among the attributes of layers.</summary>
internal static class PoolDescriptions
{
    public static LayerDescription SetSize3D(this LayerDescription description, string name, Size3D size) =>
        description.Set(name, [size.Planes, size.Rows, size.Columns]);

    public static Size3D PoolSize3D(this LayerDescription description, string name) =>
        description.Int32s(name) is [int planes, int rows, int columns]
            ? (planes, rows, columns)
            : throw new ArgumentException($"{description.Kind}: expected planes, rows and columns as attribute '{name}'.");

    public static Padding3D PoolPadding3D(this LayerDescription description) =>
        description.Attributes.GetValueOrDefault("padding") switch
        {
            null => Padding3D.Valid,
            "same" => Padding3D.Same,
            _ => description.Int32s("padding") is [int front, int back, int top, int bottom, int left, int right]
                ? Padding3D.Explicit(front, back, top, bottom, left, right)
                : throw new ArgumentException($"{description.Kind}: expected \"same\" or six amounts as attribute 'padding'."),
        };

    public static LayerDescription SetRowPool(
        this LayerDescription description, int kernel, int? stride, int padding, bool ceilMode)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("kernel", kernel).Set("padding", padding).Set("ceilMode", ceilMode);
        return stride is { } given ? description.Set("stride", given) : description;
    }

    public static LayerDescription SetVolumePool(
        this LayerDescription description, Size3D kernel, Size3D? stride, Padding3D padding, bool ceilMode)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.SetSize3D("kernel", kernel).Set("ceilMode", ceilMode);
        if (stride is { } given)
        {
            description.SetSize3D("stride", given);
        }

        return padding == Padding3D.Valid ? description
            : padding.IsSame ? description.Set("padding", "same")
            : description.Set(
                "padding", [padding.Front, padding.Back, padding.Top, padding.Bottom, padding.Left, padding.Right]);
    }
}
