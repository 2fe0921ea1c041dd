using System.Globalization;
using System.Runtime.CompilerServices;
using FastNN.Search;

namespace FastNN.Tests.Search;

/// <summary>Searches of two spaces of digits' networks whose values lie in tables.</summary>
internal sealed class TabularTests
{
    private const int Seeds = 15, Trials = 100;

    private static IEnumerable<TestCaseData> Spaces =>
    [
        new TestCaseData("mnist-mlp.csv", TabularSpace.MnistMlp, 0.01115),
        new TestCaseData("mnist-cnn.csv", TabularSpace.MnistCnn, 0.01808),
    ];

    /// <param name="table">The file.</param>
    /// <param name="space">What is chosen.</param>
    /// <param name="optuna">The median regret of Optuna 3.1's TPESampler, of 30 seeds.</param>
    [TestCaseSource(nameof(Spaces))]
    public void The_estimators_find_at_least_what_Optuna_s_find(string table, SearchSpace space, double optuna)
    {
        TabularSpace values = Read(table, space);
        double[] regrets =
        [
            .. Enumerable.Range(0, Seeds).Select(seed => values.RegretOf(new TpeSampler(), (ulong)seed, Trials)).Order(),
        ];
        Assert.That(regrets, Is.All.GreaterThanOrEqualTo(0));
        Assert.That(regrets[Seeds / 2], Is.AtMost(optuna));
    }

    [Test]
    public void At_a_place_of_the_table_the_value_is_that_of_the_table()
    {
        TabularSpace values = Read("mnist-mlp.csv", TabularSpace.MnistMlp);
        string[] rows = File.ReadAllLines(PathOf("mnist-mlp.csv"));

        // The table's places are the first that this study draws.
        var study = new Study(TabularSpace.MnistMlp, new RandomSampler(), seed: 12345);
        Trial trial = study.Ask();
        Assert.That(rows[1], Does.StartWith($"{trial.Text("lr")},{trial.Text("batch")},"));
        double expected = double.Parse(rows[1].Split(',')[^1], CultureInfo.InvariantCulture);
        Assert.That(values.ValueOf(trial), Is.EqualTo(expected).Within(1e-6));
    }

    private static TabularSpace Read(string table, SearchSpace space) => new(space, File.ReadAllLines(PathOf(table)));

    private static string PathOf(string table) => Path.GetFullPath(
        Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", "..", "bench", "FastNN.SearchPeers", "tables", table));

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
