using System.Numerics.Tensors;

namespace FastNN.Data;

/// <summary>Blurs by a Gaussian of random width; the image is mirrored at its border.</summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.GaussianBlur.html"/>
public sealed class GaussianBlur : Augmentation
{
    private readonly (double Low, double High) _sigma = (0.1, 2);

    /// <summary>A blur.</summary>
    /// <param name="kernelSize">Pixels that go into one, along each axis; odd.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive or not odd.</exception>
    public GaussianBlur(int kernelSize)
    {
        KernelSize = AugmentationArguments.Odd(Name, kernelSize);
    }

    /// <summary>Pixels that go into one, along each axis.</summary>
    public int KernelSize { get; }

    /// <summary>Standard deviations of the Gaussian, in pixels; default 0.1 to 2.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not positive and in order.</exception>
    public (double Low, double High) Sigma
    {
        get => _sigma;
        init => _sigma = AugmentationArguments.Range(Name, value, double.Epsilon, double.MaxValue, nameof(Sigma));
    }

    /// <inheritdoc/>
    protected override Shape ShapeAfter(Shape shape) => KernelSize / 2 < Math.Min(shape[0], shape[1])
        ? shape
        : throw new ShapeException(
            $"{Name}: expected images of at least {(KernelSize / 2) + 1} rows and columns for a kernel of {KernelSize}, got {shape}.");

    /// <inheritdoc/>
    protected override void Augment(AugmentationImage image)
    {
        double sigma = image.Random.Uniform(Sigma.Low, Sigma.High);
        (int height, int width, int channels) = (image.Height, image.Width, image.Channels);
        int reach = KernelSize / 2, row = width * channels, padded = row + (2 * reach * channels);
        Span<float> scratch = image.Scratch(KernelSize + padded);
        Span<float> weights = scratch[..KernelSize], line = scratch[KernelSize..];
        Weigh(weights, sigma);

        // Down the columns from one image to the other, then along the rows within it.
        Span<float> to = image.Replace(height, width, out ReadOnlySpan<float> from);
        for (int y = 0; y < height; y++)
        {
            Span<float> target = to.Slice(y * row, row);
            target.Clear();
            for (int tap = 0; tap < KernelSize; tap++)
            {
                ReadOnlySpan<float> source = from.Slice(Mirror(y + tap - reach, height) * row, row);
                TensorPrimitives.MultiplyAdd(source, weights[tap], target, target);
            }
        }

        for (int y = 0; y < height; y++)
        {
            Span<float> target = to.Slice(y * row, row);
            for (int x = -reach; x < width + reach; x++)
            {
                target.Slice(Mirror(x, width) * channels, channels).CopyTo(line[((x + reach) * channels)..]);
            }

            target.Clear();
            for (int tap = 0; tap < KernelSize; tap++)
            {
                TensorPrimitives.MultiplyAdd(line.Slice(tap * channels, row), weights[tap], target, target);
            }
        }
    }

    private static int Mirror(int index, int extent) =>
        index < 0 ? -index : index < extent ? index : (2 * (extent - 1)) - index;

    private static void Weigh(Span<float> weights, double sigma)
    {
        double total = 0;
        for (int pass = 0; pass < 2; pass++)
        {
            for (int i = 0; i < weights.Length; i++)
            {
                double x = (i - (weights.Length / 2)) / sigma, weight = Math.Exp(-0.5 * x * x);
                weights[i] = (float)(weight / total);
                total += pass == 0 ? weight : 0;
            }
        }
    }
}

/// <summary>Adds noise of a normal distribution to every value.</summary>
/// <seealso href="https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.GaussianNoise.html"/>
public sealed class GaussianNoise : Augmentation
{
    private readonly ValueRange _range = ValueRange.Unit;

    /// <summary>Noise.</summary>
    /// <param name="mean">Its mean; default 0.</param>
    /// <param name="sigma">Its standard deviation; default 0.1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The mean is not finite, or the deviation negative.</exception>
    public GaussianNoise(double mean = 0, double sigma = 0.1)
    {
        Mean = AugmentationArguments.Within(Name, mean, double.MinValue, double.MaxValue);
        Sigma = AugmentationArguments.NotNegative(Name, sigma);
    }

    /// <summary>The mean.</summary>
    public double Mean { get; }

    /// <summary>The standard deviation.</summary>
    public double Sigma { get; }

    /// <summary>Whether values are kept in the <see cref="Range"/>; default so.</summary>
    public bool Clip { get; init; } = true;

    /// <summary>Black and white; default 0 and 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">White is not above black.</exception>
    public ValueRange Range
    {
        get => _range;
        init => _range = AugmentationArguments.Values(Name, value);
    }

    /// <inheritdoc/>
    protected override void Augment(AugmentationImage image)
    {
        Span<float> pixels = image.Pixels, noise = image.Scratch(pixels.Length);
        image.Random.FillNormal(noise);
        TensorPrimitives.MultiplyAdd(noise, (float)Sigma, pixels, pixels);
        TensorPrimitives.Add(pixels, (float)Mean, pixels);
        if (Clip)
        {
            TensorPrimitives.Clamp(pixels, Range.Low, Range.High, pixels);
        }
    }
}
