using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>
/// The sections of Debian's packages from words and from what depends on what: graph convolution by sparse products.
/// </summary>
internal sealed class DebianGraphRecipe : ScriptedRecipe
{
    public override string Name => "debian-graph";

    public override string Network =>
        "graph convolution, two layers of width 64 with a weight for each direction (GraphSAGE), beside an MLP of that width";

    public override string DataDescription =>
        "63,436 Debian packages, 58 sections, TF-IDF of 10,000 words of descriptions, 247,686 dependencies; a fifth to train on";

    public override string TrainingDescription =>
        "cross-entropy of all training nodes at once, AdamW 0.03 along a cosine, 50 steps; the best in validation of each tenth";

    public override Goal Goal => new("accuracy that the graph adds to the MLP", 0.05);

    public override Goal QuickGoal => new("accuracy that the graph adds to the MLP", 0.10);

    public override double Run(ScriptRun run)
    {
        PackageGraph graph = DebianGraph.Load(run.Data, run.Say, run.Cancellation);

        // Words and their rarity are those of all nodes: none of them is hidden but its section.
        string[][] texts = [.. graph.Nodes.Select(node => Words.Of(run.Quick ? node.Summary : $"{node.Summary} {node.Text}"))];
        WordVocabulary vocabulary = WordVocabulary.Of(texts, maxWords: run.Pick(10_000, 1000));
        int[][] symbols = Array.ConvertAll(texts, vocabulary.Encode);
        SparseMatrix features = TermWeights.Fit(symbols, vocabulary.Count).Apply(symbols);
        int[] labels = [.. graph.Labels];
        int[] parts = GroupSplit.Of([.. Enumerable.Range(0, labels.Length)], labels, [0.2, 0.1, 0.7], run.Seed);
        int classes = graph.ClassNames.Count;
        var batch = new FullBatch(run, labels, parts, classes);
        run.Figure("accuracy of the most frequent section", batch.Majority());
        SparseMatrix dependencies = Means(graph.Sources, graph.Targets, labels.Length);
        SparseMatrix dependents = Means(graph.Targets, graph.Sources, labels.Length);
        double plain = Train("MLP", []);
        double both = Train("graph convolution", [dependencies, dependents]);
        return both - plain;

        double Train(string name, SparseMatrix[] relations)
        {
            int steps = run.Pick(50, 20);
            var optimizer = new AdamW(weightDecay: 1e-3f) { Schedule = Schedule.Warmup(10).Then(Schedule.Cosine(0.03f, steps)) };
            var model = new GraphNetwork(features, relations, run.Pick(64, 16), classes);
            double test = batch.Train(name, model, optimizer, steps).Test;
            run.Figure($"test accuracy of the {name}", test);
            return test;
        }
    }

    /// <summary>For each node the mean of what its edges lead to.</summary>
    private static SparseMatrix Means(IReadOnlyList<int> from, IReadOnlyList<int> to, int nodes)
    {
        var neighbors = new SortedSet<int>[nodes];
        for (int i = 0; i < from.Count; i++)
        {
            (neighbors[from[i]] ??= []).Add(to[i]);
        }

        var starts = new int[nodes + 1];
        for (int node = 0; node < nodes; node++)
        {
            starts[node + 1] = starts[node] + (neighbors[node]?.Count ?? 0);
        }

        return SparseMatrix.FromCsr(
            nodes, nodes, starts, [.. neighbors.SelectMany(set => set ?? [])],
            [.. neighbors.SelectMany(set => (set ?? []).Select(_ => 1f / set!.Count))]);
    }
}
