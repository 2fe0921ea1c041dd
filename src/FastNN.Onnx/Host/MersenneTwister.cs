namespace FastNN.Onnx.Host;

/// <summary>MT19937 (Matsumoto and Nishimura, 1998) with the seeding and the 53-bit doubles of NumPy's RandomState.</summary>
internal sealed class MersenneTwister
{
    private const int Words = 624, Middle = 397;

    private readonly uint[] _state = new uint[Words];
    private int _next = Words;

    public MersenneTwister(uint seed)
    {
        for (int i = 0; i < Words; i++)
        {
            _state[i] = i == 0 ? seed : (1812433253u * (_state[i - 1] ^ (_state[i - 1] >> 30))) + (uint)i;
        }
    }

    /// <summary>A number from 0 up to, but without, 1.</summary>
    public double NextDouble()
    {
        uint high = Next() >> 5, low = Next() >> 6;
        return ((high * 67108864.0) + low) / 9007199254740992.0;
    }

    private uint Next()
    {
        if (_next == Words)
        {
            for (int i = 0; i < Words; i++)
            {
                uint mixed = (_state[i] & 0x80000000) | (_state[(i + 1) % Words] & 0x7FFFFFFF);
                _state[i] = _state[(i + Middle) % Words] ^ (mixed >> 1) ^ ((mixed & 1) == 0 ? 0 : 0x9908B0DF);
            }

            _next = 0;
        }

        uint y = _state[_next++];
        y ^= y >> 11;
        y ^= (y << 7) & 0x9D2C5680;
        y ^= (y << 15) & 0xEFC60000;
        return y ^ (y >> 18);
    }
}
