using System.Globalization;
using System.Text;
using System.Text.Json;
using FastNN.Cli.Running;

namespace FastNN.Cli.Reports;

/// <summary>A folder that a run keeps or kept, as its files tell it.</summary>
internal sealed record KeptRun
{
    /// <summary>How deep below a folder runs are looked for.</summary>
    private const int Depth = 4;

    /// <summary>The path below the folder that was searched.</summary>
    public required string Name { get; init; }

    public string Recipe { get; init; } = "";

    public ulong? Seed { get; init; }

    public bool IsQuick { get; init; }

    /// <summary>"passed", "missed", "interrupted", "running", or "stopped" where a run ended without a word.</summary>
    public string State { get; init; } = "";

    public string? GoalName { get; init; }

    public double? Value { get; init; }

    public double? Wanted { get; init; }

    public DateTime? Started { get; init; }

    public double? Seconds { get; init; }

    /// <summary>The losses of the phase that trained longest, with their steps; of a run that is not over a few a
    /// second.</summary>
    public IReadOnlyList<(double Step, double Loss)> Losses { get; init; } = [];

    /// <summary>Finds the runs in a folder and below it, by name.</summary>
    /// <param name="folder">Where to look.</param>
    /// <param name="warn">Told of files that cannot be read, in one line each.</param>
    public static IReadOnlyList<KeptRun> Find(string folder, Action<string> warn)
    {
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            MaxRecursionDepth = Depth,
            IgnoreInaccessible = true,
        };
        string[] folders =
        [
            .. Directory.EnumerateFiles(folder, "*", options)
                .Where(file => Path.GetFileName(file) is RunSettings.ResultName or ProgressFile.Name)
                .Select(file => Path.GetDirectoryName(file)!).Distinct().Order(StringComparer.Ordinal),
        ];
        var runs = new List<KeptRun>();
        foreach (string path in folders)
        {
            try
            {
                if (Read(path, Path.GetRelativePath(folder, path)) is { } run)
                {
                    runs.Add(run);
                }
            }
            catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException
                or InvalidOperationException or FormatException or KeyNotFoundException)
            {
                warn($"{path}: not read: {exception.Message}");
            }
        }

        return runs;
    }

    /// <summary>Reads one folder; null where its result.json is of something else.</summary>
    private static KeptRun? Read(string folder, string name)
    {
        KeptRun run = FromProgress(Path.Combine(folder, ProgressFile.Name), new KeptRun { Name = name });
        string result = Path.Combine(folder, RunSettings.ResultName);
        // A run that began anew has deleted the result of the one before, and a resumed one is told by its progress.
        if (File.Exists(result) && run.State is "" or "passed" or "missed")
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(result));
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("outcome", out _)
                && document.RootElement.TryGetProperty("recipe", out _)
                ? FromResult(document.RootElement, run)
                : null;
        }

        return run is { State: "running" } && !IsLocked(folder) ? run with { State = "stopped" } : run;
    }

    private static KeptRun FromResult(JsonElement json, KeptRun run)
    {
        JsonElement outcome = json.GetProperty("outcome");
        return run with
        {
            Recipe = json.GetProperty("recipe").GetString() ?? "",
            Seed = json.TryGetProperty("seed", out JsonElement seed) ? seed.GetUInt64() : null,
            IsQuick = json.TryGetProperty("quick", out JsonElement quick) && quick.GetBoolean(),
            State = outcome.GetProperty("passed").GetBoolean() ? "passed" : "missed",
            GoalName = outcome.GetProperty("name").GetString(),
            Value = Number(outcome.GetProperty("value")),
            Wanted = Number(outcome.GetProperty("wanted")),
            Losses = json.TryGetProperty("losses", out JsonElement losses) ? LongestLosses(losses) : [],
        };
    }

    private static KeptRun FromProgress(string path, KeptRun run)
    {
        if (!File.Exists(path))
        {
            return run;
        }

        var phases = new Dictionary<string, List<(double Step, double Loss)>>();
        foreach (string line in ReadLines(path))
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement json = document.RootElement;
            run = run with { Seconds = json.GetProperty("seconds").GetDouble() };
            switch (json.GetProperty("kind").GetString())
            {
                case "begin":
                    run = run with
                    {
                        Recipe = json.GetProperty("recipe").GetString() ?? "",
                        Seed = json.GetProperty("seed").GetUInt64(),
                        IsQuick = json.GetProperty("quick").GetBoolean(),
                        Started = json.GetProperty("time").GetDateTime(),
                        State = "running",
                    };
                    break;
                case "step" when json.TryGetProperty("loss", out JsonElement loss):
                    string phase = json.GetProperty("phase").GetString() ?? "";
                    double step = json.GetProperty("step").GetDouble();
                    List<(double Step, double Loss)> losses =
                        phases.TryGetValue(phase, out List<(double Step, double Loss)>? known) ? known : phases[phase] = [];
                    // A resumed run computes steps again that an earlier one had done.
                    losses.RemoveAll(point => point.Step >= step);
                    losses.Add((step, loss.GetDouble()));
                    break;
                case "end":
                    run = run with { State = json.GetProperty("state").GetString() ?? "" };
                    break;
            }
        }

        return run with { Losses = phases.Values.MaxBy(losses => losses.Count) ?? [] };
    }

    /// <summary>The whole lines of a file that may be written meanwhile.</summary>
    private static string[] ReadLines(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(file, Encoding.UTF8);
        string[] lines = reader.ReadToEnd().Split('\n');
        return [.. lines[..^1].Where(line => line.Length > 0)];
    }

    /// <summary>Whether a run holds the folder now.</summary>
    private static bool IsLocked(string folder)
    {
        try
        {
            string path = Path.Combine(folder, RunFolder.LockName);
            if (!File.Exists(path))
            {
                return false;
            }

            // A shared lock, so that two who look do not disturb each other.
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return true;
        }
    }

    private static IReadOnlyList<(double Step, double Loss)> LongestLosses(JsonElement losses)
    {
        JsonElement array = losses;
        if (losses.ValueKind == JsonValueKind.Object)
        {
            // The phase that trained longest, where there are several.
            array = losses.EnumerateObject().Select(phase => phase.Value).OrderByDescending(phase => phase.GetArrayLength())
                .FirstOrDefault();
        }

        return array.ValueKind == JsonValueKind.Array
            ? ChartLines.Steps([.. array.EnumerateArray().Select(loss => (float)Number(loss))])
            : [];
    }

    /// <summary>Numbers that are not finite are strings in these files.</summary>
    private static double Number(JsonElement json) => json.ValueKind == JsonValueKind.String
        ? double.Parse(json.GetString()!, CultureInfo.InvariantCulture)
        : json.GetDouble();
}
