using FastNN.Search;

namespace FastNN.Tests.Search;

internal sealed class StudyTests
{
    private static readonly SearchSpace Space = new(
        new FloatParameter("x", 1e-4, 0.1, log: true), new FloatParameter("q", 0, 1, step: 0.25),
        new IntParameter("n", 2, 10, step: 2), new ChoiceParameter("c", "sgd", "adam"));

    private string _path = "";

    [SetUp]
    public void Choose() => _path = Path.Combine(Path.GetTempPath(), $"fastnn-journal-{Guid.NewGuid():N}");

    [TearDown]
    public void Delete() => File.Delete(_path);

    [Test]
    public void A_search_taken_up_again_goes_on_as_if_it_had_never_stopped()
    {
        var whole = new Study(Space, seed: 3);
        whole.Optimize(Value, 30);
        foreach (int until in (int[])[12, 13, 30])
        {
            using var journal = new StudyJournal(_path);
            new Study(Space, journal: journal, seed: 3).Optimize(Value, until);
        }

        using var last = new StudyJournal(_path);
        var again = new Study(Space, journal: last, seed: 3);
        Assert.That(again.Trials.Select(Text), Is.EqualTo(whole.Trials.Select(Text)));
        Assert.That(again.Best!.Number, Is.EqualTo(whole.Best!.Number));
    }

    [Test]
    public void What_a_kill_left_behind_is_mended_and_no_ended_trial_is_lost()
    {
        using (var journal = new StudyJournal(_path))
        {
            var study = new Study(Space, journal: journal);
            study.Optimize(Value, 5);
            study.Ask().Report(1, 1);
        }

        long whole = new FileInfo(_path).Length;
        File.AppendAllText(_path, "{\"op_code\":6,\"trial_id\":5,\"sta");
        using (var journal = new StudyJournal(_path))
        {
            var study = new Study(Space, journal: journal);
            Assert.That(study.Trials.Take(5).Select(trial => trial.State), Is.All.EqualTo(TrialState.Complete));
            Assert.That(study.Trials[5].State, Is.EqualTo(TrialState.Failed));
            Assert.That(study.Trials[5].Reports[1], Is.EqualTo(1));
        }

        string[] lines = File.ReadAllLines(_path);
        Assert.That(lines[^1], Does.Contain("\"op_code\":6").And.Contain("\"state\":3"));
        Assert.That(new FileInfo(_path).Length, Is.EqualTo(whole + lines[^1].Length + 1));
    }

    [Test]
    public void A_journal_that_Optuna_wrote_is_taken_up()
    {
        File.Copy(Path.Combine(TestContext.CurrentContext.TestDirectory, "Search", "optuna.journal"), _path);
        using var journal = new StudyJournal(_path);
        var study = new Study(Space, journal: journal);

        // As Optuna 3.1 showed them.
        Assert.That(
            study.Trials.Select(trial => (trial.State, trial.Float("x"), trial.Float("q"), trial.Int("n"), trial.Choice("c"))),
            Is.EqualTo(new[]
            {
                (TrialState.Complete, 0.0017826497151386949, 0.75, 2, "sgd"),
                (TrialState.Complete, 0.00018924123965722266, 0.0, 4, "adam"),
                (TrialState.Pruned, 0.0018096039818770826, 0.75, 4, "sgd"),
                (TrialState.Failed, 0.01026603003516425, 0.5, 6, "adam"),
                (TrialState.Complete, 0.025248390936171015, 1.0, 4, "adam"),
            }));
        Assert.That(study.Trials[1].Reports[1], Is.NaN);
        Assert.That(study.Best!.Value, Is.EqualTo(2.0017826497151385));
        study.Optimize(Value, 8);
        Assert.That(study.Trials, Has.Count.EqualTo(8));
    }

    [Test]
    public void Distributions_are_written_as_Optuna_writes_them()
    {
        string[] lines = File.ReadAllLines(Path.Combine(TestContext.CurrentContext.TestDirectory, "Search", "optuna.journal"));
        foreach (SearchParameter parameter in Space.Parameters)
        {
            string line = lines.First(text => text.Contains($"\"param_name\": \"{parameter.Name}\"", StringComparison.Ordinal));
            using var record = System.Text.Json.JsonDocument.Parse(line);
            using var theirs = System.Text.Json.JsonDocument.Parse(record.RootElement.GetProperty("distribution").GetString()!);
            using var own = System.Text.Json.JsonDocument.Parse(StudyJournal.Distribution(parameter));
            Assert.That(System.Text.Json.JsonElement.DeepEquals(own.RootElement, theirs.RootElement), line);
        }
    }

    [Test]
    public void A_journal_of_another_search_is_refused_and_left_as_it_is()
    {
        using (var journal = new StudyJournal(_path))
        {
            new Study(Space, journal: journal).Optimize(Value, 2);
        }

        byte[] before = File.ReadAllBytes(_path);
        AssertRefused(new SearchSpace(new FloatParameter("x", 0.1, 1)), SearchDirection.Minimize, "fastnn",
            "parameter x was searched in");
        AssertRefused(new SearchSpace(new FloatParameter("z", 0.1, 1)), SearchDirection.Minimize, "fastnn",
            "line 3: expected a record of an Optuna journal: SearchSpace: there is no parameter 'x'");
        AssertRefused(Space, SearchDirection.Maximize, "fastnn", "it holds 'fastnn' to minimize");
        AssertRefused(Space, SearchDirection.Minimize, "other", "expected one study 'other'");
        Assert.That(File.ReadAllBytes(_path), Is.EqualTo(before));
        File.WriteAllText(_path, "no journal\n");
        AssertRefused(Space, SearchDirection.Minimize, "fastnn", "line 1: expected a record of an Optuna journal");
    }

    [Test]
    public void Two_processes_cannot_write_to_one_journal()
    {
        using var journal = new StudyJournal(_path);
        Assert.That(() => new StudyJournal(_path), Throws.InstanceOf<IOException>());
    }

    [Test]
    public void Successive_halving_lets_the_best_third_go_on()
    {
        var study = new Study(Space, new RandomSampler(), pruner: new SuccessiveHalvingPruner(first: 1, factor: 3));
        bool[] goesOn = [.. Enumerable.Range(0, 9).Select(i => study.Ask().Report(9 - i, 1))];
        Assert.That(goesOn, Is.All.True, "each is the best so far");
        goesOn = [.. Enumerable.Range(0, 9).Select(i => study.Ask().Report(100 + i, 1))];
        Assert.That(goesOn, Is.All.False);
        Trial middle = study.Ask();
        Assert.That(middle.Report(2.5, 1), "the third of 19, of whom six go on");
        Assert.That(middle.Report(1000, 2), "there is no rung at step 2");
        Assert.That(study.Ask().Report(double.NaN, 1), Is.False);
    }

    [Test]
    public void The_median_stops_what_is_worse_than_half()
    {
        var study = new Study(Space, new RandomSampler(), SearchDirection.Maximize, new MedianPruner(startup: 3));
        for (int i = 1; i <= 3; i++)
        {
            Trial trial = study.Ask();
            Assert.That(trial.Report(i, 1));
            study.Tell(trial, i);
        }

        Assert.That(study.Ask().Report(1.9, 1), Is.False);
        Assert.That(study.Ask().Report(2.1, 1));
    }

    [Test]
    public void Hyperband_has_brackets_that_stop_early_and_one_that_never_does()
    {
        var study = new Study(Space, new RandomSampler(), pruner: new HyperbandPruner(last: 9));
        bool[] first = [.. Enumerable.Range(0, 200).Select(i => study.Ask().Report(i, 1))];
        int stopped = first.Count(goes => !goes);
        Assert.That(stopped, Is.InRange(60, 160));
        Assert.That(first.Take(20), Does.Contain(false).And.Contain(true));
    }

    [Test]
    public void Ended_trials_are_told_once()
    {
        var study = new Study(Space);
        Trial trial = study.Ask();
        study.Tell(trial, double.NaN);
        Assert.That((trial.State, trial.Value), Is.EqualTo((TrialState.Failed, (double?)null)));
        Assert.That(
            () => study.Tell(trial, 1),
            Throws.InvalidOperationException.With.Message.EqualTo(
                "Study: expected a running trial of this study, trial 0 is Failed."));
        Assert.That(() => new Study(Space).Tell(study.Ask(), 1), Throws.InvalidOperationException);
        Assert.That(
            () => study.Ask().Float("n"),
            Throws.ArgumentException.With.Message.StartsWith("Trial: expected a FloatParameter 'n'"));
        Assert.That(study.Best, Is.Null);
    }

    [Test]
    public void Trials_may_run_on_several_threads()
    {
        using var journal = new StudyJournal(_path);
        var study = new Study(Space, new RandomSampler(), journal: journal);
        Parallel.For(0, 40, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _ =>
        {
            Trial trial = study.Ask();
            trial.Report(1, 1);
            study.Tell(trial, Value(trial));
        });
        Assert.That(study.Trials.Select(trial => trial.Number), Is.EqualTo(Enumerable.Range(0, 40)));
        Assert.That(study.Trials, Is.All.Matches<Trial>(trial => trial.Value == Value(trial)));
    }

    private static double Value(Trial trial) =>
        Math.Abs(Math.Log10(trial.Float("x")) + 2) + trial.Int("n") + (trial.Choice("c") == "adam" ? 0 : 1) + trial.Float("q");

    private static string Text(Trial trial) =>
        $"{trial.Number} {trial.State} {trial.Value} {string.Join(' ', Space.Parameters.Select(parameter => trial.Text(parameter.Name)))}";

    private void AssertRefused(SearchSpace space, SearchDirection direction, string name, string message)
    {
        using var journal = new StudyJournal(_path, name);
        Assert.That(
            () => new Study(space, direction: direction, journal: journal),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains(message));
    }
}
