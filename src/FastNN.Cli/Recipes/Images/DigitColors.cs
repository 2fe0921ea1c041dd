namespace FastNN.Cli.Recipes;

/// <summary>Colors for pictures of scenes: one for each digit.</summary>
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

    /// <summary>Gives a pixel of an image of red, green and blue its color.</summary>
    public static void Paint(Span<float> image, int pixel, (float Red, float Green, float Blue) color) =>
        (image[3 * pixel], image[(3 * pixel) + 1], image[(3 * pixel) + 2]) = color;
}
