using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>
/// Descriptions of Debian's packages from English into Italian: subwords, an encoder and a decoder, and beam search.
/// </summary>
internal sealed class Translate : ScriptedRecipe
{
    private const int MaxLength = 24, Subwords = 3000, Beams = 4, HeldOut = 50;

    public override string Name => "translate";

    public override string Network =>
        "Transformer of 2 + 2 blocks of width 96, 3 heads, rotary positions, a table of 3,002 subwords; 800,000 parameters";

    public override string DataDescription =>
        "titles and paragraphs of Debian's packages, of at most 23 subwords; a package of 50 for the test";

    public override string TrainingDescription =>
        "Muon 0.03 for matrices, AdamW 3e-3 for the table, label smoothing 0.1, 3 epochs in batches of 2,048 subwords";

    public override Goal Goal => new("BLEU", 25);

    public override Goal QuickGoal => new("bits per subword that the network saves of a unigram model's", 1);

    public override IReadOnlyList<string> Files =>
        ["vocabulary.txt", "encoder.safetensors", "decoder.safetensors", "translations.txt"];

    public override double Run(ScriptRun run)
    {
        (List<TranslatedText> train, List<TranslatedText> test) = Split(run);
        if (run.Quick)
        {
            static bool IsShort(TranslatedText pair) => pair.English.Length < 60;
            (train, test) = ([.. train.Where(IsShort).Take(6_000)], [.. test.Where(IsShort).Take(100)]);
        }

        BytePairVocabulary vocabulary = BytePairVocabulary.Train(
            train.SelectMany(pair => new[] { pair.English, pair.Translation }), run.Pick(Subwords, 1000));
        run.Keep("vocabulary.txt", vocabulary.Save);
        bool Fits(SymbolPair pair) => pair.Source.Length < MaxLength && pair.Target.Length < MaxLength;
        SymbolPair Encode(TranslatedText pair) => new(vocabulary.Encode(pair.English), vocabulary.Encode(pair.Translation));
        SymbolPair[] pairs = [.. train.Select(Encode).Where(Fits)];
        test = [.. test.Where(pair => Fits(Encode(pair)))];
        run.Say($"{pairs.Length:N0} pairs to learn from, with {pairs.Sum(pair => pair.Target.Length):N0} subwords in Italian, "
            + $"{test.Count:N0} to test on");

        // Two symbols for the beginning and the end.
        int symbols = vocabulary.Count + 2;
        var task = new TransducerTask(
            run.Quick
                ? new TransducerSize(symbols, MaxLength, Width: 64, Heads: 2, Encoders: 1, Decoders: 1)
                : new TransducerSize(symbols, MaxLength, Width: 96, Heads: 3, Encoders: 2, Decoders: 2),
            run.Seed);
        double bits = task.Train(
            run, pairs, run.Pick(2048, 1024), run.Pick(3, 2), 0.03f, smoothing: run.Quick ? 0 : 0.1f,
            held: run.Quick ? [.. test.Select(Encode)] : null);
        run.KeepWeights("encoder.safetensors", task.Encoder);
        run.KeepWeights("decoder.safetensors", task.Decoder);
        int[][] sources = [.. test.Select(pair => vocabulary.Encode(pair.English))];
        string[] Read(int beams) => [.. task.Transduce(run, sources, beams)
            .Select(symbols => vocabulary.Decode([.. symbols.Where(symbol => symbol < vocabulary.Count)]))];
        string[] references = [.. test.Select(pair => pair.Translation)];
        if (!run.Quick)
        {
            run.Figure("BLEU without beam search", Score(Read(1), references));
        }

        run.Figure("BLEU of the English text", Score([.. test.Select(pair => pair.English)], references));
        string[] translations = Read(run.Pick(Beams, 2));
        run.Keep("translations.txt", string.Concat(
            test.Zip(translations, (pair, written) => $"{pair.English}\n{written}\n{pair.Translation}\n\n")));
        for (int i = 0; i < test.Count; i += Math.Max(1, test.Count / 12))
        {
            run.Say($"{test[i].English}\n  => {translations[i]}\n     {test[i].Translation}");
        }

        double score = Score(translations, references);
        if (!run.Quick)
        {
            return score;
        }

        run.Figure("BLEU", score);
        int[] Stream(IEnumerable<SymbolPair> all) => [.. all.SelectMany(pair => pair.Target.Append(vocabulary.Count))];
        var unigrams = new KneserNeyModel(1, vocabulary.Count + 1, Stream(pairs));
        return unigrams.BitsPerSymbol(Stream(test.Select(Encode)), first: 1) - bits;
    }

    /// <summary>In percent, words as in published scores.</summary>
    private static double Score(IReadOnlyList<string> translations, IReadOnlyList<string> references) => 100 * Bleu.Score(
        [.. translations.Select(Bleu.Tokenize)],
        [.. references.Select(text => (IReadOnlyList<string[]>)[Bleu.Tokenize(text)])]);

    /// <summary>
    /// Texts of one line, by packages: the test has those that occur in held-out packages alone, so that none is, word for word,
    /// one to learn from.
    /// </summary>
    private static (List<TranslatedText> Train, List<TranslatedText> Test) Split(ScriptRun run)
    {
        var random = new Random((int)run.Seed);
        HashSet<string> known = [], held = [];
        foreach (PackageDescription package in DebianDescriptions.Load(run.Data, run.Say, run.Cancellation))
        {
            HashSet<string> part = random.Next(HeldOut) == 0 ? held : known;
            part.Add(package.Summary);
            part.UnionWith(package.Text.Split("\n\n"));
        }

        List<TranslatedText> train = [], test = [];
        foreach (TranslatedText pair in DebianDescriptions.LoadTranslations("it", run.Data, run.Say, run.Cancellation))
        {
            // Lists of several lines are left out.
            if (!pair.English.Contains('\n', StringComparison.Ordinal)
                && !pair.Translation.Contains('\n', StringComparison.Ordinal))
            {
                (known.Contains(pair.English) ? train : held.Contains(pair.English) ? test : []).Add(pair);
            }
        }

        return (train, test);
    }
}
