namespace FastNN.Cli.Recipes;

/// <summary>A color for each digit, told apart by most people with a color vision deficiency, for pictures of scenes.</summary>
internal static class DigitColors
{
    private static readonly (float Red, float Green, float Blue)[] _colors =
    [
        (0.90f, 0.62f, 0.00f), (0.34f, 0.71f, 0.91f), (0.00f, 0.62f, 0.45f), (0.94f, 0.89f, 0.26f), (0.10f, 0.45f, 0.85f),
        (0.84f, 0.37f, 0.00f), (0.80f, 0.47f, 0.65f), (0.60f, 0.90f, 0.60f), (0.70f, 0.70f, 0.70f), (0.55f, 0.34f, 0.95f),
    ];

    /// <summary>The color of a digit.</summary>
    public static (float Red, float Green, float Blue) Of(int digit) => _colors[digit];

    /// <summary>The color of a pixel's class: black for no digit, class 0, then the digits.</summary>
    public static (float Red, float Green, float Blue) OfPixel(int pixelClass) =>
        pixelClass == 0 ? default : _colors[pixelClass - 1];
}
