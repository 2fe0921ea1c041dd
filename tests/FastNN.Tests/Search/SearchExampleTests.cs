using FastNN.Search;

namespace FastNN.Tests.Search;

/// <summary>The example of docs/search.md.</summary>
internal sealed class SearchExampleTests
{
    [Test]
    public void The_example_finds_a_good_place()
    {
        string path = Path.Combine(Path.GetTempPath(), $"fastnn-search-example-{Guid.NewGuid():N}");
        try
        {
            var space = new SearchSpace(
                new FloatParameter("rate", 1e-5, 1e-1, log: true), new IntParameter("width", 8, 256, log: true),
                new ChoiceParameter("activation", "relu", "gelu"));
            using var journal = new StudyJournal(path);
            var study = new Study(space, new TpeSampler(), pruner: new SuccessiveHalvingPruner(), journal: journal);
            study.Optimize(
                trial =>
                {
                    double loss = 0;
                    for (int epoch = 1; epoch <= 9; epoch++)
                    {
                        loss = Train(trial.Float("rate"), trial.Int("width"), trial.Choice("activation"), epoch);
                        if (!trial.Report(loss, epoch))
                        {
                            throw new TrialPrunedException();
                        }
                    }

                    return loss;
                },
                trials: 40);
            Console.WriteLine($"{study.Best!.Value}: {study.Best.Float("rate")}, {study.Best.Int("width")}");
            Assert.That(study.Best.Value, Is.LessThan(0.3));
            Assert.That(study.Trials.Count(trial => trial.State == TrialState.Pruned), Is.InRange(5, 35));
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>A loss that is lowest at a rate of 0.003 and a width of 64.</summary>
    private static double Train(double rate, int width, string activation, int epoch) =>
        Math.Abs(Math.Log10(rate / 0.003)) + (0.2 * Math.Abs(Math.Log2(width / 64.0))) + (activation == "gelu" ? 0 : 0.1)
        + (1.0 / (epoch * epoch)) - (1 / 81.0);
}
