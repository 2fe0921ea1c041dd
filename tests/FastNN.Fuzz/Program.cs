using System.Globalization;
using FastNN.Fuzz;

// --minutes N (1)  --seed N (1)  --target NAME (all)  --out FOLDER (fuzz-failures): the time is shared among the readers.
double minutes = 1;
ulong seed = 1;
string? only = null;
string output = "fuzz-failures";
for (int i = 0; i < args.Length; i++)
{
    string? value = i + 1 < args.Length ? args[i + 1] : null;
    bool known = (args[i], value) switch
    {
        ("--minutes", not null) =>
            double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out minutes) && minutes > 0,
        ("--seed", not null) => ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out seed),
        ("--target", not null) => (only = value) is not null,
        ("--out", { } folder) => (output = folder).Length > 0,
        _ => false,
    };
    if (!known)
    {
        Console.Error.WriteLine("usage: FastNN.Fuzz [--minutes N] [--seed N] [--target NAME] [--out FOLDER]");
        return 2;
    }

    i++;
}

string scratch = Directory.CreateTempSubdirectory("fastnn-fuzz-").FullName;
try
{
    FuzzTarget[] targets = [.. FuzzTargets.All(scratch).Where(target => only is null || target.Name == only)];
    if (targets.Length == 0)
    {
        Console.Error.WriteLine(
            $"there is no target '{only}'; there are {string.Join(", ", FuzzTargets.All(scratch).Select(target => target.Name))}");
        return 2;
    }

    var fuzzer = new Fuzzer(seed, output, Console.Out);
    FuzzFailure[] failures = [
        .. targets.Select(target => fuzzer.Run(target, TimeSpan.FromMinutes(minutes / targets.Length))).OfType<FuzzFailure>()];
    foreach (FuzzFailure failure in failures)
    {
        Console.Error.WriteLine($"FAILED {failure}");
    }

    return failures.Length == 0 ? 0 : 1;
}
finally
{
    Directory.Delete(scratch, recursive: true);
}
