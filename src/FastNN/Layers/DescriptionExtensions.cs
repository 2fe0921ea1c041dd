using System.Globalization;
using FastNN.Formats;
using FastNN.Functions;

namespace FastNN.Layers;

/// <summary>The library's own types among the attributes of layers.</summary>
internal static class DescriptionExtensions
{
    public static int Int32(this LayerDescription description, string name, int fallback) =>
        description.Has(name) ? description.Int32(name) : fallback;

    public static bool Boolean(this LayerDescription description, string name, bool fallback) =>
        description.Has(name) ? description.Boolean(name) : fallback;

    public static LayerDescription Set(this LayerDescription description, string name, Size2D size) =>
        size.Rows == size.Columns ? description.Set(name, size.Rows) : description.Set(name, [size.Rows, size.Columns]);

    public static Size2D Size(this LayerDescription description, string name) =>
        description.Attributes.GetValueOrDefault(name) is double
        ? description.Int32(name)
        : description.Int32s(name) is [int rows, int columns] ? (rows, columns)
        : throw new ArgumentException($"{description.Kind}: expected rows and columns as attribute '{name}'.");

    public static Size2D Size(this LayerDescription description, string name, Size2D fallback) =>
        description.Has(name) ? description.Size(name) : fallback;

    /// <summary>Extents; symbols by their names.</summary>
    public static LayerDescription Set(this LayerDescription description, string name, Shape shape) =>
        description.Set(name, ShapeText.Write(shape));

    public static Shape Shape(this LayerDescription description, string name) => ShapeText.Read(description.Text(name));

    public static LayerDescription Set(this LayerDescription description, string name, Activation activation) =>
        activation.IsNone ? description : description.Set(name, activation.ToString());

    public static Activation Activation(this LayerDescription description) =>
        description.Has("activation") ? ParseActivation(description.Text("activation")) : default;

    public static LayerDescription Set(this LayerDescription description, string name, Padding2D padding) =>
        padding == Padding2D.Valid ? description
        : padding.IsSame ? description.Set(name, "same")
        : description.Set(name, [padding.Top, padding.Bottom, padding.Left, padding.Right]);

    public static Padding2D Padding(this LayerDescription description) =>
        description.Attributes.GetValueOrDefault("padding") switch
        {
            null => Padding2D.Valid,
            "same" => Padding2D.Same,
            _ => description.Int32s("padding") is [int top, int bottom, int left, int right]
                ? Padding2D.Explicit(top, bottom, left, right)
                : throw new ArgumentException($"{description.Kind}: expected \"same\" or four amounts as attribute 'padding'."),
        };

    public static LayerDescription Set(this LayerDescription description, Regularizer? regularizer) => regularizer is null
        ? description
        : description.Set("l1", regularizer.AbsoluteWeight).Set("l2", regularizer.SquareWeight);

    public static Regularizer? Regularizer(this LayerDescription description) =>
        description.Has("l1") || description.Has("l2")
            ? FastNN.Regularizer.L1L2(description.Single("l1"), description.Single("l2"))
            : null;

    /// <summary>
    /// Notes an initializer where it is not the layer's default. One of the user's own cannot be kept: the layer made anew has
    /// the default.
    /// </summary>
    public static LayerDescription Set(
        this LayerDescription description, string name, Initializer initializer, Initializer normally) =>
        initializer.Text is { } text && text != normally.Text ? description.Set(name, text) : description;

    public static Initializer Initializer(this LayerDescription description, string name, Initializer fallback) =>
        description.Has(name) ? ParseInitializer(description.Text(name)) : fallback;

    public static LayerDescription SetPool(
        this LayerDescription description, Size2D kernel, Size2D? stride, Padding2D padding, bool ceilMode)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("kernel", kernel);
        if (stride is { } given)
        {
            description.Set("stride", given);
        }

        description.Set("padding", padding);
        return ceilMode ? description.Set("ceilMode", ceilMode) : description;
    }

    /// <summary>The initializer of a <see cref="FastNN.Initializer.Text"/>.</summary>
    /// <exception cref="ArgumentException">The rule is unknown, or has other numbers.</exception>
    internal static Initializer ParseInitializer(string text)
    {
        int open = text.IndexOf('(', StringComparison.Ordinal);
        string[] parts = open < 0 ? [] : text[(open + 1)..].TrimEnd(')').Split(", ");
        float[] numbers = Array.ConvertAll(
            parts,
            part => float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out float number)
                ? number
                : float.NaN);
        return Array.TrueForAll(numbers, float.IsFinite) ? (open < 0 ? text : text[..open], numbers) switch
        {
            (nameof(FastNN.Initializer.GlorotUniform), []) => FastNN.Initializer.GlorotUniform,
            (nameof(FastNN.Initializer.GlorotNormal), []) => FastNN.Initializer.GlorotNormal,
            (nameof(FastNN.Initializer.HeUniform), []) => FastNN.Initializer.HeUniform,
            (nameof(FastNN.Initializer.HeNormal), []) => FastNN.Initializer.HeNormal,
            (nameof(FastNN.Initializer.Constant), [var value]) => FastNN.Initializer.Constant(value),
            (nameof(FastNN.Initializer.Uniform), [var low, var high]) => FastNN.Initializer.Uniform(low, high),
            (nameof(FastNN.Initializer.Normal), [var mean, var deviation]) => FastNN.Initializer.Normal(mean, deviation),
            _ => throw Unknown(),
        } : throw Unknown();

        ArgumentException Unknown() =>
            new($"expected an initializer such as HeNormal, Constant(1) or Uniform(-0.1, 0.1), got '{Quote.Text(text)}'.");
    }

    /// <summary>What <see cref="FastNN.Activation.ToString"/> gives: "ReLU", "LeakyReLU(0.2)".</summary>
    private static Activation ParseActivation(string text)
    {
        int open = text.IndexOf('(', StringComparison.Ordinal);
        string name = open < 0 ? text : text[..open];
        foreach (UnaryFunction function in FunctionTable.Unary)
        {
            if (function.Info.Name != name)
            {
                continue;
            }

            if (open < 0)
            {
                return new Activation(function, function.Info.Defaults);
            }

            string[] parts = text[(open + 1)..].TrimEnd(')').Split(", ");
            var scalars = new float[parts.Length];
            for (int i = 0; i < parts.Length; i++)
            {
                if (parts.Length != function.Info.Scalars.Length
                    || !float.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out scalars[i])
                    || !float.IsFinite(scalars[i]))
                {
                    throw new ArgumentException(
                        $"expected {function.Info.Scalars.Length} numbers for the activation {name}, got '{text}'.");
                }
            }

            return new Activation(function, Scalars.Of(scalars));
        }

        throw new ArgumentException($"there is no activation '{name}'.");
    }
}

/// <summary>Shapes as texts whose symbols have their names: "28, 28, 1", "T, 64".</summary>
internal static class ShapeText
{
    public static string Write(Shape shape) => shape.ToString()[1..^1];

    /// <exception cref="ArgumentException">The text is not a shape.</exception>
    public static Shape Read(string text)
    {
        if (text.Length == 0)
        {
            return default;
        }

        string[] parts = text.Split(", ");
        return parts.Length <= Shape.MaxRank
            ? new Shape(Array.ConvertAll(parts, ReadExtent))
            : throw new ShapeException($"expected at most {Shape.MaxRank} extents, got {parts.Length}.");
    }

    private static int ReadExtent(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int extent) ? extent
        : text.Length is > 0 and <= 64 && (char.IsAsciiLetter(text[0]) || text[0] == '_') ? Dim.Named(text)
        : throw new ShapeException("expected extents that are numbers or the names of symbols.");
}
