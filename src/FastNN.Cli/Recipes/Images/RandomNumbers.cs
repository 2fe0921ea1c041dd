using FastNN.Tensors;

namespace FastNN.Cli.Recipes;

/// <summary>One sequence of random numbers, a function of the seed and the sequence's number alone.</summary>
/// <param name="seed">The run's.</param>
/// <param name="number">Sequences of different numbers have nothing in common.</param>
internal sealed class RandomNumbers(ulong seed, uint number)
{
    private readonly ulong _stream = Philox.Stream(RandomUse.Data, number);
    private ulong _at;

    /// <summary>The next numbers of a standard normal distribution.</summary>
    public void FillNormal(Span<float> destination)
    {
        Philox.FillNormal(destination, seed, _stream, _at);
        _at += (ulong)destination.Length;
    }

    /// <summary>The next numbers of a standard normal distribution.</summary>
    public float[] Normal(int count)
    {
        var numbers = new float[count];
        FillNormal(numbers);
        return numbers;
    }

    /// <summary>The next number in [0, 1).</summary>
    public float Uniform() => Philox.Uniform(seed, _stream, _at++);

    /// <summary>The next integer from 0 to <paramref name="bound"/> - 1.</summary>
    public int Below(int bound) => (int)(Uniform() * bound);
}
