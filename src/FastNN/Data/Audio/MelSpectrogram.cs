using System.Globalization;

namespace FastNN.Data;

/// <summary>
/// Makes spectrograms on a mel scale of sound: frames that begin a hop apart, times the periodic window of Hann, each a power
/// spectrum that triangular filters sum up, evenly wide in mel. Frames lie within the sound; what is left at its end makes none.
/// Scale, filters and their heights are torchaudio's and librosa's (their <c>center=False</c>). One thread at a time.
/// </summary>
/// <example><code>
/// var mel = new MelSpectrogram(sampleRate: 16000) { Mels = 40 };
/// float[] features = mel.Compute(samples); // [mel.FramesOf(samples.Length), 40]
/// </code></example>
public sealed class MelSpectrogram
{
    private const int MaxWindow = 1 << 20;

    private Plan? _plan;

    /// <summary>Spectrograms of sound of one rate.</summary>
    /// <param name="sampleRate">Samples per second.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public MelSpectrogram(int sampleRate)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sampleRate);
        SampleRate = sampleRate;
        Window = Math.Max(1, sampleRate / 40);
        Hop = Math.Max(1, sampleRate / 100);
        HighHertz = sampleRate / 2.0;
    }

    /// <summary>Samples per second.</summary>
    public int SampleRate { get; }

    /// <summary>Samples of a frame; default 25 ms.</summary>
    public int Window { get; init => field = Positive(value, MaxWindow, nameof(Window)); }

    /// <summary>Samples from the beginning of a frame to that of the next; default 10 ms.</summary>
    public int Hop { get; init => field = Positive(value, int.MaxValue, nameof(Hop)); }

    /// <summary>Filters; default 40.</summary>
    public int Mels { get; init => field = Positive(value, 4096, nameof(Mels)); } = 40;

    /// <summary>Where the first filter begins, in hertz; default 0.</summary>
    public double LowHertz { get; init; }

    /// <summary>Where the last filter ends, in hertz; default half the sample rate.</summary>
    public double HighHertz { get; init; }

    /// <summary>The scale on which filters are evenly wide; default <see cref="MelScale.Htk"/>.</summary>
    public MelScale Scale { get; init; }

    /// <summary>Whether filters have area 1 over hertz (Slaney) and not height 1; default not.</summary>
    public bool NormalizeArea { get; init; }

    /// <summary>
    /// What is added to a filter's sum before its natural logarithm is taken; default 1e-6. Null for the sums themselves.
    /// </summary>
    public double? LogOffset { get; init; } = 1e-6;

    /// <summary>Points of the Fourier transform: the least power of two that holds a frame, zeros behind it.</summary>
    public int TransformLength => (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Window);

    /// <summary>How many frames a sound has: 0 where it is shorter than one.</summary>
    /// <param name="samples">Its samples.</param>
    public int FramesOf(int samples) => samples < Window ? 0 : 1 + ((samples - Window) / Hop);

    /// <summary>Makes a spectrogram.</summary>
    /// <param name="samples">A sound, mono.</param>
    /// <returns>[frames, mels].</returns>
    /// <exception cref="ArgumentException">The filters' frequencies are not 0 or more, in order, and at most half the sample
    /// rate.</exception>
    public float[] Compute(ReadOnlySpan<float> samples)
    {
        var spectrogram = new float[FramesOf(samples.Length) * Mels];
        Compute(samples, spectrogram);
        return spectrogram;
    }

    /// <summary>Makes a spectrogram; after the first nothing is allocated.</summary>
    /// <param name="samples">A sound, mono.</param>
    /// <param name="destination">Takes [frames, mels].</param>
    /// <exception cref="ArgumentException">The destination has another length, or as for
    /// <see cref="Compute(ReadOnlySpan{float})"/>.</exception>
    public void Compute(ReadOnlySpan<float> samples, Span<float> destination)
    {
        int frames = FramesOf(samples.Length);
        if (destination.Length != (long)frames * Mels)
        {
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture,
                    $"MelSpectrogram: expected room for {frames} frames of {Mels} mels, got {destination.Length} numbers."),
                nameof(destination));
        }

        Plan plan = _plan ??= new Plan(this);
        for (int frame = 0; frame < frames; frame += 2)
        {
            // Two frames share a transform; the last of an odd number has one alone.
            bool isPair = frame + 1 < frames;
            plan.Transform(
                samples.Slice(frame * Hop, Window), isPair ? samples.Slice((frame + 1) * Hop, Window) : []);
            Sum(plan, plan.First, destination.Slice(frame * Mels, Mels));
            if (isPair)
            {
                Sum(plan, plan.Second, destination.Slice((frame + 1) * Mels, Mels));
            }
        }
    }

    /// <summary>The filters.</summary>
    /// <returns>[mels, <see cref="TransformLength"/> / 2 + 1]: how much each adds up of each frequency's power.</returns>
    /// <exception cref="ArgumentException">As for <see cref="Compute(ReadOnlySpan{float})"/>.</exception>
    public double[] Filters()
    {
        if (!(LowHertz >= 0 && LowHertz < HighHertz && HighHertz <= SampleRate / 2.0))
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"MelSpectrogram: expected LowHertz below HighHertz, both from 0 to {SampleRate / 2.0}, got {LowHertz} and {HighHertz}."));
        }

        int bins = (TransformLength / 2) + 1;
        double low = Scale.ToMel(LowHertz), step = (Scale.ToMel(HighHertz) - low) / (Mels + 1);
        var filters = new double[Mels * bins];
        for (int mel = 0; mel < Mels; mel++)
        {
            double left = Scale.ToHertz(low + (mel * step)), center = Scale.ToHertz(low + ((mel + 1) * step));
            double right = Scale.ToHertz(low + ((mel + 2) * step)), height = NormalizeArea ? 2 / (right - left) : 1;
            for (int bin = 0; bin < bins; bin++)
            {
                double hertz = (double)bin * SampleRate / TransformLength;
                double rising = (hertz - left) / (center - left), falling = (right - hertz) / (right - center);
                filters[(mel * bins) + bin] = height * Math.Max(0, Math.Min(rising, falling));
            }
        }

        return filters;
    }

    private void Sum(Plan plan, ReadOnlySpan<double> powers, Span<float> mels)
    {
        for (int mel = 0; mel < mels.Length; mel++)
        {
            (int first, double[] weights) = plan.Filters[mel];
            double sum = System.Numerics.Tensors.TensorPrimitives.Dot(powers.Slice(first, weights.Length), weights);
            mels[mel] = (float)(LogOffset is { } offset ? Math.Log(sum + offset) : sum);
        }
    }

    private static int Positive(int value, int most, string name) => value > 0 && value <= most
        ? value
        : throw new ArgumentOutOfRangeException(name, string.Create(
            CultureInfo.InvariantCulture, $"MelSpectrogram: expected {name} of 1 to {most}, got {value}."));

    /// <summary>Tables and memory, made once all settings are known.</summary>
    private sealed class Plan
    {
        private readonly FourierTransform _transform;
        private readonly double[] _window;
        private readonly double[] _re;
        private readonly double[] _im;

        public Plan(MelSpectrogram owner)
        {
            _transform = new FourierTransform(owner.TransformLength);
            _window = [.. Enumerable.Range(0, owner.Window).Select(i => 0.5 - (0.5 * Math.Cos(2 * Math.PI * i / owner.Window)))];
            _re = new double[owner.TransformLength];
            _im = new double[owner.TransformLength];
            First = new double[(owner.TransformLength / 2) + 1];
            Second = new double[First.Length];
            double[] filters = owner.Filters();
            Filters = new (int, double[])[owner.Mels];
            for (int mel = 0; mel < owner.Mels; mel++)
            {
                double[] weights = filters[(mel * First.Length)..((mel + 1) * First.Length)];
                int first = Math.Max(0, Array.FindIndex(weights, weight => weight > 0));
                int last = Math.Max(first, Array.FindLastIndex(weights, weight => weight > 0));
                Filters[mel] = (first, weights[first..(last + 1)]);
            }
        }

        /// <summary>For each filter its first frequency that counts, and the weights from there on.</summary>
        public (int First, double[] Weights)[] Filters { get; }

        public double[] First { get; }

        public double[] Second { get; }

        public void Transform(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
        {
            Load(first, _re);
            Load(second, _im);
            _transform.Transform(_re, _im);
            _transform.Powers(_re, _im, First, Second);
        }

        private void Load(ReadOnlySpan<float> frame, Span<double> to)
        {
            for (int i = 0; i < frame.Length; i++)
            {
                to[i] = frame[i] * _window[i];
            }

            to[frame.Length..].Clear();
        }
    }
}
