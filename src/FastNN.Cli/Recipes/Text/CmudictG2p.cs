using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>Spelling to phonemes: an encoder and a decoder with attention, and beam search.</summary>
internal sealed class CmudictG2p : ScriptedRecipe
{
    private const int MaxLength = 24, Beams = 5;

    public override string Name => "cmudict-g2p";

    public override string Network =>
        "Transformer of 3 + 3 blocks of width 160, 5 heads, rotary positions, a table of letters and phonemes; 2.2 million parameters";

    public override string DataDescription =>
        "CMUdict 0.7b: words of letters and apostrophes, phonemes without stress; a tenth of the words for the test";

    public override string TrainingDescription =>
        "Muon 0.03 for matrices, AdamW 3e-3 for the table, label smoothing 0.1, 20 epochs in batches of 2,048 symbols";

    public override Goal Goal => new("word error rate", 0.32, AtMost: true);

    public override Goal QuickGoal => new("phoneme error rate", 0.4, AtMost: true);

    public override IReadOnlyList<string> Files => ["encoder.safetensors", "decoder.safetensors", "errors.txt"];

    public override double Run(ScriptRun run)
    {
        IGrouping<string, string[]>[] words = Load(run);
        new Random((int)run.Seed).Shuffle(words);
        string[] phonemes =
            [.. words.SelectMany(word => word).SelectMany(sound => sound).Distinct().Order(StringComparer.Ordinal)];
        int[] Spelling(string word) => [.. word.Select(c => phonemes.Length + (c == '\'' ? 26 : c - 'A'))];
        int[] Spoken(string[] sound) => [.. sound.Select(phoneme => Array.IndexOf(phonemes, phoneme))];
        int held = words.Length / 10;
        IGrouping<string, string[]>[] test = words[..(run.Quick ? 200 : held)];
        SymbolPair[] train =
        [
            .. words.Skip(held).Take(run.Pick(words.Length, 6_000)).SelectMany(word => word
                .DistinctBy(sound => string.Join(' ', sound)).Select(sound => new SymbolPair(Spelling(word.Key), Spoken(sound)))),
        ];
        run.Say($"{train.Length:N0} pronunciations to learn from, {test.Length:N0} words to test on");

        // Letters, phonemes, and two symbols for the beginning and the end.
        int symbols = phonemes.Length + 27 + 2;
        var task = new TransducerTask(
            run.Quick
                ? new TransducerSize(symbols, MaxLength, Width: 64, Heads: 2, Encoders: 1, Decoders: 1)
                : new TransducerSize(symbols, MaxLength, Width: 160, Heads: 5, Encoders: 3, Decoders: 3),
            run.Seed);
        task.Train(run, train, run.Pick(2048, 1024), run.Pick(20, 4), 0.03f, smoothing: 0.1f);
        run.KeepWeights("encoder.safetensors", task.Encoder);
        run.KeepWeights("decoder.safetensors", task.Decoder);
        int[][] sources = [.. test.Select(word => Spelling(word.Key))];
        string[][] Read(int beams) => [.. task.Transduce(run, sources, beams).Select(symbols =>
            symbols.Select(symbol => symbol < phonemes.Length ? phonemes[symbol] : "?").ToArray())];
        if (!run.Quick)
        {
            (double greedyPhonemes, double greedyWords, _) = Judge(test, Read(1));
            run.Figure("phoneme error rate without beam search", greedyPhonemes);
            run.Figure("word error rate without beam search", greedyWords);
        }

        string[][] read = Read(run.Pick(Beams, 2));
        (double phonemeErrors, double wordErrors, string errors) = Judge(test, read);
        run.Keep("errors.txt", errors);
        for (int i = 0; i < 10; i++)
        {
            run.Say($"{test[i].Key}: {string.Join(' ', read[i])}");
        }

        if (run.Quick)
        {
            run.Figure("word error rate", wordErrors);
            return phonemeErrors;
        }

        run.Require(new Goal("phoneme error rate", 0.08, AtMost: true), phonemeErrors);
        return wordErrors;
    }

    /// <summary>Words with all that they may sound like; letters and phonemes of each fit the network.</summary>
    private static IGrouping<string, string[]>[] Load(ScriptRun run) =>
    [
        .. CmuDict.Load(run.Data, run.Say, run.Cancellation)
            .Where(entry => entry.Word.All(c => c is '\'' or (>= 'A' and <= 'Z'))
                && entry.Word.Length < MaxLength && entry.Phonemes.Count < MaxLength - 1)
            .GroupBy(entry => entry.Word, entry => entry.Phonemes.Select(phoneme => phoneme.TrimEnd('0', '1', '2')).ToArray()),
    ];

    /// <summary>
    /// Errors of phonemes and words: of several pronunciations of a word the one counts that is nearest, as a share of its own
    /// phonemes.
    /// </summary>
    private static (double Phonemes, double Words, string List) Judge(IGrouping<string, string[]>[] words, string[][] read)
    {
        int edits = 0, length = 0, wrong = 0;
        List<string> list = [];
        for (int i = 0; i < read.Length; i++)
        {
            (int fewest, string[] nearest) = words[i].Select(spoken => (ErrorRate.EditDistance<string>(spoken, read[i]), spoken))
                .MinBy(pair => pair.Item1);
            edits += fewest;
            length += nearest.Length;
            if (fewest > 0)
            {
                wrong++;
                list.Add($"{words[i].Key}: {string.Join(' ', read[i])}, expected {string.Join(' ', nearest)}");
            }
        }

        return ((double)edits / length, (double)wrong / read.Length, string.Join('\n', list) + "\n");
    }
}
