using System.Collections.Concurrent;

namespace FastNN.Stress;

/// <summary>What a round counts: operations by name, and what they got wrong.</summary>
internal sealed class Findings
{
    private const int Printed = 20;

    private readonly ConcurrentDictionary<string, long> _operations = new();
    private readonly ConcurrentDictionary<string, byte> _texts = new();
    private int _wrong;

    public int Wrong => _wrong;

    public long Operations => _operations.Values.Sum();

    public void Count(string operation) => _operations.AddOrUpdate(operation, 1, (_, count) => count + 1);

    /// <summary>A wrong answer, an exception that no rule allows, or something that was not given back.</summary>
    public void Report(string text)
    {
        Interlocked.Increment(ref _wrong);
        // The same thing goes wrong again and again; once is enough to read.
        if (_texts.Count < Printed && _texts.TryAdd(text, 0))
        {
            Console.Error.WriteLine($"WRONG: {text}");
        }
    }

    public void RequireSame(float[] expected, float[] actual, string what)
    {
        if (!Problem.SameBits(expected, actual))
        {
            int at = Enumerable.Range(0, expected.Length).First(
                i => BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i]));
            Report($"{what}: element {at} is {actual[at]:g9}, alone it is {expected[at]:g9}");
        }
    }

    public override string ToString() =>
        string.Join(
            ", ", _operations.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Value} {pair.Key}"));
}
