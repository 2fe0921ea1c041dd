using System.Runtime.CompilerServices;

namespace FastNN.Data;

/// <summary>How a pixel is made where it falls between those of the image.</summary>
public enum Resampling
{
    /// <summary>The pixel whose center is nearest.</summary>
    Nearest,

    /// <summary>The four around it, weighted by nearness.</summary>
    Bilinear,
}

/// <summary>Where in an image the pixel of another one comes from.</summary>
internal interface ICoordinateMap
{
    /// <summary>Source coordinates of a target pixel; the centers of pixels have whole numbers.</summary>
    (double X, double Y) Source(int x, int y);
}

/// <summary>
/// Takes every pixel of an image from where a map says, as torch.nn.functional.grid_sample does with align_corners=False: nearest
/// rounds half to even, bilinear takes the fill value for those of the four that lie outside.
/// </summary>
internal static class Warp
{
    public static void Apply<TMap>(AugmentationImage image, in TMap map, Resampling resampling, float fill)
        where TMap : struct, ICoordinateMap
    {
        (int height, int width, int channels) = (image.Height, image.Width, image.Channels);
        Span<float> to = image.Replace(height, width, out ReadOnlySpan<float> from);
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                (double sourceX, double sourceY) = map.Source(x, y);
                Span<float> pixel = to.Slice(((y * width) + x) * channels, channels);

                // Written so that a coordinate that is not a number lies outside.
                if (!(sourceX > -1 && sourceX < width && sourceY > -1 && sourceY < height))
                {
                    pixel.Fill(fill);
                }
                else if (resampling == Resampling.Nearest)
                {
                    Pixel(from, (int)Math.Round(sourceX), (int)Math.Round(sourceY), width, height, pixel, fill);
                }
                else
                {
                    Blend(from, sourceX, sourceY, width, height, pixel, fill);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pixel(
        ReadOnlySpan<float> from, int x, int y, int width, int height, Span<float> pixel, float fill)
    {
        if ((uint)x < (uint)width && (uint)y < (uint)height)
        {
            from.Slice(((y * width) + x) * pixel.Length, pixel.Length).CopyTo(pixel);
        }
        else
        {
            pixel.Fill(fill);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Blend(
        ReadOnlySpan<float> from, double sourceX, double sourceY, int width, int height, Span<float> pixel, float fill)
    {
        int left = (int)Math.Floor(sourceX), top = (int)Math.Floor(sourceY);
        float right = (float)(sourceX - left), low = (float)(sourceY - top);
        int channels = pixel.Length, row = width * channels;
        int at = (top * row) + (left * channels);
        bool hasTop = top >= 0, hasLow = top + 1 < height, hasLeft = left >= 0, hasRight = left + 1 < width;
        for (int c = 0; c < pixel.Length; c++, at++)
        {
            float upper = Lerp(
                hasTop && hasLeft ? from[at] : fill, hasTop && hasRight ? from[at + channels] : fill, right);
            float lower = Lerp(
                hasLow && hasLeft ? from[at + row] : fill, hasLow && hasRight ? from[at + row + channels] : fill, right);
            pixel[c] = Lerp(upper, lower, low);
        }
    }

    // Exactly the first number for 0, so that a map that moves nothing changes no bit.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Lerp(float from, float to, float by) => from + ((to - from) * by);
}
