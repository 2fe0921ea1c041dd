using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using FastNN.Cli.Recipes;
using static System.FormattableString;

namespace FastNN.Cli.Checks;

/// <summary>Runs the checks on a device, a line of the report per family.</summary>
internal static class SelfTest
{
    private const string Resource = "FastNN.Cli.Checks.references.tsv";

    /// <summary>What the digests on other machines were; they differ by what another order of sums does.</summary>
    private const double ReferenceTolerance = 1e-4;

    /// <summary>Runs all checks; a device that fails ends it, since nothing more can be learned of it.</summary>
    /// <returns>Whether all is well.</returns>
    public static bool Run(Device device, TextWriter output, CancellationToken cancellationToken)
    {
        try
        {
            return RunAll(device, output, cancellationToken);
        }
        catch (DeviceException exception)
        {
            output.WriteLine($"FAIL  {exception.Message}");
            output.WriteLine($"selftest: stopped, since {device.Description} failed");
            return false;
        }
    }

    private static bool RunAll(Device device, TextWriter output, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, double[]> references = References();
        using var one = Device.Cpu(1);
        var clock = Stopwatch.StartNew();
        int families = 0, failed = 0;
        foreach (IGrouping<string, SelfCheck> family in SelfChecks.All.GroupBy(check => check.Family))
        {
            TimeSpan before = clock.Elapsed;
            double worst = 0;
            var faults = new List<string>();
            foreach (SelfCheck check in family)
            {
                cancellationToken.ThrowIfCancellationRequested();
                (string? fault, double part) = Run(check, device, one, references);
                worst = Math.Max(worst, part);
                if (fault is not null)
                {
                    faults.Add($"{check.Name}: {fault}");
                }
            }

            families++;
            failed += faults.Count > 0 ? 1 : 0;
            Report(output, family.Key, family.Count(), clock.Elapsed - before, faults, Invariant($"{worst:P0} of the tolerance"));
        }

        failed += Train(device, one, output) ? 0 : 1;
        families++;
        output.WriteLine(failed == 0
            ? Invariant($"selftest: all {families} families are right on {device.Description} ({clock.Elapsed.TotalSeconds:F1} s)")
            : $"selftest: {failed} of {families} families FAILED on {device.Description}");
        return failed == 0;
    }

    /// <summary>The table that is embedded, as this machine's CPU would write it.</summary>
    public static void WriteReferences(TextWriter output)
    {
        using var device = Device.Cpu(1);
        foreach (SelfCheck check in SelfChecks.All)
        {
            IEnumerable<string> numbers = check.Run(device).Digest.Select(number => number.ToString("G9", CultureInfo.InvariantCulture));
            output.WriteLine($"{Key(check)}\t{string.Join('\t', numbers)}");
        }
    }

    private static (string? Fault, double Worst) Run(SelfCheck check, Device device, Device one, IReadOnlyDictionary<string, double[]> references)
    {
        SelfCheckResult expected = check.Run(one);
        if (!references.TryGetValue(Key(check), out double[]? digest))
        {
            return ("has no reference numbers in this build", 0);
        }

        double[] own = expected.Digest;
        for (int i = 0; i < digest.Length; i++)
        {
            if (!(Math.Abs(own[i] - digest[i]) <= ReferenceTolerance * Math.Max(Math.Abs(digest[i]), 1e-3)))
            {
                return (Invariant($"number {i} of the reference is {digest[i]:G9}, the CPU of this machine computes {own[i]:G9}"), 0);
            }
        }

        SelfCheckResult actual = check.Run(device);
        return device.Kind == "cpu" && !actual.Equal(expected) ? ($"{device.Threads} threads give other bits than one", 0) : actual.Compare(expected);
    }

    /// <summary>A family's line, and one for each fault.</summary>
    private static void Report(TextWriter output, string family, int cases, TimeSpan time, List<string> faults, string remark)
    {
        string begin = Invariant($"{(faults.Count > 0 ? "FAIL" : "ok  ")}  {family,-12} {cases,3} {(cases == 1 ? "case " : "cases")} {time.TotalSeconds,7:F2} s");
        output.WriteLine(faults.Count > 0 ? begin : $"{begin}   {remark}");
        foreach (string fault in faults)
        {
            output.WriteLine($"      {fault}");
        }
    }

    /// <summary>The recipe that needs no data from elsewhere.</summary>
    private static bool Train(Device device, Device one, TextWriter output)
    {
        var clock = Stopwatch.StartNew();
        (double[] expected, double expectedAccuracy) = Fit(one);
        (double[] losses, double accuracy) = Fit(device);
        string fault = "";
        for (int i = 0; i < losses.Length && fault.Length == 0; i++)
        {
            fault = Math.Abs(losses[i] - expected[i]) <= 1e-3 * expected[i] ? ""
                : Invariant($"the loss of epoch {i + 1} is {losses[i]:G6}, on one thread of the CPU {expected[i]:G6}");
        }

        if (fault.Length == 0 && !(accuracy >= 0.9 && Math.Abs(accuracy - expectedAccuracy) <= 0.01))
        {
            fault = Invariant($"the accuracy is {accuracy:P1}, on one thread of the CPU {expectedAccuracy:P1}");
        }

        Report(output, "training", 1, clock.Elapsed, fault.Length == 0 ? [] : [fault], Invariant($"accuracy {accuracy:P1} on breast-cancer"));
        return fault.Length == 0;
    }

    private static (double[] Losses, double Accuracy) Fit(Device device)
    {
        var recipe = new BreastCancerMlp();
        RecipeData data = recipe.Load(null, _ => { });
        using var trainer = new Trainer(recipe.CreateModel(), device, recipe.Loss, new Adam(1e-3f));
        History history = trainer.Fit(data.Train, recipe.Epochs, recipe.Batch);
        return ([.. history.Epochs.Select(epoch => epoch.Loss)], trainer.Evaluate(data.Test).Accuracy ?? 0);
    }

    private static string Key(SelfCheck check) => $"{check.Family}\t{check.Name}";

    private static Dictionary<string, double[]> References()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Resource)!;
        using var reader = new StreamReader(stream);
        var references = new Dictionary<string, double[]>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            string[] cells = line.Split('\t');
            references.Add($"{cells[0]}\t{cells[1]}", [.. cells[2..].Select(cell => double.Parse(cell, CultureInfo.InvariantCulture))]);
        }

        return references;
    }
}
