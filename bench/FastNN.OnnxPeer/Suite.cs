using System.Globalization;
using System.Text.Json;
using FastNN.Cli.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace FastNN.OnnxPeer;

/// <summary>What became of a case in both.</summary>
internal sealed record SuiteCase(string Case, string Operator, string FastNN, string OnnxRuntime, string Reason);

/// <summary>The standard's cases in both, with the same comparison of outputs.</summary>
internal static class Suite
{
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static IReadOnlyList<SuiteCase> Run(IEnumerable<string> folders, TextWriter progress)
    {
        var results = new List<SuiteCase>();
        foreach (OnnxCase one in folders.SelectMany(OnnxCase.In))
        {
            OnnxCaseResult ours = one.Run(), theirs = RunPeer(one);
            results.Add(new SuiteCase(one.Name, Operator(one, ours), ours.Status, theirs.Status, theirs.Reason));
            if (results.Count % 100 == 0)
            {
                progress.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{results.Count} cases"));
            }
        }

        return results;
    }

    // The runtime takes a model whole or not at all, so a session is made for every data set.
    private static OnnxCaseResult RunPeer(OnnxCase one) => one.Run((_, inputs) =>
    {
        try
        {
            using var runtime = new Runtime(one.Model);
            return runtime.Run(inputs);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new NotSupportedException(exception.Message, exception);
        }
    });

    /// <summary>The operator of the table's row: a case of an expanded function counts for the function, a network for its
    /// folder.</summary>
    private static string Operator(OnnxCase one, OnnxCaseResult result)
    {
        string name = Path.GetFileName(one.Name);
        return name.EndsWith(".onnx", StringComparison.Ordinal) ? "(networks)"
            : name.Contains("_expanded", StringComparison.Ordinal) ? "(expanded functions)"
            : result.Operator.Contains("test", StringComparison.Ordinal)
                || result.Operator.Contains("graph", StringComparison.OrdinalIgnoreCase)
                || result.Operator.Contains("jit", StringComparison.Ordinal) ? "(several operators)"
            : result.Operator;
    }

    public static void WriteTable(TextWriter output, IReadOnlyList<SuiteCase> cases)
    {
        output.WriteLine("| operator | cases | FastNN | ONNX Runtime |");
        output.WriteLine("|---|---|---|---|");
        foreach (IGrouping<string, SuiteCase> row in cases.GroupBy(one => one.Operator)
            .OrderBy(row => row.Key, StringComparer.OrdinalIgnoreCase))
        {
            WriteRow(output, row.Key, [.. row]);
        }

        WriteRow(output, "**all**", cases);
    }

    private static void WriteRow(TextWriter output, string name, IReadOnlyList<SuiteCase> cases)
    {
        int Passed(Func<SuiteCase, string> status) => cases.Count(one => status(one) == "passed");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {cases.Count} | {Passed(one => one.FastNN)} | {Passed(one => one.OnnxRuntime)} |"));
    }
}
