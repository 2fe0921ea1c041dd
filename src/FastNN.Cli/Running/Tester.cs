using System.Globalization;
using FastNN.Data;

namespace FastNN.Cli.Running;

/// <summary>Tests a network and says how it did.</summary>
internal static class Tester
{
    public static TestResult Test(Trainer trainer, Dataset test, CancellationToken cancellationToken)
    {
        Evaluation evaluation = trainer.Evaluate(test, cancellationToken: cancellationToken);
        return new TestResult(evaluation.Loss, evaluation.Confusion!);
    }

    public static void Write(TextWriter output, TestResult test)
    {
        output.WriteLine();
        output.WriteLine(test.Report.ToString(4));
        output.WriteLine();
        output.WriteLine(test.Confusion.ToString());
        output.WriteLine();
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture, $"test loss {test.Loss:F4}, test accuracy {100 * test.Report.Accuracy:F2} %"));
    }
}
