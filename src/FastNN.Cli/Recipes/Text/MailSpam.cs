using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>Tells mails that nobody asked for from others by what a person sees of them.</summary>
internal sealed class MailSpam : ScriptedRecipe
{
    private const int Classes = 2;

    public override string Name => "mail-spam";

    public override string Network =>
        "a bidirectional LSTM of 64 units and convolutions over 3 and 5 words, over embeddings of 64 each, and logistic regression; their calibrated mean";

    public override string DataDescription =>
        "SpamAssassin's 6,046 mails, subject and body alone, copies on one side; a fifth to test";

    public override string TrainingDescription =>
        "cross-entropy, AdamW in one cycle, batch 32 of about the same length, 6 epochs, a fifth of the words hidden";

    public override Goal Goal => new("test accuracy", 0.985);

    public override Goal QuickGoal => new("test accuracy", 0.85);

    public override double Run(ScriptRun run)
    {
        IReadOnlyList<Mail> mails = SpamAssassin.Load(run.Data, run.Say, run.Cancellation);
        string[][] words = [.. mails.Select(MailReader.Words)];
        int[] labels = [.. mails.Select(mail => mail.IsSpam ? 1 : 0)];
        WordVocabulary all = WordVocabulary.Of(words);
        int[] groups = NearDuplicates.Groups(Array.ConvertAll(words, all.Encode));
        run.Figure("groups of mails", groups.Distinct().Count());
        int[] parts = GroupSplit.Of(groups, labels, [0.7, 0.1, 0.2], run.Seed);
        WordVocabulary vocabulary = WordVocabulary.Of(words.Where((_, i) => parts[i] == 0), leastCount: run.Pick(3, 10));
        int[][] texts = Array.ConvertAll(words, vocabulary.Encode);
        var batch = new FullBatch(run, labels, parts, Classes);
        run.Figure("accuracy of the more frequent class", batch.Majority());
        SparseMatrix bags = TermWeights.Fit(texts.Where((_, i) => parts[i] == 0), vocabulary.Count).Apply(texts);
        FullBatchResult linear = SparseRegression.Fit(
            run, "logistic regression", batch, bags, Classes, run.Pick(100, 20), run.Quick ? [1e-5f] : [1e-4f, 1e-5f, 1e-6f]);
        run.Figure("test accuracy of logistic regression on bags of words", linear.Test);

        int length = run.Pick(288, 48), epochs = run.Pick(6, 2), width = run.Pick(64, 32);
        var training = new SequenceTraining(run, [.. texts.Select(text => Ends(text, length))], labels, parts, Classes)
        {
            Batch = 32,
            Granule = length / 6,
            WordDropout = 0.2f,
        };
        // Decay takes back to zero what few mails have written into the embeddings of rare words.
        Voice convolutions = training.Train(
            "convolutions", new ConvolutionalReader(vocabulary.Count, width, width, Classes), epochs, 5e-3f, 0.7f);
        if (run.Quick)
        {
            return training.Accuracy(convolutions.Test);
        }

        Voice lstm = training.Train(
            "LSTM", new RecurrentReader(vocabulary.Count, width, width, Classes), epochs, 3e-3f, 0.5f);
        run.Figure("test accuracy of both networks", training.MeanAccuracy(convolutions, lstm));
        // The networks are too sure; the regression, which its penalty holds back, would not be heard beside them.
        return training.MeanAccuracy(
            training.Calibrate(convolutions), training.Calibrate(lstm), training.Calibrate(linear.Voice));
    }

    /// <summary>
    /// A text, or what remains of a long one without its middle: what is offered and how to refuse it are at the ends.
    /// </summary>
    private static int[] Ends(int[] text, int length) => text.Length <= length
        ? text
        : [.. text[..(2 * length / 3)], .. text[^(length / 3)..]];
}
