namespace FastNN.Data;

/// <summary>
/// Erases bands of a spectrogram [frames, frequencies, channels] (Park et al., "SpecAugment", 2019). The width of each is drawn
/// evenly from 0 to the widest, then its place; an axis that is shorter has no wider band than itself.
/// </summary>
public abstract class SpectrogramMask : Augmentation
{
    private protected SpectrogramMask(int widest) => Widest = AugmentationArguments.NotNegative(Name, widest);

    /// <summary>The widest band.</summary>
    public int Widest { get; }

    /// <summary>How many bands are erased; they may overlap. Default 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public int Count { get; init => field = AugmentationArguments.NotNegative(Name, value, nameof(Count)); } = 1;

    /// <summary>What erased numbers become; default 0, the mean of normalized features.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not finite.</exception>
    public float Value { get; init => field = AugmentationArguments.Finite(Name, value, nameof(Value)); }

    /// <summary>Draws a band of an axis.</summary>
    private protected (int First, int Width) Draw(AugmentationRandom random, int extent)
    {
        int width = random.Below(Math.Min(Widest, extent) + 1);
        return (random.Below(extent - width + 1), width);
    }
}

/// <summary>Erases frames: all frequencies of spans of time.</summary>
/// <param name="widest">The most frames of one mask.</param>
/// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
/// <seealso href="https://docs.pytorch.org/audio/stable/generated/torchaudio.transforms.TimeMasking.html"/>
public sealed class TimeMask(int widest) : SpectrogramMask(widest)
{
    /// <inheritdoc/>
    protected override void Augment(AugmentationImage image)
    {
        int frame = image.Width * image.Channels;
        for (int i = 0; i < Count; i++)
        {
            (int first, int width) = Draw(image.Random, image.Height);
            image.Pixels.Slice(first * frame, width * frame).Fill(Value);
        }
    }
}

/// <summary>Erases frequencies: bands of all frames.</summary>
/// <param name="widest">The most neighboring frequencies of one mask.</param>
/// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
/// <seealso href="https://docs.pytorch.org/audio/stable/generated/torchaudio.transforms.FrequencyMasking.html"/>
public sealed class FrequencyMask(int widest) : SpectrogramMask(widest)
{
    /// <inheritdoc/>
    protected override void Augment(AugmentationImage image)
    {
        int frame = image.Width * image.Channels;
        for (int i = 0; i < Count; i++)
        {
            (int first, int width) = Draw(image.Random, image.Width);
            for (int y = 0; y < image.Height; y++)
            {
                image.Pixels.Slice((y * frame) + (first * image.Channels), width * image.Channels).Fill(Value);
            }
        }
    }
}

/// <summary>
/// Moves a spectrogram [frames, frequencies, channels], or a sound [samples, 1, channels], in time, either way. What comes in is
/// the frame that stood at that end.
/// </summary>
public sealed class TimeShift : Augmentation
{
    /// <summary>A shift.</summary>
    /// <param name="farthest">The most frames, either way; each number is as likely.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is negative, or half of what an Int32 holds.</exception>
    public TimeShift(int farthest) => Farthest = AugmentationArguments.Within(Name, farthest, 0, (int.MaxValue - 1) / 2);

    /// <summary>The most frames, either way.</summary>
    public int Farthest { get; }

    /// <inheritdoc/>
    protected override void Augment(AugmentationImage image)
    {
        int shift = Math.Clamp(image.Random.Below((2 * Farthest) + 1) - Farthest, -image.Height, image.Height);
        int frame = image.Width * image.Channels, kept = (image.Height - Math.Abs(shift)) * frame;
        if (shift == 0)
        {
            return;
        }

        Span<float> pixels = image.Pixels, end = image.Scratch(frame);
        (shift > 0 ? pixels[..frame] : pixels[^frame..]).CopyTo(end);
        Span<float> from = shift > 0 ? pixels[..kept] : pixels[^kept..], to = shift > 0 ? pixels[^kept..] : pixels[..kept];
        from.CopyTo(to);
        Span<float> free = shift > 0 ? pixels[..^kept] : pixels[kept..];
        for (int at = 0; at < free.Length; at += frame)
        {
            end.CopyTo(free[at..]);
        }
    }
}
