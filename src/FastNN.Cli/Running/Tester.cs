using System.Globalization;
using FastNN.Cli.Recipes;
using FastNN.Data;

namespace FastNN.Cli.Running;

/// <summary>Tests a network and says how it did.</summary>
internal static class Tester
{
    public static TestResult Test(
        Trainer trainer, Dataset test, SupervisedRecipe recipe, bool quick, CancellationToken cancellationToken)
    {
        Evaluation evaluation = trainer.Evaluate(test, metrics: recipe.Metrics, cancellationToken: cancellationToken);
        return new TestResult(evaluation, (quick ? recipe.QuickGoal : recipe.Goal).Judge(recipe.Measure(evaluation)));
    }

    public static void Write(TextWriter output, TestResult test)
    {
        output.WriteLine();
        if (test.Report is { } report)
        {
            output.WriteLine(report.ToString(4));
            output.WriteLine();
            output.WriteLine(test.Evaluation.Confusion!.ToString());
            output.WriteLine();
        }

        var line = new List<string> { string.Create(CultureInfo.InvariantCulture, $"test loss {test.Evaluation.Loss:F4}") };
        if (test.Report is not null)
        {
            line.Add(string.Create(CultureInfo.InvariantCulture, $"test accuracy {100 * test.Report.Accuracy:F2} %"));
        }

        if (test.Evaluation.Metrics.Count > 0)
        {
            line.Add($"test {test.Evaluation.Metrics}");
        }

        output.WriteLine(string.Join(", ", line));
    }
}
