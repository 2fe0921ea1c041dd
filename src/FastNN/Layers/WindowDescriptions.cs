namespace FastNN.Layers;

/// <summary>Sizes and paddings of windows of one and three axes among the attributes of layers.</summary>
internal static class WindowDescriptions
{
    public static LayerDescription SetUnless(this LayerDescription description, string name, int value, int normally) =>
        value == normally ? description : description.Set(name, value);

    public static LayerDescription SetUnless(this LayerDescription description, string name, Size2D value, Size2D normally) =>
        value == normally ? description : description.Set(name, value);

    public static LayerDescription SetUnless(this LayerDescription description, string name, Size3D value, Size3D normally) =>
        value == normally ? description : description.Set(name, value);

    public static LayerDescription Set(this LayerDescription description, string name, Size3D size) =>
        size == size.Columns
            ? description.Set(name, size.Columns)
            : description.Set(name, [size.Planes, size.Rows, size.Columns]);

    public static Size3D Volume(this LayerDescription description, string name) =>
        description.Attributes.GetValueOrDefault(name) is double
        ? description.Int32(name)
        : description.Int32s(name) is [int planes, int rows, int columns] ? (planes, rows, columns)
        : throw new ArgumentException($"{description.Kind}: expected planes, rows and columns as attribute '{name}'.");

    public static Size3D Volume(this LayerDescription description, string name, Size3D fallback) =>
        description.Has(name) ? description.Volume(name) : fallback;

    public static LayerDescription Set(this LayerDescription description, string name, Padding1D padding) =>
        padding == Padding1D.Valid ? description
        : padding.IsSame ? description.Set(name, "same")
        : description.Set(name, [padding.Left, padding.Right]);

    public static LayerDescription Set(this LayerDescription description, string name, Padding3D padding) =>
        padding == Padding3D.Valid ? description
        : padding.IsSame ? description.Set(name, "same")
        : description.Set(
            name, [padding.Front, padding.Back, padding.Top, padding.Bottom, padding.Left, padding.Right]);

    /// <summary>The padding of one axis.</summary>
    public static Padding1D Ends(this LayerDescription description) =>
        description.Attributes.GetValueOrDefault("padding") switch
        {
            null => Padding1D.Valid,
            "same" => Padding1D.Same,
            _ => description.Int32s("padding") is [int left, int right]
                ? Padding1D.Explicit(left, right)
                : throw new ArgumentException($"{description.Kind}: expected \"same\" or two amounts as attribute 'padding'."),
        };

    /// <summary>The padding of three axes.</summary>
    public static Padding3D Faces(this LayerDescription description) =>
        description.Attributes.GetValueOrDefault("padding") switch
        {
            null => Padding3D.Valid,
            "same" => Padding3D.Same,
            _ => description.Int32s("padding") is [int front, int back, int top, int bottom, int left, int right]
                ? Padding3D.Explicit(front, back, top, bottom, left, right)
                : throw new ArgumentException($"{description.Kind}: expected \"same\" or six amounts as attribute 'padding'."),
        };

    public static LayerDescription SetWindow(
        this LayerDescription description, int stride, Padding1D padding, int dilation) =>
        description.SetUnless("stride", stride, 1).Set("padding", padding).SetUnless("dilation", dilation, 1);

    public static LayerDescription SetWindow(
        this LayerDescription description, Size2D stride, Padding2D padding, Size2D dilation) =>
        description.SetUnless("stride", stride, 1).Set("padding", padding).SetUnless("dilation", dilation, 1);

    public static LayerDescription SetWindow(
        this LayerDescription description, Size3D stride, Padding3D padding, Size3D dilation) =>
        description.SetUnless("stride", stride, 1).Set("padding", padding).SetUnless("dilation", dilation, 1);
}
