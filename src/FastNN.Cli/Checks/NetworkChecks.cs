using System.Globalization;
using System.Reflection;
using FastNN.Cli.Recipes;
using static System.FormattableString;

namespace FastNN.Cli.Checks;

/// <summary>
/// The part of selftest that trains: small networks and one recipe, compared with one thread of the CPU, and that with other
/// machines.
/// </summary>
internal static class NetworkChecks
{
    private const string Resource = "FastNN.Cli.Checks.references.tsv";

    /// <summary>What the digests on other machines were; they differ by what another order of sums does.</summary>
    private const double ReferenceTolerance = 1e-4;

    /// <param name="one">One thread of the CPU.</param>
    public static IEnumerable<SelfTestFamily> Families(Device one)
    {
        IReadOnlyDictionary<string, double[]> references = References();
        return
        [
            .. from check in SelfChecks.All
               group new SelfTestCase(check.Name, device => Run(check, device, one, references)) by check.Family into family
               select new SelfTestFamily("network", family.Key, [.. family]),
            new SelfTestFamily("training", "a recipe", [new SelfTestCase("breast-cancer-mlp", device => Train(device, one))]),
        ];
    }

    /// <summary>The table that is embedded, as this machine's CPU would write it.</summary>
    public static void WriteReferences(TextWriter output)
    {
        using var device = Device.Cpu(1);
        foreach (SelfCheck check in SelfChecks.All)
        {
            IEnumerable<string> numbers = check.Run(device).Digest.Select(
                number => number.ToString("G9", CultureInfo.InvariantCulture));
            output.WriteLine($"{Key(check)}\t{string.Join('\t', numbers)}");
        }
    }

    private static SelfTestResult Run(
        SelfCheck check, Device device, Device one, IReadOnlyDictionary<string, double[]> references)
    {
        SelfCheckResult expected = check.Run(one);
        if (!references.TryGetValue(Key(check), out double[]? digest))
        {
            return new(0, "has no reference numbers in this build");
        }

        double[] own = expected.Digest;
        for (int i = 0; i < digest.Length; i++)
        {
            if (!(Math.Abs(own[i] - digest[i]) <= ReferenceTolerance * Math.Max(Math.Abs(digest[i]), 1e-3)))
            {
                return new(
                    0, Invariant($"number {i} of the reference is {digest[i]:G9}, the CPU of this machine computes {own[i]:G9}"));
            }
        }

        SelfCheckResult actual = check.Run(device);
        if (device.Kind == "cpu" && !actual.Equal(expected))
        {
            return new(0, $"{device.Threads} threads give other bits than one");
        }

        (string? fault, double worst) = actual.Compare(expected);
        return new(worst, fault);
    }

    /// <summary>The recipe that needs no data from elsewhere.</summary>
    private static SelfTestResult Train(Device device, Device one)
    {
        (double[] expected, double expectedAccuracy) = Fit(one);
        (double[] losses, double accuracy) = Fit(device);
        double worst = 0;
        for (int i = 0; i < losses.Length; i++)
        {
            double share = Math.Abs(losses[i] - expected[i]) / (1e-3 * expected[i]);
            if (!(share <= 1))
            {
                return new(
                    share, Invariant($"the loss of epoch {i + 1} is {losses[i]:G6}, on one thread of the CPU {expected[i]:G6}"));
            }

            worst = Math.Max(worst, share);
        }

        return accuracy >= 0.9 && Math.Abs(accuracy - expectedAccuracy) <= 0.01
            ? new(worst, Remark: Invariant($"accuracy {accuracy:P1} on breast-cancer"))
            : new(worst, Invariant($"the accuracy is {accuracy:P1}, on one thread of the CPU {expectedAccuracy:P1}"));
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
            references.Add(
                $"{cells[0]}\t{cells[1]}", [.. cells[2..].Select(cell => double.Parse(cell, CultureInfo.InvariantCulture))]);
        }

        return references;
    }
}
