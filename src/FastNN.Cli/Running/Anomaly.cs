using FastNN.Explain;

namespace FastNN.Cli.Running;

/// <summary>What --detect-anomaly tells of a step whose loss or gradients are not finite.</summary>
internal static class Anomaly
{
    /// <summary>Runs the step once more, operator by operator.</summary>
    /// <returns>The failure, with the operator and the tensor that first are not finite; the others are written.</returns>
    public static CliException Explain(NonFiniteLossException failure, Trainer trainer, TextWriter output)
    {
        NonFiniteReport report = TrainingDiagnostics.FindNonFinite(trainer);
        if (report.Origins.Count > 1)
        {
            output.WriteLine(report.ToString());
        }

        return new CliException(
            $"{failure.Message} {(report.Origins.Count > 0 ? $"The first that is not finite: {report.Origins[0]}" : "Each number of the step is finite: only the sum of the gradients' squares overflows")}");
    }
}
