using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>The sections of Debian's packages from their names and descriptions, by an LSTM and a Transformer.</summary>
internal sealed class PackageSections : ScriptedRecipe
{
    public override string Name => "package-sections";

    public override string Network =>
        "a bidirectional LSTM of 64 units and one layer of a Transformer's encoder of width 64, over embeddings of 64 each; their mean";

    public override string DataDescription =>
        "Debian's packages, 58 sections; names, summaries and descriptions, 48 words at most; a fifth, whole sources, to test";

    public override string TrainingDescription => "cross-entropy, AdamW 2e-3 in one cycle, batch 64 by length, 6 epochs";

    public override Goal Goal => new("test accuracy that the networks add to logistic regression", 0.02);

    public override Goal QuickGoal => new("test accuracy", 0.60);

    public override double Run(ScriptRun run)
    {
        IReadOnlyList<PackageDescription> packages = DebianDescriptions.Load(run.Data, run.Say, run.Cancellation);
        if (run.Quick)
        {
            packages = [.. packages.Where((_, i) => i % 8 == 0)];
        }

        string[] sections = [.. packages.Select(package => package.Section).Distinct().Order(StringComparer.Ordinal)];
        int classes = sections.Length, length = run.Pick(48, 24);
        int[] labels = [.. packages.Select(package => Array.BinarySearch(sections, package.Section, StringComparer.Ordinal))];
        string[] sources = [.. packages.Select(package => package.Source).Distinct().Order(StringComparer.Ordinal)];
        int[] groups = [.. packages.Select(package => Array.BinarySearch(sources, package.Source, StringComparer.Ordinal))];
        int[] parts = GroupSplit.Of(groups, labels, [0.7, 0.1, 0.2], run.Seed);
        string[][] words = [.. packages.Select(Read)];
        WordVocabulary vocabulary = WordVocabulary.Of(words.Where((_, i) => parts[i] == 0), leastCount: 3);
        int[][] texts = Array.ConvertAll(words, vocabulary.Encode);
        var batch = new FullBatch(run, labels, parts, classes);
        run.Figure("accuracy of the most frequent section", batch.Majority());
        SparseMatrix bags = TermWeights.Fit(texts.Where((_, i) => parts[i] == 0), vocabulary.Count).Apply(texts);
        double linear = SparseRegression.Fit(
            run, "logistic regression", batch, bags, classes, run.Pick(60, 30),
            run.Quick ? [1e-5f] : [1e-4f, 3e-5f, 1e-5f, 3e-6f]).Test;
        run.Figure("test accuracy of logistic regression on bags of words", linear);

        int[][] beginnings = [.. texts.Select(text => text[..Math.Min(length, text.Length)])];
        var training = new SequenceTraining(run, beginnings, labels, parts, classes)
        {
            Granule = length / 4,
            WordDropout = 0.1f,
            LabelSmoothing = 0.05f,
        };
        int epochs = run.Pick(6, 8), width = run.Pick(64, 32);
        Voice transformer = training.Train(
            "Transformer", new AttentiveReader(vocabulary.Count, width, length, classes), epochs, 2e-3f, 0.05f);
        if (run.Quick)
        {
            return training.Accuracy(transformer.Test);
        }

        Voice lstm = training.Train(
            "LSTM", new RecurrentReader(vocabulary.Count, width, width, classes), epochs, 3e-3f, 0.05f);
        return training.MeanAccuracy(transformer, lstm) - linear;
    }

    /// <summary>The name's parts, then the words of the summary and of the description.</summary>
    private static string[] Read(PackageDescription package) =>
    [
        .. Words.Of(package.Name).SelectMany(Parts).Select(word => "n:" + word),
        .. Words.Of($"{package.Summary} {package.Text}"),
    ];

    private static IEnumerable<string> Parts(string word) =>
        word.StartsWith("lib", StringComparison.Ordinal) && word.Length > 3 ? ["lib", word[3..]] : [word];
}
