using System.Xml.Linq;
using FastNN.Search;

namespace FastNN.Tests.Search;

/// <summary>What is computed and drawn from a search's trials.</summary>
internal sealed class AnalysisTests
{
    [Test]
    public void Shares_of_variance_are_those_of_an_additive_function()
    {
        // Over the unit square 3x has 9 times the variance of y; z does nothing.
        Study study = Random(200, trial => (3 * trial.Float("x")) + trial.Float("y"), Number("x"), Number("y"), Number("z"));
        IReadOnlyList<ParameterImportance> importance = study.Importance();
        Assert.Multiple(() =>
        {
            Assert.That(importance.Select(one => one.Name), Is.EqualTo(new[] { "x", "y", "z" }));
            Assert.That(importance[0].Share, Is.EqualTo(0.9).Within(0.04));
            Assert.That(importance[1].Share, Is.EqualTo(0.1).Within(0.04));
            Assert.That(importance[2].Share, Is.LessThan(0.01));
            Assert.That(study.Importance(), Is.EqualTo(importance), "the seed determines it");
        });
    }

    [Test]
    public void What_parameters_explain_together_only_is_left_over()
    {
        // Centered, a product has no effect of either factor alone.
        Study study = Random(
            400, trial => (trial.Float("x") - 0.5) * (trial.Float("y") - 0.5), Number("x"), Number("y"));
        Assert.That(study.Importance().Sum(one => one.Share), Is.LessThan(0.25));
    }

    [Test]
    public void Choices_and_logarithms_count_by_their_shares_of_the_space()
    {
        // Of three choices one gives 1, the others 0: a variance of 2/9. The decades of the rate, -4 to 0, have 16/12 of one.
        double unit = Math.Sqrt(2.0 / 9 / (16.0 / 12));
        Study study = Random(
            300, trial => (trial.Choice("kind") == "b" ? 1 : 0) + (unit * Math.Log10(trial.Float("rate"))),
            new ChoiceParameter("kind", "a", "b", "c"), new FloatParameter("rate", 1e-4, 1, log: true));
        IReadOnlyList<ParameterImportance> importance = study.Importance();
        Assert.That(importance.Select(one => one.Share), Is.All.EqualTo(0.5).Within(0.06));
        Assert.That(importance.Sum(one => one.Share), Is.EqualTo(1).Within(0.05));
    }

    [Test]
    public void Trials_without_different_values_tell_nothing()
    {
        Assert.That(Random(0, _ => 1, Number("x")).Importance(), Is.Empty);
        Assert.That(Random(5, _ => 1, Number("x")).Importance(), Is.Empty);
        Assert.That(Random(5, trial => trial.Number == 0 ? 1 : double.PositiveInfinity, Number("x")).Importance(), Is.Empty);
    }

    [Test]
    public void A_page_has_every_trial_every_parameter_and_only_escaped_texts()
    {
        const string Nasty = "<b>\"&'";
        Study study = Random(
            20,
            trial =>
            {
                trial.Report(1, 1);
                trial.Report(2, 2);
                return trial.Number == 7 ? throw new TrialPrunedException() : trial.Float("rate") * (trial.Int("width") + 1);
            },
            new FloatParameter("rate", 1e-5, 1e-1, log: true), new IntParameter("width", 1, 512, log: true),
            new ChoiceParameter(Nasty, "x<y", "plain"));
        string html = study.ToHtml(Nasty, "loss & more");

        // As XML, but for the document type and the tag that HTML does not close: nothing is unescaped or unbalanced.
        XDocument page = XDocument.Parse(
            html.Replace("<!DOCTYPE html>", "", StringComparison.Ordinal).Replace(
                "<meta charset=\"utf-8\">", "", StringComparison.Ordinal));
        XElement[] dots = [.. page.Descendants("circle")];
        Assert.Multiple(() =>
        {
            Assert.That(page.Descendants("h1").Single().Value, Is.EqualTo(Nasty));

            // The history, an importance, three slices, the reports.
            Assert.That(page.Descendants("svg").Count(), Is.EqualTo(6));
            Assert.That(dots, Has.Length.EqualTo(20 + (3 * 19)));
            Assert.That(dots.Count(dot => dot.Attribute("class")!.Value == "best"), Is.EqualTo(4));
            Assert.That(dots.Count(dot => dot.Attribute("class")!.Value == "pruned"), Is.EqualTo(1));
            Assert.That(page.Descendants("polyline").Count(), Is.EqualTo(1 + 20));
            Assert.That(page.Descendants("text").Select(text => text.Value), Does.Contain(Nasty).And.Contain("x<y"));
            Assert.That(
                dots.SelectMany(dot => new[] { (double)dot.Attribute("cx")!, (double)dot.Attribute("cy")! }),
                Is.All.InRange(0, 620));
            Assert.That(html, Does.Not.Contain("NaN").And.Not.Contain("<script").And.Not.Contain("http"));
        });
    }

    [Test]
    public void A_search_without_complete_trials_is_a_page_that_says_so() => Assert.That(
        Random(0, _ => 0, Number("x")).ToHtml("nothing yet"), Does.Contain("0 complete trials").And.Not.Contain("<svg"));

    private static FloatParameter Number(string name) => new(name, 0, 1);

    private static Study Random(int trials, Func<Trial, double> value, params SearchParameter[] parameters)
    {
        var study = new Study(new SearchSpace(parameters), new RandomSampler(), seed: 1);
        study.Optimize(value, trials);
        return study;
    }
}
