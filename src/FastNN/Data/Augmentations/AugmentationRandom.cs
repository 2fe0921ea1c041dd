using FastNN.Tensors;

namespace FastNN.Data;

/// <summary>
/// The random numbers of one augmentation on one example: a sequence that is a function of the loader's seed, the epoch, the
/// example and the augmentation's place among the others alone. Threads, batches and other draws change nothing.
/// </summary>
public sealed class AugmentationRandom
{
    private const double Unit = 1.0 / 4294967296.0;

    private ulong _seed;
    private ulong _stream;
    private ulong _first;
    private State _state;
    private PhiloxBlock _block;
    private ulong _blockNumber;

    internal AugmentationRandom()
    {
    }

    /// <summary>Where in which sequence the next number stands.</summary>
    internal readonly record struct State(int Place, uint Cursor);

    /// <summary>The place that the numbers are of.</summary>
    internal int Place => _state.Place;

    /// <summary>A number in [0, 1), of 32 random bits.</summary>
    public double Uniform() => Bits() * Unit;

    /// <summary>A number in [<paramref name="low"/>, <paramref name="high"/>), or <paramref name="low"/> where both are
    /// equal.</summary>
    public double Uniform(double low, double high) => low + ((high - low) * Uniform());

    /// <summary>An integer from 0 to <paramref name="bound"/> - 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not positive.</exception>
    public int Below(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return (int)(((ulong)Bits() * (uint)bound) >> 32);
    }

    /// <summary>True with probability <paramref name="p"/>: never for 0, always for 1.</summary>
    public bool Happens(double p) => Uniform() < p;

    /// <summary>A number of the standard normal distribution.</summary>
    public double Normal()
    {
        double radius = Math.Sqrt(-2 * Math.Log((Bits() + 1.0) * Unit));
        return radius * Math.Cos(2 * Math.PI * Uniform());
    }

    /// <summary>Fills a span with numbers of the standard normal distribution.</summary>
    public void FillNormal(Span<float> destination)
    {
        // At the beginning of a block, so that no word is drawn twice.
        uint begin = (_state.Cursor + 3) & ~3u;
        Philox.FillNormal(destination, _seed, _stream, (_first << 2) + begin);
        _state = _state with { Cursor = begin + (uint)destination.Length };
    }

    /// <summary>
    /// A number of the Beta distribution with both parameters <paramref name="alpha"/>: from two of the Gamma distribution, whose
    /// logarithms do not vanish for a small one.
    /// </summary>
    internal double Beta(double alpha)
    {
        double first = LogGamma(alpha), second = LogGamma(alpha);
        return 1 / (1 + Math.Exp(second - first));
    }

    /// <summary>Starts the sequences of an example.</summary>
    /// <param name="use">What they are for.</param>
    /// <param name="seed">The loader's seed.</param>
    /// <param name="epoch">From 1 on.</param>
    /// <param name="example">The number of the example, or of the batch.</param>
    internal void Begin(RandomUse use, ulong seed, int epoch, int example)
    {
        _seed = seed;
        _stream = Philox.Stream(use, (uint)epoch - 1);

        // A quarter of 2^32 blocks of four words for each example, of which none draws so many.
        _first = (ulong)(uint)example << 30;
        Enter(0);
    }

    /// <summary>Starts the sequence of a place; gives where the one before was.</summary>
    internal State Enter(int place)
    {
        State before = _state;
        Restore(new State(place, 0));
        return before;
    }

    /// <summary>Goes on where a sequence was.</summary>
    internal void Restore(State state)
    {
        _state = state;
        _stream = Philox.AtPlace(_stream, (uint)state.Place);
        _blockNumber = ulong.MaxValue;
    }

    /// <summary>
    /// The logarithm of a number of the Gamma distribution of scale 1 (Marsaglia and Tsang, "A simple method for generating gamma
    /// variables", 2000): that of shape alpha + 1, whose method needs a shape of 1 or more, times a uniform one to the 1 / alpha.
    /// </summary>
    private double LogGamma(double alpha)
    {
        double d = alpha + 1 - (1.0 / 3), c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            double x = Normal(), v = 1 + (c * x);
            v *= v * v;
            if (v > 0 && Math.Log(1 - Uniform()) < (0.5 * x * x) + d - (d * v) + (d * Math.Log(v)))
            {
                return Math.Log(d * v) + (Math.Log(1 - Uniform()) / alpha);
            }
        }
    }

    private uint Bits()
    {
        ulong number = _first + (_state.Cursor >> 2);
        if (number != _blockNumber)
        {
            (_block, _blockNumber) = (Philox.Block(_seed, _stream, number), number);
        }

        uint bits = _block[(int)(_state.Cursor & 3)];
        _state = _state with { Cursor = _state.Cursor + 1 };
        return bits;
    }
}
