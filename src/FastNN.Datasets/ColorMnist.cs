using FastNN.Tensors;

namespace FastNN.Data;

/// <summary>
/// MNIST in color, for networks that take 32x32 RGB images where CIFAR-10 is not at hand: each digit, with a border of two
/// pixels, in a random ink on a random ground. This is generated data, a task about as easy as MNIST itself and no substitute
/// for photographs. Colors are a function of the seed and the example's number; test examples have others than training ones.
/// </summary>
public static class ColorMnist
{
    /// <summary>Loads MNIST and colors it; features are <c>[32, 32, 3]</c> from 0 to 1.</summary>
    /// <param name="seed">What the colors are made from.</param>
    /// <param name="folder">A folder with the four IDX files of MNIST; null for the cache, where they are fetched to.</param>
    /// <param name="progress">Told in one line what is being done; may be null.</param>
    /// <param name="cancellationToken">Ends the fetching.</param>
    /// <exception cref="IOException">As for <see cref="Mnist.Load"/>.</exception>
    public static DatasetSplit Load(
        ulong seed = 0, string? folder = null, Action<string>? progress = null, CancellationToken cancellationToken = default)
    {
        DatasetSplit digits = Mnist.Load(folder, progress, cancellationToken);
        return new DatasetSplit(Color(digits.Train, seed, 0), Color(digits.Test, seed, 1));
    }

    internal static Dataset Color(Dataset digits, ulong seed, uint part)
    {
        if (!digits.ExampleShape.SequenceEqual([28, 28, 1]))
            throw new ArgumentException(
                $"digits are [28, 28, 1], these are [{string.Join(", ", digits.ExampleShape.ToArray())}]", nameof(digits));
        return digits.WithFeatures(store => new ColorStore(store, seed, Philox.Stream(RandomUse.Data, part)), [32, 32, 3]);
    }
}

/// <summary>
/// Colors a gray image when its row is read, so that the colored set costs no memory of its own (184 MB as bytes).
/// Ink and ground are drawn uniformly; where their luminances are closer than 0.4 the ink is moved to the far side.
/// </summary>
internal sealed class ColorStore(FeatureStore gray, ulong seed, ulong stream)
    : FeatureStore(gray.Rows, Side * Side * Channels, gray.TargetSize)
{
    private const int GreySide = 28;
    private const int Side = 32;
    private const int Channels = 3;
    private const int Border = (Side - GreySide) / 2;
    private const float Contrast = 0.4f;

    public override void CopyRow(int row, Span<float> destination, Span<float> target)
    {
        Span<float> digit = stackalloc float[GreySide * GreySide];
        gray.CopyRow(row, digit, target);
        Span<float> ground = stackalloc float[Channels];
        Span<float> ink = stackalloc float[Channels];
        Draw(row, ground, ink);

        for (int y = 0; y < Side; y++)
        {
            for (int x = 0; x < Side; x++)
            {
                int gx = x - Border;
                int gy = y - Border;
                bool inside = (uint)gx < GreySide && (uint)gy < GreySide;
                float weight = inside ? digit[(gy * GreySide) + gx] : 0;
                Span<float> pixel = destination.Slice(((y * Side) + x) * Channels, Channels);
                for (int c = 0; c < Channels; c++)
                    pixel[c] = ground[c] + ((ink[c] - ground[c]) * weight);
            }
        }
    }

    private void Draw(int row, Span<float> ground, Span<float> ink)
    {
        Span<float> draws = stackalloc float[8];
        Philox.FillUniform(draws, seed, stream, (ulong)row * 8);
        draws[..3].CopyTo(ground);
        draws[3..6].CopyTo(ink);

        // Mixing the ink with white or black moves its luminance linearly, so the share that reaches the contrast is exact.
        float from = Luminance(ground);
        float at = Luminance(ink);
        if (MathF.Abs(at - from) >= Contrast)
            return;
        bool lighter = from < 0.5f;
        float end = lighter ? 1 : 0;
        float wanted = lighter ? from + Contrast : from - Contrast;
        float share = at == end ? 1 : Math.Clamp((wanted - at) / (end - at), 0, 1);
        for (int c = 0; c < Channels; c++)
            ink[c] += (end - ink[c]) * share;
    }

    // ITU-R BT.709 weights.
    private static float Luminance(ReadOnlySpan<float> rgb) => (0.2126f * rgb[0]) + (0.7152f * rgb[1]) + (0.0722f * rgb[2]);
}
