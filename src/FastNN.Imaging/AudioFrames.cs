using System.Globalization;

namespace FastNN.Imaging;

/// <summary>
/// Cuts a stream of samples into frames of one length that begin a hop apart, multiplied by a window, as networks for sound take
/// them. Samples come in pieces of any length; nothing is allocated while they do.
/// </summary>
public sealed class AudioFrames
{
    private readonly float[]? _window;
    private readonly float[] _kept;
    private int _count;
    private long _skip;

    /// <summary>Frames of a length.</summary>
    /// <param name="length">Samples of a frame.</param>
    /// <param name="hop">Samples from the beginning of a frame to that of the next; more than the length leaves some out.</param>
    /// <param name="window">A factor for each sample of a frame, such as <see cref="Hann"/>; empty for none.</param>
    /// <exception cref="ArgumentException">A number is not positive, or the window has another length.</exception>
    public AudioFrames(int length, int hop, ReadOnlySpan<float> window = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(hop);
        if (!window.IsEmpty && window.Length != length)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"AudioFrames: expected a window of {length} factors, got {window.Length}."));
        }

        (Length, Hop) = (length, hop);
        _window = window.IsEmpty ? null : window.ToArray();
        _kept = new float[length];
    }

    /// <summary>Samples of a frame.</summary>
    public int Length { get; }

    /// <summary>Samples from the beginning of a frame to that of the next.</summary>
    public int Hop { get; }

    /// <summary>The periodic window of Hann, as PyTorch's hann_window.</summary>
    /// <param name="length">Its factors.</param>
    public static float[] Hann(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        var window = new float[length];
        for (int i = 0; i < length; i++)
        {
            window[i] = (float)(0.5 - (0.5 * Math.Cos(2 * Math.PI * i / length)));
        }

        return window;
    }

    /// <summary>Takes samples until a frame is full.</summary>
    /// <param name="samples">What came in; receives what is left of it, so that it can be called again.</param>
    /// <param name="frame">Receives a frame, where one is full.</param>
    /// <returns>Whether a frame is full; false where all samples were taken and more are needed.</returns>
    /// <exception cref="ArgumentException">The frame has another length.</exception>
    public bool TryNext(ref ReadOnlySpan<float> samples, Span<float> frame)
    {
        if (frame.Length != Length)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"AudioFrames: expected room for {Length} samples, got {frame.Length}."));
        }

        int skipped = (int)Math.Min(_skip, samples.Length);
        samples = samples[skipped..];
        _skip -= skipped;
        int taken = _skip > 0 ? 0 : Math.Min(Length - _count, samples.Length);
        samples[..taken].CopyTo(_kept.AsSpan(_count));
        samples = samples[taken..];
        _count += taken;
        if (_count < Length)
        {
            return false;
        }

        for (int i = 0; i < frame.Length; i++)
        {
            frame[i] = _window is null ? _kept[i] : _kept[i] * _window[i];
        }

        _count = Math.Max(0, Length - Hop);
        _kept.AsSpan(Length - _count).CopyTo(_kept);
        _skip = Math.Max(0, Hop - Length);
        return true;
    }

    /// <summary>Forgets all samples, for another stream.</summary>
    public void Reset() => (_count, _skip) = (0, 0);
}
