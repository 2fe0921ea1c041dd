using System.Runtime.CompilerServices;

namespace FastNN.Data;

/// <summary>Checks of what augmentations are given, with one wording for all.</summary>
internal static class AugmentationArguments
{
    public static double Probability(string augmentation, double p, [CallerArgumentExpression(nameof(p))] string name = "") =>
        p >= 0 && p <= 1 ? p : throw Wrong(augmentation, name, "a probability in 0..1", $"{p}");

    public static int Positive(string augmentation, int value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        value > 0 ? value : throw Wrong(augmentation, name, "a positive number", $"{value}");

    public static int NotNegative(string augmentation, int value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        value >= 0 ? value : throw Wrong(augmentation, name, "0 or more", $"{value}");

    public static double NotNegative(
        string augmentation, double value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        Within(augmentation, value, 0, double.MaxValue, name);

    public static double Positive(
        string augmentation, double value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        value > 0 && double.IsFinite(value) ? value : throw Wrong(augmentation, name, "a positive number", $"{value}");

    public static double Within(
        string augmentation, double value, double least, double most,
        [CallerArgumentExpression(nameof(value))] string name = "") =>
        value >= least && value <= most ? value : throw Wrong(augmentation, name, Bounds(least, most), $"{value}");

    public static int Within(
        string augmentation, int value, int least, int most, [CallerArgumentExpression(nameof(value))] string name = "") =>
        value >= least && value <= most ? value : throw Wrong(augmentation, name, Bounds(least, most), $"{value}");

    public static float Finite(string augmentation, float value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        float.IsFinite(value) ? value : throw Wrong(augmentation, name, "a finite number", $"{value}");

    public static T Defined<T>(string augmentation, T value, [CallerArgumentExpression(nameof(value))] string name = "")
        where T : struct, Enum =>
        Enum.IsDefined(value)
            ? value
            : throw Wrong(augmentation, name, $"one of {string.Join(", ", Enum.GetNames<T>())}", $"{value}");

    /// <summary>Two finite numbers in order, neither beyond a bound; a bound that is excluded is given as its neighbor.</summary>
    public static (double Low, double High) Range(
        string augmentation, (double Low, double High) range, double least, double most,
        [CallerArgumentExpression(nameof(range))] string name = "") =>
        range.Low <= range.High && range.Low >= least && range.High <= most && double.IsFinite(range.Low)
            && double.IsFinite(range.High)
            ? range
            : throw Wrong(
                augmentation, name, $"two numbers in order, each {Bounds(least, most)}", $"({range.Low}, {range.High})");

    public static int Odd(string augmentation, int value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        value > 0 && value % 2 == 1 ? value : throw Wrong(augmentation, name, "a positive odd number", $"{value}");

    public static int OneOrThree(string augmentation, int value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        value is 1 or 3 ? value : throw Wrong(augmentation, name, "1 or 3", $"{value}");

    public static ValueRange Values(string augmentation, ValueRange range) =>
        range.Low < range.High && float.IsFinite(range.High - range.Low)
            ? range
            : throw Wrong(augmentation, "Range", "black below white, both finite", $"{range.Low} and {range.High}");

    /// <summary>The shape of an image that has colors, or is gray.</summary>
    public static Shape Colored(string augmentation, Shape shape) => shape[2] is 1 or 3
        ? shape
        : throw new ShapeException($"{augmentation}: expected images of 1 or 3 channels, got {shape}.");

    /// <summary>A copy of the parts of a composition, none of which is null.</summary>
    public static Augmentation[] Parts(string augmentation, ReadOnlySpan<Augmentation> parts)
    {
        int missing = parts.IndexOf((Augmentation)null!);
        return missing < 0
            ? parts.ToArray()
            : throw new ArgumentNullException(nameof(parts), $"{augmentation}: expected augmentations, part {missing} is null.");
    }

    private static string Bounds(double least, double most) => FormattableString.Invariant(BoundsOf(least, most));

    private static FormattableString BoundsOf(double least, double most) => (least, most) switch
    {
        (double.Epsilon, double.MaxValue) => $"above 0",
        (double.MinValue, double.MaxValue) => $"finite",
        (_, double.MaxValue) => $"at least {least}",
        (double.Epsilon, _) => $"above 0 and at most {most}",
        _ => $"in {least}..{most}",
    };

    private static ArgumentOutOfRangeException Wrong(
        string augmentation, string name, string expected, FormattableString given) =>
        new(name, $"{augmentation}: expected {name} to be {expected}, got {FormattableString.Invariant(given)}.");
}
