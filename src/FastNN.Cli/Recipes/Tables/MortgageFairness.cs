using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>
/// Decisions about mortgages and credits that treat groups alike: by weights that make group and decision independent, and by an
/// adversary that must not be able to tell the group from the decision (Zhang, Lemoine, Mitchell, 2018).
/// </summary>
internal sealed class MortgageFairness : ScriptedRecipe
{
    private const int Folds = 5;

    // What telling the groups apart costs, beside the decision's own loss.
    private const float Strength = 3;

    public override string Name => "mortgage-fairness";

    public override string Network => "Dense 32 ReLU, Dense 1; the adversary Dense 16 ReLU, Dense 1 on its score";

    public override string DataDescription =>
        "2,380 mortgage decisions under HMDA (group: race) and 1,000 German credits (group: sex); five-fold cross-validation";

    public override string TrainingDescription =>
        "binary cross-entropy, plain, reweighed, and reweighed against an adversary; Adam 3e-3, batch 128, 40 epochs";

    public override Goal Goal => new("largest share of the plain model's gap in selection that is left", 0.5, AtMost: true);

    public override Goal QuickGoal => new("largest share of the plain model's gap in selection that is left", 0.8, AtMost: true);

    public override double Run(ScriptRun run)
    {
        double mortgages = Compare(
            run, "mortgages", Hmda.Load(run.Data, run.Say, run.Cancellation), column => column == "afam");
        return run.Quick ? mortgages : Math.Max(mortgages, Compare(
            run, "credits", GermanCredit.Load(null, run.Say, run.Cancellation),
            column => column.Contains("female", StringComparison.Ordinal)));
    }

    private static double Compare(ScriptRun run, string name, Dataset data, Func<string, bool> isGroup)
    {
        int column = data.FeatureNames.Select((text, i) => (text, i)).Single(pair => isGroup(pair.text)).i;
        var table = new Decisions(data.Shuffle(seed: 0), column);
        FairnessReport plain = Train(run, $"{name}, plain", table, reweigh: false, strength: 0);
        FairnessReport weighed = Train(run, $"{name}, reweighed", table, reweigh: true, strength: 0);
        FairnessReport adversarial = Train(run, $"{name}, adversary", table, reweigh: true, Strength);
        foreach ((string how, FairnessReport report) in (
            (string, FairnessReport)[])[("plain", plain), ("reweighed", weighed), ("adversary", adversarial)])
        {
            run.Figure($"{name}, {how}: accuracy", report.Accuracy);
            run.Figure($"{name}, {how}: gap in selection", report.DemographicParityDifference);
            run.Figure($"{name}, {how}: gap in odds", report.EqualizedOddsDifference);
        }

        run.Require(
            new Goal($"{name}: accuracy lost", run.Quick ? 0.03 : 0.01, AtMost: true), plain.Accuracy - adversarial.Accuracy);
        return adversarial.DemographicParityDifference / plain.DemographicParityDifference;
    }

    /// <summary>Predicts every fold by a network that was trained on the others.</summary>
    private static FairnessReport Train(ScriptRun run, string name, Decisions table, bool reweigh, float strength)
    {
        int folds = run.Pick(Folds, 2), epochs = run.Pick(40, 15);
        var predicted = new bool[table.Count];
        using ScriptPhase phase = run.Begin(name, folds * epochs);
        for (int fold = 0; fold < folds; fold++)
        {
            int[] test = [.. Enumerable.Range(0, table.Count).Where(row => row % folds == fold)];
            int[] train = [.. Enumerable.Range(0, table.Count).Where(row => row % folds != fold)];
            float[] scores = Fit(run, table.Standardized(train), train, test, reweigh, strength, epochs, phase);
            for (int i = 0; i < test.Length; i++)
            {
                predicted[test[i]] = scores[i] > 0;
            }
        }

        return new FairnessReport(predicted, table.Positive, table.Groups);
    }

    private static float[] Fit(
        ScriptRun run, Decisions table, int[] train, int[] test, bool reweigh, float strength, int epochs, ScriptPhase phase)
    {
        const int Batch = 128;
        var judge = new Sequential(new Dense(32, Activation.ReLU), new Dense(1));
        var adversary = new Sequential(new Dense(16, Activation.ReLU), new Dense(1));
        judge.Build([table.Columns], run.Seed);
        adversary.Build([1], run.Seed + 1);
        float[] weights = reweigh
            ? FairnessReport.Reweigh(Pick(table.Positive, train), Pick(table.Groups, train))
            : [.. Enumerable.Repeat(1f, train.Length)];
        using var store = new DeviceWeights(run.Device, judge, adversary);
        using var judging = new TrainingStep(
            store,
            s =>
            {
                Value score = judge.Apply(s.Input("x", [Dim.Batch, table.Columns]));
                s.Loss("decision", Weighted(score, s.Input("positive", [Dim.Batch, 1]), s.Input("weights", [Dim.Batch, 1])));
                s.Loss("adversary", Loss.BinaryCrossEntropyWithLogits.Apply(
                    adversary.Apply(score), s.Input("group", [Dim.Batch, 1])), -strength);
            },
            [(new Adam(3e-3f), judge.Parameters)]);
        using var telling = new TrainingStep(
            store,
            s => s.Loss("group", Loss.BinaryCrossEntropyWithLogits.Apply(
                adversary.Apply(judge.Apply(s.Input("x", [Dim.Batch, table.Columns]))), s.Input("group", [Dim.Batch, 1]))),
            [(new Adam(1e-2f), adversary.Parameters)]);
        var random = new Random((int)run.Seed);
        int[] order = [.. Enumerable.Range(0, train.Length)];
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            random.Shuffle(order);
            float loss = 0;
            for (int first = 0; first + Batch <= order.Length; first += Batch)
            {
                int[] picked = order[first..(first + Batch)], rows = Array.ConvertAll(picked, i => train[i]);
                float[] x = table.Rows(rows), group = Array.ConvertAll(rows, row => (float)table.Groups[row]);
                if (strength > 0)
                {
                    telling.Begin([Batch, table.Columns], [Batch, 1]);
                    telling.Write("x", x);
                    telling.Write("group", group);
                    telling.Run();
                }

                judging.Begin([Batch, table.Columns], [Batch, 1], [Batch, 1], [Batch, 1]);
                judging.Write("x", x);
                judging.Write("positive", Array.ConvertAll(rows, row => table.Positive[row] ? 1f : 0));
                judging.Write("weights", Array.ConvertAll(picked, i => weights[i]));
                judging.Write("group", group);
                loss = judging.Run();
            }

            phase.Step(loss);
        }

        var scores = new float[test.Length];
        using Session session = store.CreateSession(judge);
        session.Run(table.Rows(test), scores);
        return scores;
    }

    /// <summary>Binary cross-entropy of scores, each example with its weight.</summary>
    private static Value Weighted(Value score, Value positive, Value weights) =>
        (weights * (score.Softplus() - (score * positive))).Mean();

    private static T[] Pick<T>(T[] values, int[] rows) => Array.ConvertAll(rows, row => values[row]);

    /// <summary>
    /// Rows of numbers with a decision, of which the second class is the favorable one or its refusal, and a group.
    /// </summary>
    private sealed class Decisions
    {
        private readonly float[] _features;

        public Decisions(Dataset data, int groupColumn)
        {
            (Columns, _features) = (data.ExampleSize, data.Features());
            Positive = [.. Enumerable.Range(0, data.Count).Select(i => data.LabelOf(i) == 1)];
            Groups = [.. Enumerable.Range(0, data.Count).Select(i => _features[(i * Columns) + groupColumn] > 0.5f ? 1 : 0)];
        }

        private Decisions(Decisions other, float[] features) =>
            (Columns, _features, Positive, Groups) = (other.Columns, features, other.Positive, other.Groups);

        public int Columns { get; }

        public int Count => Positive.Length;

        public bool[] Positive { get; }

        public int[] Groups { get; }

        /// <summary>All rows, by the means and deviations of the training rows.</summary>
        public Decisions Standardized(int[] train)
        {
            Standardizer standardizer = Standardizer.Fit(
                Dataset.FromFloats(Rows(train), [Columns], new float[train.Length], [1]));
            var features = (float[])_features.Clone();
            for (int i = 0; i < features.Length; i++)
            {
                int column = i % Columns;
                features[i] = (features[i] - standardizer.Mean[column]) / standardizer.StandardDeviation[column];
            }

            return new Decisions(this, features);
        }

        public float[] Rows(int[] rows)
        {
            var picked = new float[rows.Length * Columns];
            for (int i = 0; i < rows.Length; i++)
            {
                _features.AsSpan(rows[i] * Columns, Columns).CopyTo(picked.AsSpan(i * Columns));
            }

            return picked;
        }
    }
}
