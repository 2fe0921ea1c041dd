using System.Diagnostics;
using static System.FormattableString;

namespace FastNN.Cli.Checks;

/// <summary>Runs families of cases on a device, a line of the report for each.</summary>
/// <param name="say">Takes a line of the report.</param>
/// <param name="watch">Told what runs, for a person who waits.</param>
internal sealed class SelfTest(Device device, Action<string> say, Action<string> watch, CancellationToken cancellation)
{
    /// <summary>A wrong kernel fails in most of its cases: these are enough to see how.</summary>
    private const int MaxFaults = 8;

    /// <summary>Names of skipped cases that a reason is told with.</summary>
    private const int MaxNames = 4;

    /// <summary>Runs everything; a device that fails ends it, since nothing more can be learned of it.</summary>
    /// <returns>Whether all is well.</returns>
    public bool Run(IReadOnlyList<SelfTestFamily> families)
    {
        var clock = Stopwatch.StartNew();
        int failed = 0, skipped = 0;
        try
        {
            foreach (SelfTestFamily family in families)
            {
                Tally tally = Run(family);
                failed += tally.Faults.Count > 0 ? 1 : 0;
                skipped += tally.Skipped.Count;
                Report(family, tally);
            }
        }
        catch (DeviceException exception)
        {
            say($"FAIL  {exception.Message}");
            say($"selftest: stopped, since {device.Description} failed");
            return false;
        }

        string left = skipped == 0 ? "" : Invariant($", {skipped} cases skipped");
        say(failed == 0
            ? Invariant(
                $"selftest: all {families.Count} families are right on {device.Description} ({clock.Elapsed.TotalSeconds:F1} s{left})")
            : Invariant(
                $"selftest: {failed} of {families.Count} families FAILED on {device.Description} ({clock.Elapsed.TotalSeconds:F1} s{left})"));
        return failed == 0;
    }

    private Tally Run(SelfTestFamily family)
    {
        var tally = new Tally();
        var clock = Stopwatch.StartNew();
        using Device? own = family.Open?.Invoke();
        for (int i = 0; i < family.Cases.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            SelfTestCase @case = family.Cases[i];
            watch(Invariant($"{family}: case {i + 1} of {family.Cases.Count}, {@case.Name}"));
            SelfTestResult result = Run(@case, own ?? device);
            tally.Worst = Math.Max(tally.Worst, result.Worst);
            tally.Remark = result.Remark;
            if (result.Fault is { } fault)
            {
                tally.Faults.Add($"{@case.Name}: {fault}");
            }

            if (result.Skipped is { } reason)
            {
                tally.Skipped.Add((@case.Name, reason));
            }
        }

        tally.Time = clock.Elapsed;
        return tally;
    }

    private static SelfTestResult Run(SelfTestCase @case, Device device)
    {
        try
        {
            return @case.Run(device);
        }
        catch (DeviceException exception) when (exception.IsLack)
        {
            return new SelfTestResult(0, Skipped: exception.Message);
        }
        catch (Exception exception) when (exception is not (DeviceException or OperationCanceledException))
        {
            // An operator that throws is as wrong as one that computes nonsense, and the other cases may tell why.
            return new SelfTestResult(0, $"{exception.GetType().Name}: {exception.Message}");
        }
    }

    /// <summary>A family's line, and one for each fault and each reason to skip.</summary>
    private void Report(SelfTestFamily family, Tally tally)
    {
        int cases = family.Cases.Count, ran = cases - tally.Skipped.Count;
        string state = tally.Faults.Count > 0 ? "FAIL" : ran == 0 ? "skip" : "ok  ";
        string line = Invariant(
            $"{state}  {family.Kind,-8}  {family.Name,-14} {ran,4} {(ran == 1 ? "case " : "cases")} {tally.Time.TotalSeconds,7:F2} s");
        if (tally.Faults.Count > 0)
        {
            line += Invariant($"   {tally.Faults.Count} wrong");
        }
        else if (ran > 0)
        {
            line += Invariant($"   {tally.Worst,5:P0} of the tolerance");
        }

        say(line + (tally.Remark is { } remark ? $", {remark}" : ""));
        foreach (string fault in tally.Faults.Take(MaxFaults))
        {
            say($"      {fault}");
        }

        if (tally.Faults.Count > MaxFaults)
        {
            say(Invariant($"      and {tally.Faults.Count - MaxFaults} more"));
        }

        foreach (IGrouping<string, string> group in tally.Skipped.GroupBy(skipped => skipped.Reason, skipped => skipped.Name))
        {
            string[] names = [.. group];
            string more = names.Length > MaxNames ? Invariant($" and {names.Length - MaxNames} more") : "";
            say($"      skipped {string.Join(", ", names.Take(MaxNames))}{more}: {group.Key}");
        }
    }

    /// <summary>What the cases of a family found.</summary>
    private sealed class Tally
    {
        public double Worst { get; set; }

        public string? Remark { get; set; }

        public TimeSpan Time { get; set; }

        public List<string> Faults { get; } = [];

        public List<(string Name, string Reason)> Skipped { get; } = [];
    }
}
