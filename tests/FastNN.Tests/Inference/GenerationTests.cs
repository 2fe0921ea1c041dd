namespace FastNN.Tests.Inference;

/// <summary>Token by token with keys and values kept from before: the same as all tokens at once.</summary>
internal sealed class GenerationTests
{
    private const int Width = 12, Heads = 3, Prompt = 2, Tokens = 7;

    [Test]
    public void Kept_keys_and_values_give_what_the_whole_sequence_gives()
    {
        float[] weight = Numbers(Width * 3 * Width, 1), x = Numbers(Tokens * Width, 2);
        using var device = Device.Cpu(2);
        var whole = new Graph(GraphMode.Inference);
        Value all = whole.Input([1, Dim.Named("T"), Width]);
        Value packed = all.Dense(whole.Constant(weight, [Width, 3 * Width]));
        Value[] parts = packed.Chunk(3);
        using Session prefill = whole.Compile(
            device, [packed.PackedAttention(Heads, causal: CausalMask.UpperLeft), parts[1], parts[2]]);
        float[] expected = Run(prefill, x, Tokens)[0];
        float[][] prompt = Run(prefill, x[..(Prompt * Width)], Prompt);
        Assert.That(prompt[0], Is.EqualTo(expected[..(Prompt * Width)]).Within(1e-6f));

        // One token beside the keys and values of those before it, which the step hands on with its own behind them.
        var next = new Graph(GraphMode.Inference);
        Shape kept = [1, Dim.Named("P"), Width];
        Value token = next.Input([1, 1, Width]), keys = next.Input(kept), values = next.Input(kept);
        Value[] own = token.Dense(next.Constant(weight, [Width, 3 * Width])).Chunk(3);
        (keys, values) = (Operators.Concat(1, keys, own[1]), Operators.Concat(1, values, own[2]));
        static Value Split(Value value) => value.Reshape([1, value.Shape[1], Heads, Width / Heads]);
        Value y = Split(own[0]).ScaledDotProductAttention(
            Split(keys), Split(values), causal: CausalMask.LowerRight, headsLast: true);
        using Session step = next.Compile(device, [y, keys, values]);
        (float[] pastKeys, float[] pastValues) = (prompt[1], prompt[2]);
        for (int t = Prompt; t < Tokens; t++)
        {
            using SessionRun run = step.Begin([1, 1, Width], [1, t, Width], [1, t, Width]);
            run.Write<float>(0, x.AsSpan(t * Width, Width));
            run.Write<float>(1, pastKeys);
            run.Write<float>(2, pastValues);
            run.Compute();
            var result = new float[Width];
            (pastKeys, pastValues) = (new float[(t + 1) * Width], new float[(t + 1) * Width]);
            run.Read<float>(0, result);
            run.Read<float>(1, pastKeys);
            run.Read<float>(2, pastValues);
            Assert.That(result, Is.EqualTo(expected[(t * Width)..((t + 1) * Width)]).Within(1e-6f), $"token {t}");
        }
    }

    private static float[][] Run(Session session, float[] x, int tokens)
    {
        using SessionRun run = session.Begin([1, tokens, Width]);
        run.Write<float>(0, x);
        run.Compute();
        float[][] results = [new float[x.Length], new float[x.Length], new float[x.Length]];
        for (int i = 0; i < results.Length; i++)
        {
            run.Read<float>(i, results[i]);
        }

        return results;
    }

    private static float[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }
}
